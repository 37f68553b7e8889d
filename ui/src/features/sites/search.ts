// What of the table of sites stands in the address.
export const SORTS = ['name', 'free', 'power', 'faulted', 'offline', 'sessions'] as const;
export type SortBy = (typeof SORTS)[number];

export type SitesSearch = { q?: string; sort?: Exclude<SortBy, 'name'> };

export function parseSites(s: Record<string, unknown>): SitesSearch {
  const q = typeof s.q === 'number' ? String(s.q) : s.q;
  return {
    q: typeof q === 'string' && q !== '' ? q.slice(0, 200) : undefined,
    sort: SORTS.find((x): x is Exclude<SortBy, 'name'> => x !== 'name' && x === s.sort),
  };
}
