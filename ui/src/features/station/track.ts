// What a timeline shows, apart from how it is drawn: bands of states, marks, and
// the ticks of the axis in the zone of the site.
import type { PastFault, StateInterval } from '../../api/shapes';
import { DAY, HOUR, MINUTE } from '../../format/time';
import { type Family, familyOf, type Status } from '../../live/status';

/** The families of states, and the time in which this server did not run. */
export type Shown = Family | 'unseen';

export type Band = { from: number; to: number; family: Shown; status: Status | null; late: boolean };

type Told = Pick<StateInterval, 'from' | 'to' | 'status' | 'online' | 'observed' | 'late'>;

export function shownOf(i: Pick<Told, 'status' | 'online' | 'observed' | 'late'>): Shown {
  // What was told later is known, whoever was away.
  if (!i.late && !i.observed) return 'unseen';
  if (!i.late && i.online === false) return 'offline';
  return familyOf(i.status as Status, true);
}

/** The present is known better than any answer of some seconds ago. */
export type Present = { status: Status; online: boolean; since: number };

export function bandsOf(told: readonly Told[], present?: Present & { now: number }): Band[] {
  const bands: Band[] = told.map((i) => ({
    from: Date.parse(i.from),
    to: Date.parse(i.to),
    family: shownOf(i),
    status: i.status as Status,
    late: i.late,
  }));
  const last = bands.at(-1);
  if (!present || !last || present.now <= last.from) return bands;
  const family = familyOf(present.status, present.online);
  if (last.family === family && last.status === present.status) {
    last.to = Math.max(last.to, present.now);
    return bands;
  }
  const cut = Math.min(Math.max(present.since || last.to, last.from), present.now);
  last.to = cut;
  if (last.to <= last.from) bands.pop();
  if (cut < present.now)
    bands.push({ from: cut, to: present.now, family, status: present.status, late: false });
  return bands;
}

/** The band of a moment; bands are in order of time. */
export function bandAt<T extends { from: number; to: number }>(
  bands: readonly T[],
  at: number,
): T | undefined {
  let low = 0;
  let high = bands.length - 1;
  while (low <= high) {
    const mid = (low + high) >> 1;
    const b = bands[mid]!;
    if (at < b.from) high = mid - 1;
    else if (at >= b.to) low = mid + 1;
    else return b;
  }
  return undefined;
}

/** The index of the value nearest to a moment, no further away than a reach; -1 if there is none. */
export function nearest(times: readonly number[], at: number, reach: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (times[mid]! < at) low = mid + 1;
    else high = mid;
  }
  let best = -1;
  for (const i of [low - 1, low]) {
    if (i < 0 || i >= times.length || Math.abs(times[i]! - at) > reach) continue;
    if (best < 0 || Math.abs(times[i]! - at) < Math.abs(times[best]! - at)) best = i;
  }
  return best;
}

export const faultSpan = (f: Pick<PastFault, 'at' | 'clearedAt'>, end: number) => ({
  from: Date.parse(f.at),
  to: f.clearedAt ? Date.parse(f.clearedAt) : end,
});

const STEPS = [
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
  365 * DAY,
];

/** How far the clock of a zone is ahead of UTC at a moment. */
export function zoneOffset(at: number, zone: string | undefined): number {
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(at);
    const n = (type: string) => Number(parts.find((p) => p.type === type)?.value);
    const wall = Date.UTC(n('year'), n('month') - 1, n('day'), n('hour'), n('minute'), n('second'));
    return wall - Math.floor(at / 1000) * 1000;
  } catch {
    return 0;
  }
}

/** At most `most` ticks at round times of the zone's clock, days at its midnight. */
export function ticksOf(
  from: number,
  to: number,
  zone: string | undefined,
  most = 5,
): { at: number[]; step: number } {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? STEPS.at(-1)!;
  const at: number[] = [];
  const first = Math.floor((from + zoneOffset(from, zone)) / step) * step;
  for (let wall = first; ; wall += step) {
    // Twice, because the guess may lie on the other side of a change of the clock.
    let x = wall - zoneOffset(wall, zone);
    x = wall - zoneOffset(x, zone);
    if (x > to) break;
    if (x >= from) at.push(x);
  }
  return { at, step };
}

/** Steps of a series that give some hundred values over a stretch, round enough to be asked for again. */
export function seriesStep(ms: number): number {
  const want = ms / 1000 / 400;
  return (
    [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200].find((s) => s >= want) ??
    86_400
  );
}

/** Up to a week each change is shown; beyond, what a thousandth of the stretch held. */
export const stateStep = (ms: number): number => (ms <= 7 * DAY ? 0 : Math.ceil(ms / 1000 / 1000));
