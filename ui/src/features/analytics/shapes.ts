// What the server answers about use. Shares are from 0 to 1, durations seconds,
// energies watt-hours; null is not known, which is not zero. The description of
// the API does not say of an object that it may be null; here it is said.
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
type MayBeNull<T, K extends keyof T> = Omit<T, K> & { [P in K]: T[P] | null };

/** How many days of ports wait to be counted. */
type Counting = { counting?: number };
export const waiting = (answer: object | undefined): number =>
  (answer as Counting | undefined)?.counting ?? 0;

export type Known = Schemas['IntervalShape'] | null;
export type Point = Schemas['OccupancyPointShape'];
export type Occupancy = MayBeNull<Schemas['OccupancyAnswer'], 'known'>;
export type HeatAnswer = MayBeNull<Schemas['HeatmapAnswer'], 'known'>;
export type Window = Schemas['PeakWindowShape'];
export type PeaksAnswer = MayBeNull<Schemas['PeaksAnswer'], 'known' | 'primeTime'>;
export type Spread = Schemas['SpreadShape'];

type Unsure = 'chargingTime' | 'dwell' | 'failed' | 'primeTime' | 'tokens';
export type Kpis = MayBeNull<Schemas['UsageFiguresShape'], Unsure>;
export type SiteKpis = MayBeNull<Schemas['SiteUsageShape'], Unsure>;
export type KpisAnswer = Omit<Schemas['UsageFiguresAnswer'], 'known' | 'all' | 'sites'> & {
  known: Known;
  all: Kpis;
  sites: SiteKpis[];
};

export type Up = Schemas['UptimeShape'];
export type UptimeAnswer = MayBeNull<Schemas['UptimeAnswer'], 'known'>;
