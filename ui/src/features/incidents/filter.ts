// Which incidents a list shows, and in which groups.
import { type Family, familiesOf, type IncidentsSearch, severitiesOf, type Tab } from './search';
import { type Incident, ownerOf, rankOf, SEVERITIES, type Severity, snoozed } from './shape';

export type Filter = {
  site: string | undefined;
  severities: readonly Severity[];
  families: readonly Family[];
  who: IncidentsSearch['who'];
  /** Words that all have to be there, in lower case. */
  words: readonly string[];
  me: string;
};

export function filterOf(s: IncidentsSearch, site: string | undefined, me: string): Filter {
  return {
    site,
    severities: severitiesOf(s.sev),
    families: familiesOf(s.about),
    who: s.who,
    words: (s.q ?? '').toLowerCase().split(/\s+/).filter(Boolean),
    me,
  };
}

/** Under which tab one that is not over stands. */
export function tabOf(i: Incident, now: number): Tab {
  if (i.state === 'closed') return i.closeReason === 'notProven' ? 'unproven' : 'closed';
  if (i.state === 'verifying') return 'verifying';
  return snoozed(i, now) ? 'snoozed' : 'inbox';
}

const textOf = (i: Incident): string =>
  [
    i.title,
    i.cause,
    i.kind,
    i.siteName,
    i.siteId,
    i.station,
    i.stationLabel,
    i.id,
    ...Object.values(i.labels),
    ...Object.values(i.people),
  ]
    .join('\n')
    .toLowerCase();

export function passes(i: Incident, f: Filter, now: number): boolean {
  if (f.site !== undefined && i.siteId !== f.site) return false;
  if (f.severities.length > 0 && !f.severities.includes(i.severity as Severity)) return false;
  if (f.families.length > 0 && !f.families.includes(i.family as Family)) return false;
  if (f.who === 'mine' && ownerOf(i, now) !== f.me) return false;
  if (f.who === 'free' && ownerOf(i, now) !== null) return false;
  if (f.words.length > 0) {
    const text = textOf(i);
    if (!f.words.every((w) => text.includes(w))) return false;
  }
  return true;
}

export type Counts = Record<'inbox' | 'snoozed' | 'verifying', number> & { bySeverity: number[] };

/** What each tab holds at a site, and the inbox by severity. */
export function countsOf(rows: readonly Incident[], site: string | undefined, now: number): Counts {
  const counts: Counts = { inbox: 0, snoozed: 0, verifying: 0, bySeverity: SEVERITIES.map(() => 0) };
  for (const i of rows) {
    if (site !== undefined && i.siteId !== site) continue;
    const tab = tabOf(i, now);
    if (tab === 'closed' || tab === 'unproven') continue;
    counts[tab]++;
    const rank = rankOf(i.severity);
    if (tab === 'inbox' && rank < SEVERITIES.length) counts.bySeverity[rank]!++;
  }
  return counts;
}

export type Line = { group: Severity; n: number } | { incident: Incident };

/** Rows in order with a heading before each severity. */
export function grouped(rows: readonly Incident[]): Line[] {
  const counts = new Map<string, number>();
  for (const i of rows) counts.set(i.severity, (counts.get(i.severity) ?? 0) + 1);
  const out: Line[] = [];
  let last = '';
  for (const incident of rows) {
    if (incident.severity !== last) {
      last = incident.severity;
      out.push({ group: incident.severity as Severity, n: counts.get(incident.severity)! });
    }
    out.push({ incident });
  }
  return out;
}

/**
 * The rows as they lay when the list was taken hold of, with what is known of them
 * now; and how many came that are not among them. What is over stays until the
 * list is let go.
 */
export function heldRows(
  held: readonly Incident[],
  fresh: readonly Incident[],
  known: (id: string) => Incident | undefined,
): { rows: Incident[]; came: number; moved: boolean } {
  const ids = new Set(held.map((i) => i.id));
  let came = 0;
  for (const i of fresh) if (!ids.has(i.id)) came++;
  const rows = held.map((i) => known(i.id) ?? { ...i, state: 'closed' });
  return { rows, came, moved: rows.some((r, k) => r.severity !== held[k]!.severity) };
}
