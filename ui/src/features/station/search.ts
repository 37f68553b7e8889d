// What the address says of a station's page.
export const stationTabs = [
  'messages',
  'commands',
  'configuration',
  'firmware',
  'monitors',
  'notes',
  'conformance',
] as const;
export type StationTab = (typeof stationTabs)[number];

export type StationSearch = {
  tab?: StationTab;
  port?: number;
  /** The command the form begins with: a kind of it, "power" or "firmware". */
  prepare?: string;
  /** The station whose settings are held against these. */
  compare?: string;
};

export const parseStation = (s: Record<string, unknown>): StationSearch => ({
  tab: stationTabs.find((t) => t === s.tab),
  port: typeof s.port === 'number' && Number.isInteger(s.port) ? s.port : undefined,
  prepare: typeof s.prepare === 'string' ? s.prepare.slice(0, 20) : undefined,
  compare: typeof s.compare === 'string' ? s.compare.slice(0, 48) : undefined,
});
