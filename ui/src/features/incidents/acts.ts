// What people do about incidents, and how each act is taken back.
import type { IncidentAct } from '../../api/shapes';
import { claimed, type Incident, rankOf, SEVERITIES, type Severity } from './shape';

export const ACTS = [
  'claim',
  'release',
  'acknowledge',
  'assign',
  'note',
  'snooze',
  'escalate',
  'dispatch',
  'verdict',
  'merge',
  'close',
  'reopen',
  'classify',
] as const;
export type Act = (typeof ACTS)[number];

/** Acts of one key on a row or on the page of an incident. */
export const KEYS = {
  a: 'acknowledge',
  c: 'claim',
  s: 'snooze',
  e: 'escalate',
  n: 'note',
  d: 'dispatch',
  v: 'verdict',
} as const satisfies Record<string, Act>;

/** Whether it makes sense to offer the act; the server decides. */
export function offers(act: Act, i: Incident, now: number, me: string): boolean {
  if (i.state === 'closed') return act === 'note' || act === 'verdict' || (act === 'reopen' && !i.mergedInto);
  switch (act) {
    case 'reopen':
      return false;
    case 'claim':
      return !(claimed(i, now) && i.claimedBy === me);
    case 'release':
      return claimed(i, now) && i.claimedBy === me;
    case 'escalate':
      return i.severity !== 'S1';
    case 'snooze':
      return !i.safety;
    case 'merge':
      return !i.safety && i.childrenCount === 0;
  }
  return true;
}

/** Whether something has to be said first; the others are done at the press of the key. */
export function asks(act: Act, list: readonly Incident[], now: number, me: string): boolean {
  if (act === 'release') return false;
  if (act === 'claim') return list.some((i) => claimed(i, now) && i.claimedBy !== me);
  return true;
}

export const higher = (i: Pick<Incident, 'severity'>): Severity[] =>
  SEVERITIES.filter((s) => rankOf(s) < rankOf(i.severity)).reverse();

/** What undoes an act, from how the incident was before; null where nothing does. */
export function inverse(act: Act, before: Incident): { act: Act; body: IncidentAct } | null {
  switch (act) {
    case 'claim':
      return before.claimedBy === null ? { act: 'release', body: {} } : null;
    case 'release':
      return { act: 'claim', body: before.claimedUntil ? { until: before.claimedUntil } : {} };
    case 'assign':
      return { act: 'assign', body: before.assignee ? { assignee: before.assignee } : {} };
    case 'dispatch':
      return { act: 'dispatch', body: { response: before.response as NonNullable<IncidentAct['response']> } };
    case 'verdict':
      return before.verdict
        ? { act: 'verdict', body: { verdict: before.verdict as NonNullable<IncidentAct['verdict']> } }
        : null;
    case 'close':
      return before.mergedInto === null ? { act: 'reopen', body: {} } : null;
  }
  return null;
}
