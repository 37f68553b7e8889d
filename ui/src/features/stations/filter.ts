// What the list shows, as it stands in the address bar: a filtered list can be
// sent to a colleague.

import { FAMILIES, type Family, isFamily } from '../../live/status';
import type { StationEntry } from '../../live/store';
import { columnsText, parseColumns } from './columns';

export type SortBy = 'id' | 'state' | 'power' | 'since';

export type StationSearch = {
  q?: string;
  /** The scope of all pages; see app/view.ts. */
  site?: string;
  /** Families, joined by commas. */
  state?: string;
  sort?: Exclude<SortBy, 'id'>;
  /** As people tagged it. */
  tag?: string;
  /** Columns, joined by commas; see columns.ts. */
  cols?: string;
  tab?: 'pending' | 'refused' | 'campaigns';
  /** The campaign that is shown. */
  campaign?: string;
};

const text = (v: unknown): string | undefined => {
  if (typeof v === 'number') return String(v);
  return typeof v === 'string' && v !== '' ? v.slice(0, 200) : undefined;
};

export function parseStates(v: unknown): Family[] {
  if (typeof v !== 'string') return [];
  const wanted = new Set(v.split(',').filter(isFamily));
  return FAMILIES.filter((f) => wanted.has(f));
}

export function parseFilter(s: Record<string, unknown>): StationSearch {
  return {
    q: text(s.q),
    state: parseStates(s.state).join(',') || undefined,
    sort: s.sort === 'state' || s.sort === 'power' || s.sort === 'since' ? s.sort : undefined,
    tag: text(s.tag)?.slice(0, 64),
    cols: columnsText(parseColumns(s.cols) ?? []),
    tab: s.tab === 'pending' || s.tab === 'refused' || s.tab === 'campaigns' ? s.tab : undefined,
    campaign: text(s.campaign)?.slice(0, 64),
  };
}

/** Every word of the query must occur in the id, name or site. */
export function matchesText(query: string, ...fields: string[]): boolean {
  const all = fields.join('\n').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** The best few for the search box: ids that begin with the query first. */
export function rankStations(
  stations: readonly StationEntry[],
  siteName: (id: string) => string,
  query: string,
  limit: number,
): StationEntry[] {
  const q = query.trim().toLowerCase();
  if (q === '') return [];
  const first: StationEntry[] = [];
  const rest: StationEntry[] = [];
  for (const s of stations) {
    if (s.id.toLowerCase().startsWith(q)) {
      first.push(s);
      if (first.length === limit) break;
    } else if (rest.length < limit && matchesText(q, s.id, s.label, siteName(s.site))) {
      rest.push(s);
    }
  }
  return [...first, ...rest].slice(0, limit);
}
