// What of the figures stands in the address.
import { DAY } from '../../format/time';
import { SEVERITIES } from '../incidents/shape';

export const SPANS = { '7d': 7 * DAY, '30d': 30 * DAY, '90d': 90 * DAY, '365d': 365 * DAY } as const;
export type Span = keyof typeof SPANS;
export const SPAN_NAMES = Object.keys(SPANS) as Span[];
export const DEFAULT: Span = '30d';

export const GROUPS = ['kind', 'site', 'severity', 'station'] as const;
export type GroupBy = (typeof GROUPS)[number];

export type MeasuresSearch = {
  span?: Exclude<Span, typeof DEFAULT>;
  by?: Exclude<GroupBy, 'kind'>;
  /** "S1,S2". */
  sev?: string;
  kind?: string;
};

export function parseMeasures(s: Record<string, unknown>): MeasuresSearch {
  const severities = typeof s.sev === 'string' ? s.sev.split(',') : [];
  return {
    span: SPAN_NAMES.find((x): x is Exclude<Span, typeof DEFAULT> => x !== DEFAULT && x === s.span),
    by: GROUPS.find((x): x is Exclude<GroupBy, 'kind'> => x !== 'kind' && x === s.by),
    sev: SEVERITIES.filter((x) => severities.includes(x)).join(',') || undefined,
    kind: typeof s.kind === 'string' && s.kind !== '' ? s.kind.slice(0, 100) : undefined,
  };
}
