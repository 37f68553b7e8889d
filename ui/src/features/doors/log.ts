// The log of doors: what fits what is asked, what is new, which words a reason has.
import type { AccessEvent, SystemEvent } from '../../api/shapes';
import type { MessageKey } from '../../i18n/i18n';

export type Asked = {
  site: string | undefined;
  door: string | undefined;
  decision: 'allow' | 'deny' | undefined;
};

export type LogPage = { items: AccessEvent[]; nextCursor: string };

export const fits = (e: Pick<AccessEvent, 'siteId' | 'doorId' | 'decision'>, a: Asked): boolean =>
  (a.site === undefined || e.siteId === a.site) &&
  (a.door === undefined || e.doorId === a.door) &&
  (a.decision === undefined || e.decision === a.decision);

/** Beyond so many the list begins anew with the newest. */
export const MOST = 300;

/** The pages with what is new before them, each event once, in the order it was heard of. */
export function withNews(pages: readonly LogPage[], news: readonly AccessEvent[]): LogPage[] {
  const [first, ...more] = pages;
  if (!first) return [...pages];
  const known = new Set(pages.flatMap((p) => p.items.map((e) => e.seq)));
  const fresh = news.filter((e, i) => !known.has(e.seq) && news.findIndex((x) => x.seq === e.seq) === i);
  return [{ ...first, items: [...fresh, ...first.items].sort((a, b) => b.seq - a.seq) }, ...more];
}

const CODES = new Set([
  'allowed',
  'swiped',
  'unknown',
  'unknownCard',
  'blocked',
  'expired',
  'notYet',
  'notValid',
  'inUse',
  'suspended',
  'noRight',
  'noPrivilege',
  'outsideHours',
  'holiday',
  'notInForce',
  'needsPin',
  'wrongPin',
  'lockdown',
  'lockedDown',
  'forbidden',
  'policyFault',
  'unknownPlace',
  'antiPassback',
  'moreCards',
  'firstCard',
  'interlock',
  'byServer',
  'late',
  'waits',
  'nameless',
  'tooMany',
  'button',
  'buttonRefused',
  'superPassword',
  'remoteOpen',
  'duress',
  'other',
]);

/** The sentence for a reason that is known as a code; null for others. */
export const codeKey = (code: string): MessageKey | null =>
  CODES.has(code) ? `doors.code.${code as 'allowed'}` : null;

const METHODS = new Set(['card', 'pin', 'button', 'remote', 'plate', 'pass']);
export const methodKey = (method: string): MessageKey | null =>
  METHODS.has(method) ? `doors.method.${method as 'card'}` : null;

/** Later than this it is said that an event was told late. */
const LATE = 60_000;
export const lateBy = (e: Pick<AccessEvent, 'at' | 'receivedAt'>): number => {
  const ms = Date.parse(e.receivedAt) - Date.parse(e.at);
  return ms > LATE ? ms : 0;
};

export type Alarm = { door: string; alarm: string; at: number };
const ALARMS = ['duress', 'fire', 'emergency', 'tamper'] as const;
export const alarmKey = (alarm: string): MessageKey =>
  `doors.alarm.${(ALARMS as readonly string[]).includes(alarm) ? (alarm as (typeof ALARMS)[number]) : 'emergency'}`;

/** What still calls, oldest call first, out of what was told, newest first. */
export function calling(told: readonly Pick<SystemEvent, 'at' | 'subject' | 'data'>[]): Alarm[] {
  const seen = new Set<string>();
  const out: Alarm[] = [];
  for (const e of told) {
    const door = e.subject.replace(/^door\//, '');
    const alarm = String(e.data.alarm ?? '');
    const key = `${door} ${alarm}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (e.data.active === true) out.push({ door, alarm, at: Date.parse(e.at) });
  }
  return out.reverse();
}
