// Two weeks of who is on call as pieces of a bar, on the clock of the schedule.
import { fromClock, toClock } from '../../format/zoned';
import type { Shift } from './queries';

export type Piece = {
  from: number;
  to: number;
  /** Parts of the week's width. */
  left: number;
  width: number;
  /** Null where nobody is on call. */
  name: string | null;
  override: boolean;
};

export type Week = { days: number[]; from: number; to: number; pieces: Piece[] };

/** The midnight that a day begins with there; days have 23 or 25 hours when the clock is changed. */
export function midnights(now: number, zone: string, days: number): number[] {
  const today = toClock(now, zone).slice(0, 10);
  const first = Date.parse(`${today}T00:00:00Z`);
  return Array.from({ length: days + 1 }, (_, n) =>
    fromClock(`${new Date(first + n * 86_400_000).toISOString().slice(0, 10)}T00:00`, zone),
  );
}

export function weeksOf(shifts: readonly Shift[], starts: readonly number[]): Week[] {
  const out: Week[] = [];
  for (let d = 0; d + 7 < starts.length; d += 7) {
    const from = starts[d]!;
    const to = starts[d + 7]!;
    const pieces: Piece[] = [];
    const put = (a: number, b: number, name: string | null, override: boolean) => {
      if (b > a)
        pieces.push({
          from: a,
          to: b,
          left: (a - from) / (to - from),
          width: (b - a) / (to - from),
          name,
          override,
        });
    };
    let at = from;
    for (const s of shifts) {
      const a = Math.max(Date.parse(s.from), from);
      const b = Math.min(Date.parse(s.to), to);
      if (b <= a) continue;
      put(at, a, null, false);
      put(a, b, s.member.name, s.override);
      at = b;
    }
    put(at, to, null, false);
    out.push({ days: starts.slice(d, d + 7), from, to, pieces });
  }
  return out;
}

/** Names in the order in which they come, so that each keeps its shade. */
export const namesOf = (weeks: readonly Week[]): string[] => [
  ...new Set(weeks.flatMap((w) => w.pieces.flatMap((p) => (p.name === null ? [] : [p.name])))),
];
