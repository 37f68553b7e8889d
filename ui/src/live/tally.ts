// The ports of each site counted, from the same table that the wall paints, so
// that no two figures on a screen disagree.
import { useMemo } from 'react';
import { useFlush, useLive } from './hooks';
import { FAMILIES, type Family } from './status';
import type { PortStore } from './store';

export type Tally = {
  total: number;
  free: number;
  powerW: number;
  /** By index in FAMILIES. */
  counts: Int32Array;
};

const INDEX = Object.fromEntries(FAMILIES.map((f, i) => [f, i])) as Record<Family, number>;

export const inFamily = (t: Tally, f: Family): number => t.counts[INDEX[f]]!;

export const noTally = (): Tally => ({
  total: 0,
  free: 0,
  powerW: 0,
  counts: new Int32Array(FAMILIES.length),
});

/** All sites with a port, by id; '' is no site. */
export function tallySites(store: PortStore): Map<string, Tally> {
  const { sites, site, free, online, powerW } = store.columns;
  const bySlot: (Tally | undefined)[] = new Array(sites.length);
  for (let i = 0; i < store.size; i++) {
    let t = bySlot[site[i]!];
    if (!t) {
      t = noTally();
      bySlot[site[i]!] = t;
    }
    t.total++;
    t.free += free[i]!;
    t.counts[store.family[i]!]!++;
    if (online[i] === 1 && powerW[i]! > 0) t.powerW += powerW[i]!;
  }
  return new Map(bySlot.flatMap((t, k) => (t ? [[sites[k]!, t] as const] : [])));
}

const OF_NO_REVISION = -1;
let last = { store: null as PortStore | null, revision: OF_NO_REVISION, tallies: new Map<string, Tally>() };

/** The tallies, at most once per interval; empty until the table is whole. */
export function useTallies(intervalMs = 1000): Map<string, Tally> {
  const { store } = useLive();
  const tick = useFlush(intervalMs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tick says that values in the store changed
  return useMemo(() => {
    if (!store.ready) return new Map();
    if (last.store !== store || last.revision !== store.revision)
      last = { store, revision: store.revision, tallies: tallySites(store) };
    return last.tallies;
  }, [store, store.ready, tick]);
}

/** The whole network, or one site. */
export function useTally(site: string | undefined, intervalMs = 500): Tally | undefined {
  const { store } = useLive();
  const tick = useFlush(intervalMs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tick says that values in the store changed
  return useMemo(() => {
    if (!store.ready) return undefined;
    if (site !== undefined) return tallySites(store).get(site) ?? noTally();
    return { total: store.size, free: store.freeCount, powerW: 0, counts: store.counts.slice() };
  }, [store, store.ready, site, tick]);
}
