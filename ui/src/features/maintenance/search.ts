export const TABS = ['board', 'inspect', 'scores'] as const;
export type Tab = (typeof TABS)[number];

export type MaintenanceSearch = {
  tab?: Exclude<Tab, 'board'> | undefined;
  /** The order that is open beside the board. */
  order?: string | undefined;
  /** The incident of which a new order is made. */
  incident?: string | undefined;
  /** The form of an order without incident. */
  create?: true | undefined;
  station?: string | undefined;
  mine?: 'mine' | 'all' | undefined;
};

const word = (v: unknown): string | undefined =>
  typeof v === 'string' && v !== '' ? v.slice(0, 64) : typeof v === 'number' ? String(v) : undefined;

export const parseMaintenance = (s: Record<string, unknown>): MaintenanceSearch => ({
  tab: s.tab === 'inspect' || s.tab === 'scores' ? s.tab : undefined,
  order: word(s.order),
  incident: word(s.incident),
  create: s.create === true ? true : undefined,
  station: word(s.station),
  mine: s.mine === 'mine' || s.mine === 'all' ? s.mine : undefined,
});
