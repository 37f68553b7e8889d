// Where the ticks of an axis stand: round numbers up, whole hours, days, weeks
// and months along.
import { DAY, HOUR } from '../../format/time';
import { toClock } from '../../format/zoned';

/** The least round number that is not below, and steps of it. */
export function niceTop(most: number, least = 0): { top: number; step: number } {
  const want = Math.max(most, least);
  if (!(want > 0)) return { top: 1, step: 0.5 };
  const size = 10 ** Math.floor(Math.log10(want / 4));
  const step =
    [1, 2, 2.5, 5, 10].map((m) => m * size).find((s) => Math.ceil(want / s - 1e-9) <= 4) ?? 10 * size;
  return { top: Math.ceil(want / step - 1e-9) * step, step };
}

/** The least round number that is not below, for a scale without ticks. */
export function roundUp(most: number): number {
  if (!(most > 0)) return 1;
  const size = 10 ** Math.floor(Math.log10(most));
  return size * ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((m) => m >= most / size - 1e-9) ?? 10);
}

export const ticksUp = ({ top, step }: { top: number; step: number }): number[] =>
  Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);

export type Tick = { at: number; kind: 'hour' | 'day' | 'month' };

/** Ticks between two moments on the clock of a zone, as many as there is room for at most. */
export function ticksAlong(from: number, to: number, zone: string | undefined, room: number): Tick[] {
  const span = to - from;
  const most = Math.max(2, room);
  const hours = [1, 3, 6, 12].find((h) => span / (h * HOUR) <= most);
  if (span <= 3 * DAY && hours) {
    const out: Tick[] = [];
    for (let at = Math.ceil(from / HOUR) * HOUR; at <= to; at += HOUR) {
      const hour = Number(toClock(at, zone).slice(11, 13));
      if (hour % hours === 0) out.push({ at, kind: hour === 0 ? 'day' : 'hour' });
    }
    return out;
  }
  const days = [1, 2, 7, 14].find((d) => span / (d * DAY) <= most);
  const months = [1, 2, 3, 6, 12].find((m) => span / (m * 30.4 * DAY) <= most) ?? 12;
  const out: Tick[] = [];
  // Half a day on is the same date in every zone, whatever its clock did that night.
  let count = 0;
  for (let day = from; day <= to + DAY; day += DAY) {
    const date = toClock(day + DAY / 2, zone).slice(0, 10);
    const noon = Date.parse(`${date}T12:00Z`);
    const at = midnightOf(date, zone);
    if (at < from || at > to) continue;
    const since = Math.round(noon / DAY - 0.5);
    if (days !== undefined) {
      // Weeks begin on Mondays; the first day of 1970 was a Thursday.
      const fits = days < 7 ? count++ % days === 0 : (since + 3) % days === 0;
      if (fits) out.push({ at, kind: 'day' });
    } else if (date.endsWith('-01') && (Number(date.slice(5, 7)) - 1) % months === 0) {
      out.push({ at, kind: 'month' });
    }
  }
  return out;
}

function midnightOf(date: string, zone: string | undefined): number {
  const guess = Date.parse(`${date}T00:00Z`);
  const shown = Date.parse(`${toClock(guess, zone)}Z`);
  const at = guess - (shown - guess);
  const again = Date.parse(`${toClock(at, zone)}Z`);
  return at - (again - guess);
}
