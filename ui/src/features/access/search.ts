export const TABS = ['people', 'policies', 'lockdowns', 'check'] as const;
export type Tab = (typeof TABS)[number];

export const STATES = ['active', 'suspended', 'over'] as const;
export type State = (typeof STATES)[number];

export type AccessSearch = {
  tab?: Tab;
  q?: string;
  group?: string;
  company?: string;
  state?: State;
  /** The person whose drawer is open. */
  person?: string;
  /** What is asked of the check: "p:ID" or "c:ID", a place, a time of day at its site. */
  who?: string;
  place?: string;
  at?: string;
};

const text = (v: unknown, most: number): string | undefined => {
  const s = typeof v === 'number' ? String(v) : v;
  return typeof s === 'string' && s !== '' ? s.slice(0, most) : undefined;
};

export const parseAccess = (s: Record<string, unknown>): AccessSearch => ({
  tab: TABS.find((t) => t === s.tab),
  q: text(s.q, 100),
  group: text(s.group, 64),
  company: text(s.company, 64),
  state: STATES.find((x) => x === s.state),
  person: text(s.person, 64),
  who: text(s.who, 70),
  place: text(s.place, 100),
  at: typeof s.at === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(s.at) ? s.at : undefined,
});
