// What of the playbooks stands in the address.
export const TABS = ['list', 'work'] as const;
export type Tab = (typeof TABS)[number];

export type PlaybooksSearch = {
  tab?: 'work';
  /** The id of the one that is changed; "new" for one that is written. */
  edit?: string;
  /** The id of the one whose copy is changed. */
  copy?: string;
  /** The id of the one that is previewed, and where. */
  try?: string;
  station?: string;
  evse?: number;
  incident?: string;
  /** Previewed as if the incident had started it. */
  alone?: 1;
};

const text = (v: unknown, most: number): string | undefined => {
  const s = typeof v === 'number' ? String(v) : v;
  return typeof s === 'string' && s !== '' ? s.slice(0, most) : undefined;
};

export function parsePlaybooks(s: Record<string, unknown>): PlaybooksSearch {
  const evse = Number(s.evse);
  return {
    tab: s.tab === 'work' ? 'work' : undefined,
    edit: text(s.edit, 64),
    copy: text(s.copy, 64),
    try: text(s.try, 64),
    station: text(s.station, 48),
    evse: Number.isInteger(evse) && evse > 0 ? evse : undefined,
    incident: text(s.incident, 64),
    alone: Number(s.alone) === 1 ? 1 : undefined,
  };
}
