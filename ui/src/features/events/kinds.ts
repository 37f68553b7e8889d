// What the journal keeps, in the groups that people look for.
export const GROUPS = {
  states: ['status'],
  sessions: ['transaction', 'session.inferred'],
  cards: ['authorize', 'reservation'],
  connection: ['connected', 'disconnected', 'boot'],
  commands: ['command', 'commandResult'],
  device: ['component', 'report', 'firmware', 'log', 'dataTransfer', 'message'],
  security: ['security'],
  findings: ['finding', 'driver.report'],
  office: ['station.configured', 'station.removed', 'server.started', 'server.stopped'],
  meter: ['meter'],
} as const satisfies Record<string, readonly string[]>;

export type Group = keyof typeof GROUPS;

export const groups = Object.keys(GROUPS) as Group[];

export const groupOf = (kind: string): Group | undefined =>
  groups.find((g) => (GROUPS[g] as readonly string[]).includes(kind));

export type EventsSearch = {
  /** Groups, joined by commas. */
  kind?: string;
  /** As events carry it: station/ID or station/ID/EVSE. */
  subject?: string;
  follow?: 'off';
  /** Sequence of the event whose details are open. */
  open?: number;
};

export function parseGroups(v: unknown): Group[] {
  if (typeof v !== 'string') return [];
  const wanted = new Set(v.split(','));
  return groups.filter((g) => wanted.has(g));
}

export function parseEvents(s: Record<string, unknown>): EventsSearch {
  const open = Number(s.open);
  return {
    kind: parseGroups(s.kind).join(',') || undefined,
    subject:
      typeof s.subject === 'string' && /^[a-z]+\/.+/.test(s.subject) ? s.subject.slice(0, 100) : undefined,
    follow: s.follow === 'off' ? 'off' : undefined,
    open: Number.isSafeInteger(open) && open > 0 ? open : undefined,
  };
}

export const kindsOf = (chosen: readonly Group[]): string[] => chosen.flatMap((g) => [...GROUPS[g]]);

/** The station and port an event is about; null when it is of something else. */
export function subjectPort(subject: string): { station: string; evse: number } | null {
  const [type, station, evse] = subject.split('/');
  return type === 'station' && station ? { station, evse: Number(evse) || 0 } : null;
}

/** Whether an event that came over the feed belongs to what is shown. */
export function belongs(
  e: { kind: string; subject: string; at: string },
  ask: { chosen: readonly Group[]; subject?: string; site?: string; from: number },
  siteOf: (station: string) => string | undefined,
): boolean {
  const port = subjectPort(e.subject);
  const g = groupOf(e.kind);
  if (ask.chosen.length > 0 ? !g || !ask.chosen.includes(g) : g === 'meter') return false;
  if (ask.subject && e.subject !== ask.subject && !e.subject.startsWith(`${ask.subject}/`)) return false;
  if (
    ask.site !== undefined &&
    e.subject !== `site/${ask.site}` &&
    (!port || siteOf(port.station) !== ask.site)
  )
    return false;
  return Date.parse(e.at) >= ask.from;
}
