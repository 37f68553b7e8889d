// How figures of plans are written: three digits at most, with what they may be
// off by.
import type { Interval } from './queries';

const formats = new Map<string, Intl.NumberFormat>();

export function fine(tag: string, v: number): string {
  const size = Math.abs(v);
  const digits = size >= 9.95 || size < 0.05 ? 0 : 1;
  const key = `${tag}/${digits}`;
  let f = formats.get(key);
  if (!f) {
    f = new Intl.NumberFormat(tag, { maximumFractionDigits: digits });
    formats.set(key, f);
  }
  const shown = size >= 10_000 ? Number(v.toPrecision(3)) : v;
  return f.format(Math.abs(shown) < 0.05 ? 0 : shown);
}

/** "9 (8.2–9.8)"; the interval is left out where it says nothing more. */
export function interval(tag: string, i: Interval): string {
  const [mean, low, high] = [fine(tag, i.mean), fine(tag, i.low), fine(tag, i.high)];
  return low === high ? mean : `${mean} (${low}–${high})`;
}

/** At most five round steps from zero that hold a value. */
export function ticks(most: number): number[] {
  if (!(most > 0)) return [0, 1];
  const raw = most / 4;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * unit).find((s) => s >= raw - 1e-12) ?? raw;
  const out = [0];
  while ((out.at(-1) as number) < most - 1e-9) out.push(out.length * step);
  return out;
}
