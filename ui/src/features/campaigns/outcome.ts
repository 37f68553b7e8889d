// What became of stations, in the order in which it is told.
import type { MessageKey, Translate } from '../../i18n/i18n';
import type { Campaign, Counts, Outcome, StationResult, Why } from './queries';

export const OUTCOMES = ['done', 'failed', 'unknown', 'skipped', 'working', 'waiting', 'pending'] as const;

const CODES = new Set([
  'offline',
  'inSession',
  'busy',
  'timeout',
  'connectionLost',
  'restart',
  'stopped',
  'outsideWindow',
  'notSupported',
  'notPermitted',
  'notAccepted',
  'notFound',
  'neverConnected',
  'relayed',
  'answered',
  'notSent',
  'already',
  'noListener',
  'noRoot',
  'noCertificate',
  'fellBack',
  'missing',
  'set',
  'partly',
  'atRestart',
  'refused',
  'readOnly',
  'unanswered',
  'unreadable',
  'budget',
  'restartFailed',
  'noProfile',
  'noPassword',
  'done',
  'kept',
  'rejected',
  'unfit',
  'abandoned',
  'updated',
  'upToDate',
  'otherModel',
  'imageGone',
  'noAddress',
  'notReady',
  'timedOut',
  'claimedNotUpdated',
  'cancelled',
  'failed',
]);

/** A word that the server counts by; one of the protocol stays as it is. */
export const codeText = (t: Translate, code: string): string =>
  CODES.has(code) ? t(`campaigns.code.${code}` as MessageKey) : code;

const KINDS = new Set([
  'command',
  'configure',
  'password',
  'certificate',
  'securityProfile',
  'root',
  'firmware',
]);

export const kindText = (t: Translate, kind: string): string =>
  t(`campaigns.kind.${KINDS.has(kind) ? kind : 'other'}` as MessageKey);

/** What a campaign is called: by somebody, or after what it does. */
export function nameOf(t: Translate, c: Campaign): string {
  if (c.name !== '') return c.name;
  const action = (c.plan.params as { action?: unknown } | undefined)?.action;
  return typeof action === 'string' && action !== ''
    ? `${kindText(t, c.kind)}: ${action}`
    : kindText(t, c.kind);
}

export const count = (c: Counts, o: Outcome): number => c[o];

/** How many stations are accounted for. */
export const settledCount = (c: Counts): number => c.done + c.failed + c.unknown + c.skipped;

export function whyText(t: Translate, why: Why, name: string | undefined): string {
  if (why.code === 'person')
    return name ? t('campaigns.why.personName', { name }) : t('campaigns.why.person');
  const result = why.result ?? '';
  return t(`campaigns.why.${why.code}`, {
    station: why.station ?? '',
    result: result === 'faulted' ? t('campaigns.why.faulted') : codeText(t, result),
    failed: why.failed ?? 0,
    of: why.of ?? 0,
  });
}

/** What is said beside an outcome: the station's own sentence, or the word. */
export function saidOf(t: Translate, x: StationResult): string {
  const word = codeText(t, x.code);
  return x.text === '' || word !== x.code ? word : `${word}: ${x.text}`;
}

export const minutesText = (t: Translate, seconds: number): string => {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 120
    ? t('campaigns.minutes', { n: minutes })
    : t('campaigns.hours', { n: Math.round(minutes / 6) / 10 });
};
