// From what ports did in each step of time to the bars of a chart: shares of the
// time of all ports, and steps joined where there are more than bars have room.
import { DAY, HOUR, MINUTE } from '../../format/time';
import { DOINGS, type Doing } from './layers';
import type { Measure } from './search';
import type { Point } from './shapes';
import type { Bin } from './timeline';

export type Step = '15m' | '1h' | '1d';
const STEPS: Record<Step, number> = { '15m': 15 * MINUTE, '1h': HOUR, '1d': DAY };

/** The finest step that a stretch has room for. */
export const stepFor = (span: number): Step => (span <= 2 * DAY ? '15m' : span <= 15 * DAY ? '1h' : '1d');

const SECONDS: Record<Doing, keyof Point> = {
  charging: 'chargingSeconds',
  idle: 'idleSeconds',
  blocked: 'blockedSeconds',
  reserved: 'reservedSeconds',
  faulted: 'faultedSeconds',
  unavailable: 'unavailableSeconds',
  unobserved: 'unobservedSeconds',
};

export type Stretch = { from: number; to: number; points: Point[] };

/** Points that belong together: weeks where there are more days than bars. */
export function joined(points: readonly Point[], step: Step, end: number): Stretch[] {
  const size = step === '1d' && points.length > 400 ? 7 : 1;
  const out: Stretch[] = [];
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size);
    const from = Date.parse(part[0]!.at);
    const last = Date.parse(part.at(-1)!.at);
    const next = points[i + size];
    // The next one says where this ends, unless there is a hole.
    const rough = last + STEPS[step];
    const to = next && Math.abs(Date.parse(next.at) - rough) <= 2 * HOUR ? Date.parse(next.at) : rough;
    out.push({ from, to: Math.min(to, Math.max(end, from + MINUTE)), points: part });
  }
  return out;
}

const total = (points: readonly Point[], key: keyof Point): number =>
  points.reduce((sum, p) => sum + (Number(p[key]) || 0), 0);

/** Time of all ports in these points, whatever they did. */
const time = (points: readonly Point[]): number =>
  total(points, 'freeSeconds') + DOINGS.reduce((sum, d) => sum + total(points, SECONDS[d]), 0);

/** The shares of the time of all ports, one for each of what ports do; null when there were none. */
export function sharesOf(points: readonly Point[]): number[] | null {
  const all = time(points);
  return all > 0 ? DOINGS.map((d) => total(points, SECONDS[d]) / all) : null;
}

/** One value of a measure for some points; null when nobody saw or nothing tells of it. */
export function measured(measure: Measure, s: Stretch): number | null {
  const { points } = s;
  const all = time(points);
  const unseen = total(points, 'unobservedSeconds');
  if (all <= 0 || all - unseen <= 0) return null;
  if (measure === 'energy')
    return points.every((p) => p.energyWh === null) ? null : total(points, 'energyWh');
  if (measure === 'starts') return total(points, 'starts');
  if (measure === 'allBusy') {
    const open = total(points, 'openSeconds');
    return open > 0 ? Math.min(1, total(points, 'allBusySeconds') / open) : null;
  }
  const operative =
    total(points, 'freeSeconds') + total(points, 'reservedSeconds') + total(points, 'occupiedSeconds');
  if (operative <= 0) return null;
  return total(points, measure === 'charging' ? 'chargingSeconds' : 'occupiedSeconds') / operative;
}

/** The bars of a chart. A share of the time of ports is drawn in layers, whatever else alone. */
export function binsOf(measure: Measure, stretches: readonly Stretch[], name: (s: Stretch) => string): Bin[] {
  return stretches.map((s) => {
    const base = { from: s.from, to: s.to, name: name(s) };
    if (measure === 'occupied') return { ...base, parts: sharesOf(s.points) };
    const value = measured(measure, s);
    return { ...base, parts: value === null ? null : [value] };
  });
}
