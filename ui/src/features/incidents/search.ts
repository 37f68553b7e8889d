// What of the inbox stands in the address.
import { rankOf, SEVERITIES, type Severity } from './shape';

/** Which of them: to act on now, put off, waiting for proof, ended without one, over. */
export const TABS = ['inbox', 'snoozed', 'verifying', 'unproven', 'closed'] as const;
export type Tab = (typeof TABS)[number];

export type Mine = 'mine' | 'free';

export type IncidentsSearch = {
  tab?: Exclude<Tab, 'inbox'>;
  /** "S1,S2". */
  sev?: string;
  /** Families by comma. */
  about?: string;
  who?: Mine;
  q?: string;
};

export const FAMILIES = [
  'connectivity',
  'electrical',
  'starting',
  'stuck',
  'power',
  'metering',
  'clock',
  'firmware',
  'security',
  'protocol',
  'reported',
  'rule',
  'external',
  'recording',
  'occupied',
  'common',
] as const;
export type Family = (typeof FAMILIES)[number];

export const isFamily = (v: string): v is Family => (FAMILIES as readonly string[]).includes(v);

function listOf<T extends string>(v: unknown, of: readonly T[]): string | undefined {
  if (typeof v !== 'string') return undefined;
  const given = v.split(',');
  return of.filter((x) => given.includes(x)).join(',') || undefined;
}

export function parseIncidents(s: Record<string, unknown>): IncidentsSearch {
  const q = typeof s.q === 'number' ? String(s.q) : s.q;
  return {
    tab: TABS.find((x): x is Exclude<Tab, 'inbox'> => x !== 'inbox' && x === s.tab),
    sev: listOf(s.sev, SEVERITIES),
    about: listOf(s.about, FAMILIES),
    who: s.who === 'mine' || s.who === 'free' ? s.who : undefined,
    q: typeof q === 'string' && q.trim() !== '' ? q.slice(0, 100) : undefined,
  };
}

export const severitiesOf = (sev: string | undefined): Severity[] =>
  SEVERITIES.filter((s) => sev?.split(',').includes(s)).sort((a, b) => rankOf(a) - rankOf(b));
export const familiesOf = (about: string | undefined): Family[] => (about?.split(',') ?? []).filter(isFamily);
