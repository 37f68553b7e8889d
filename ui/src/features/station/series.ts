// Data of the curve. Missing time stays missing: a gap is drawn as a gap and
// never bridged, because "no value" is not "no power".
import type { Telemetry } from '../../api/shapes';

export type Line = { at: number[]; value: (number | null)[] };
export type LivePoint = { at: number; value: number | null };

// Nobody samples less often than each quarter of an hour and means one line by it.
const LONGEST = 1000;

/**
 * Puts a null where values are missing. Stations sample each 30 s or each 5 min
 * and change their mind, so a wait counts as a gap when it is much longer than
 * the waits beside it.
 */
export function withGaps(points: readonly [number, number][], stepSeconds: number): Line {
  const line: Line = { at: [], value: [] };
  const wait = (i: number): number => (i > 0 && i < points.length ? points[i]![0] - points[i - 1]![0] : 0);
  points.forEach(([at, value], i) => {
    const usual = Math.max(stepSeconds, 60, i > 1 ? wait(i - 1) : 0, wait(i + 1));
    if (i > 0 && wait(i) > Math.min(2.5 * usual, Math.max(LONGEST, 1.5 * stepSeconds))) {
      line.at.push(at - wait(i) + stepSeconds);
      line.value.push(null);
    }
    line.at.push(at);
    line.value.push(value);
  });
  return line;
}

/** The least and the most of each step, where steps hold more than one value. */
export function envelope(history: Telemetry | undefined, scale: number): { low: Line; high: Line } | null {
  const low: [number, number][] = [];
  const high: [number, number][] = [];
  let differs = false;
  for (const [iso, min, , max] of history?.points ?? []) {
    const at = Date.parse(String(iso)) / 1000;
    if (!Number.isFinite(at) || typeof min !== 'number' || typeof max !== 'number') continue;
    differs ||= max > min;
    low.push([at, min * scale]);
    high.push([at, max * scale]);
  }
  if (!differs) return null;
  const step = history?.stepSeconds ?? 60;
  return { low: withGaps(low, step), high: withGaps(high, step) };
}

/** History from the server, then what came over the feed since. */
export function seriesOf(history: Telemetry | undefined, live: readonly LivePoint[], scale: number): Line {
  const points: [number, number][] = [];
  for (const [iso, , mean] of history?.points ?? []) {
    const at = Date.parse(String(iso)) / 1000;
    if (Number.isFinite(at) && typeof mean === 'number') points.push([at, mean * scale]);
  }
  points.sort((a, b) => a[0] - b[0]);
  const step = history?.stepSeconds ?? 60;
  const known = points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  const tail = live.filter((p) => p.at > known);
  const line = withGaps(
    [
      ...points,
      ...tail.filter((p) => p.value !== null).map((p): [number, number] => [p.at, p.value! * scale]),
    ],
    step,
  );
  // A value that ceased ends the line where it ceased.
  for (const p of tail) {
    if (p.value !== null) continue;
    const i = line.at.findIndex((at) => at >= p.at);
    if (i < 0) {
      line.at.push(p.at);
      line.value.push(null);
    } else if (line.at[i] === p.at) line.value[i] = null;
    else {
      line.at.splice(i, 0, p.at);
      line.value.splice(i, 0, null);
    }
  }
  return line;
}

/**
 * Joins lines on one time axis. Where a line has no point of its own the
 * library must not see a gap, so it gets undefined; a real gap stays null.
 */
export function joinLines(lines: readonly Line[]): [number[], ...(number | null | undefined)[][]] {
  const at = [...new Set(lines.flatMap((l) => l.at))].sort((a, b) => a - b);
  const columns = lines.map((l) => {
    const byTime = new Map(l.at.map((x, i) => [x, l.value[i]]));
    return at.map((x) => byTime.get(x));
  });
  return [at, ...columns];
}

/** Indexes of values that have a gap, or nothing, on both sides. */
export function lonelyPoints(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let before: number | null = null;
  let candidate = -1;
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (value === undefined) continue;
    if (value === null) {
      if (candidate >= 0) found.push(candidate);
      candidate = -1;
    } else {
      candidate = before === null ? i : -1;
    }
    before = value;
  }
  if (candidate >= 0) found.push(candidate);
  return found;
}
