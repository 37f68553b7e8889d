// Playbooks in words: what starts one, what it does, what holds it back. What
// has no words here is told in those of the server.
import type { Translate } from '../../i18n/i18n';
import { detectorText } from '../detectors/name';
import type { Limits, Playbook, Step, When } from './queries';

/** Every guard-rail that can refuse, as the server names it. */
export const REASONS = [
  'killSwitch',
  'securityIncident',
  'safetyCode',
  'cableSuspected',
  'sessionRunning',
  'driverArriving',
  'stationOffline',
  'notAccepted',
  'queueDraining',
  'stateNotConfirmed',
  'cableMayBePlugged',
  'whichConnector',
  'noSuchPort',
  'alreadyOutOfService',
  'budgetSoftReset',
  'budgetHardReset',
  'budgetDay',
  'budgetPort',
  'coolDown',
  'siteLimit',
  'fleetLimit',
  'anotherPlaybook',
  'largerCause',
  'notBackInTime',
  'noAnswer',
  'notSent',
  'noSuchPlaybook',
  'incidentNotOpen',
  'waitedTooLong',
] as const;

export const STEPS = [
  'trigger',
  'availabilityCycle',
  'softReset',
  'hardReset',
  'unlock',
  'disable',
  'wait',
] as const;
export type StepKind = (typeof STEPS)[number];

export const MESSAGES = ['StatusNotification', 'MeterValues', 'Heartbeat', 'BootNotification'] as const;
export const SEVERITIES = ['S1', 'S2', 'S3', 'S4'] as const;
export const OUTCOMES = ['sent', 'dryRun', 'refused', 'offered'] as const;
export const OWED_STATES = ['asked', 'out', 'returning', 'scheduled'] as const;

/** Those that are part of the product and told in the reader's language. */
export const BUILT_IN = [
  'stale-status',
  'stuck-state',
  'fault',
  'start-failures',
  'failed-next-door',
  'lock',
  'safety',
  'cable',
  'out-of-service',
  'soft-restart',
  'hard-restart',
] as const;

/** What holds where a playbook says nothing. */
export const DEFAULTS = { coolDownMinutes: 30, waitMinutes: 60, perDay: 3, fleetPercent: 5 } as const;
export const CYCLE_SECONDS = 15;

export function reasonText(t: Translate, reason: string): string {
  const known = REASONS.find((r) => r === reason);
  return known ? t(`playbooks.reason.${known}`) : reason;
}

export function doText(t: Translate, what: string): string {
  const known = [...STEPS, 'operative' as const].find((d) => d === what);
  return known ? t(`playbooks.do.${known}`) : what;
}

const shipped = (p: Pick<Playbook, 'id' | 'builtIn' | 'changed'>) =>
  p.builtIn && !p.changed ? BUILT_IN.find((id) => id === p.id) : undefined;

export function nameText(t: Translate, p: Pick<Playbook, 'id' | 'name' | 'builtIn' | 'changed'>): string {
  const own = shipped(p);
  return own ? t(`playbooks.b.${own}.name`) : p.name;
}

export function docText(
  t: Translate,
  p: Pick<Playbook, 'id' | 'builtIn' | 'changed'> & { doc?: string | undefined },
): string {
  const own = shipped(p);
  return own ? t(`playbooks.b.${own}.doc`) : (p.doc ?? '');
}

/** "90 s", "5 min", "1 h": in the largest unit that is whole. */
export function spanText(t: Translate, tag: string, seconds: number): string {
  const number = new Intl.NumberFormat(tag);
  if (seconds >= 3600 && seconds % 3600 === 0)
    return t('playbooks.span.h', { n: number.format(seconds / 3600) });
  if (seconds >= 60 && seconds % 60 === 0) return t('playbooks.span.min', { n: number.format(seconds / 60) });
  return t('playbooks.span.s', { n: number.format(seconds) });
}

export function stepText(t: Translate, tag: string, a: Step): string {
  switch (a.do) {
    case 'trigger':
      return a.message && a.message !== MESSAGES[0]
        ? t('playbooks.step.triggerFor', { message: a.message })
        : t('playbooks.step.trigger');
    case 'availabilityCycle':
      return t('playbooks.step.availabilityCycle', { span: spanText(t, tag, a.seconds || CYCLE_SECONDS) });
    case 'wait':
      return t('playbooks.step.wait', { span: spanText(t, tag, a.seconds ?? 0) });
  }
  return doText(t, a.do);
}

/** Never is told by a code that no incident has. */
const isNever = (w: When): boolean => w.codes?.length === 1 && w.codes[0] === 'none';

export function whenText(t: Translate, tag: string, w: When, siteName: (id: string) => string): string[] {
  if (isNever(w)) return [t('playbooks.when.never')];
  const any = new Intl.ListFormat(tag, { type: 'disjunction' });
  const out: string[] = [];
  if (w.detectors?.length)
    out.push(
      t('playbooks.when.detectors', {
        list: any.format(w.detectors.map((d) => `${detectorText(t, d)} (${d})`)),
      }),
    );
  for (const code of w.codes ?? [])
    out.push(
      code.endsWith('*')
        ? t('playbooks.when.codeFrom', { code: code.slice(0, -1) })
        : t('playbooks.when.code', { code }),
    );
  if (w.severities?.length) out.push(t('playbooks.when.severities', { list: any.format(w.severities) }));
  if (w.models?.length) out.push(t('playbooks.when.models', { list: any.format(w.models) }));
  if (w.sites?.length) out.push(t('playbooks.when.sites', { list: any.format(w.sites.map(siteName)) }));
  if (w.safety !== undefined) out.push(t(w.safety ? 'playbooks.when.unsafe' : 'playbooks.when.safe'));
  return out;
}

export function limitsText(t: Translate, tag: string, given: Limits | undefined): string[] {
  const l = { ...DEFAULTS, ...Object.fromEntries(Object.entries(given ?? {}).filter(([, v]) => v)) };
  const number = new Intl.NumberFormat(tag);
  return [
    t('playbooks.limit.perDay', { n: number.format(l.perDay) }),
    t('playbooks.limit.coolDown', { span: spanText(t, tag, l.coolDownMinutes * 60) }),
    t('playbooks.limit.wait', { span: spanText(t, tag, l.waitMinutes * 60) }),
    t('playbooks.limit.fleet', { n: number.format(l.fleetPercent) }),
  ];
}

/** What is wrong with a field, by its path; in the server's words where there are none of ours. */
export function faultText(t: Translate, tag: string, path: string, message: string, kind?: string): string {
  const number = new Intl.NumberFormat(tag);
  const range = (lo: number, hi: number) =>
    t('playbooks.fault.minutes', { lo: number.format(lo), hi: number.format(hi) });
  const plain = path.replace(/\[\d+\]/g, '');
  switch (plain) {
    case 'id':
    case 'name':
    case 'doc':
    case 'when':
    case 'steps':
      return t(`playbooks.fault.${plain}`);
    case 'when.codes':
    case 'when.models':
      return t(plain === 'when.codes' ? 'playbooks.fault.codes' : 'playbooks.fault.models');
    case 'steps.do':
      return t('playbooks.fault.do');
    case 'steps.seconds':
      return t(kind === 'wait' ? 'playbooks.fault.waitSeconds' : 'playbooks.fault.cycleSeconds');
    case 'limits.coolDownMinutes':
      return range(10, 1440);
    case 'limits.waitMinutes':
      return range(1, 1440);
    case 'limits.perDay':
      return range(1, 3);
    case 'limits.fleetPercent':
      return range(1, 5);
  }
  return message;
}
