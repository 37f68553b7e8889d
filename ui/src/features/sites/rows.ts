// The rows of the table of sites: what the server knows of a site, with the
// counts that the wall shows at this moment.
import type { Site } from '../../api/shapes';
import { inFamily, type Tally } from '../../live/tally';
import type { SitesSearch, SortBy } from './search';

export type SiteRow = {
  id: string;
  name: string;
  address: string;
  site: Site;
  total: number;
  free: number;
  faulted: number;
  offline: number;
  powerW: number;
  limitW: number;
  /** 0 to 1 and beyond; null without a limit. */
  load: number | null;
  sessions: number;
  notices: number;
};

export function siteRow(site: Site, tally: Tally | undefined, now: number): SiteRow {
  const powerW = tally ? tally.powerW : site.powerW;
  return {
    id: site.id,
    name: site.name || site.id,
    address: site.address,
    site,
    total: tally?.total ?? site.ports.total,
    free: tally?.free ?? site.ports.free,
    faulted: tally ? inFamily(tally, 'faulted') : site.ports.faulted,
    offline: tally ? inFamily(tally, 'offline') : site.ports.offline,
    powerW,
    limitW: site.gridLimitW,
    load: site.gridLimitW > 0 ? powerW / site.gridLimitW : null,
    sessions: site.sessions,
    notices: site.notices.filter((n) => !n.until || Date.parse(n.until) > now).length,
  };
}

const by: Record<SortBy, (a: SiteRow, b: SiteRow) => number> = {
  name: () => 0,
  // The share that is free: three of three is better off than five of twenty.
  free: (a, b) => (a.total ? a.free / a.total : 2) - (b.total ? b.free / b.total : 2),
  power: (a, b) => b.powerW - a.powerW,
  faulted: (a, b) => b.faulted - a.faulted,
  offline: (a, b) => b.offline - a.offline,
  sessions: (a, b) => b.sessions - a.sessions,
};

export function selectSites(rows: SiteRow[], search: SitesSearch, only: string | undefined): SiteRow[] {
  const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return rows
    .filter((r) => only === undefined || r.id === only)
    .filter((r) => {
      const text = `${r.name}\n${r.address}\n${r.id}`.toLowerCase();
      return words.every((w) => text.includes(w));
    })
    .sort((a, b) => by[search.sort ?? 'name'](a, b) || a.name.localeCompare(b.name));
}
