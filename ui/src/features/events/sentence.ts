// One event in words. What a station sent stays text; words we do not know stand
// as they came.
import type { SystemEvent } from '../../api/shapes';
import type { MessageKey, Translate } from '../../i18n/i18n';
import { STATUSES, type Status } from '../../live/status';
import { statusKey } from '../../ui/state';
import { faultKey } from '../station/fault-words';
import { stopWords } from '../station/session-words';

const kinds = {
  'server.started': 'kind.serverStarted',
  'server.stopped': 'kind.serverStopped',
  'station.configured': 'kind.configured',
  'station.removed': 'kind.removed',
  connected: 'kind.connected',
  disconnected: 'kind.disconnected',
  boot: 'kind.boot',
  status: 'kind.status',
  meter: 'kind.meter',
  transaction: 'kind.transaction',
  authorize: 'kind.authorize',
  component: 'kind.component',
  report: 'kind.report',
  security: 'kind.security',
  firmware: 'kind.firmware',
  log: 'kind.log',
  dataTransfer: 'kind.dataTransfer',
  reservation: 'kind.reservation',
  message: 'kind.message',
  command: 'kind.command',
  commandResult: 'kind.commandResult',
  'session.inferred': 'kind.inferred',
  finding: 'kind.finding',
  'driver.report': 'kind.driverReport',
} as const satisfies Record<string, MessageKey>;

export const kindWord = (t: Translate, kind: string): string =>
  Object.hasOwn(kinds, kind) ? t(kinds[kind as keyof typeof kinds]) : kind;

const text = (v: unknown): string => (typeof v === 'string' || typeof v === 'number' ? String(v) : '');
const join = (...parts: string[]): string => parts.filter(Boolean).join(' · ');
const status = (t: Translate, v: unknown): string => {
  const word = text(v);
  if (word === 'Occupied') return t('said.occupied');
  return STATUSES.includes(word as Status) ? t(statusKey(word as Status)) : word;
};

/** The power among measured values, as the journal writes them. */
function flowing(t: Translate, samples: unknown): string {
  const watts = Number(/ P=([\d.e+]+)/.exec(text(samples))?.[1]);
  return Number.isFinite(watts) ? t('said.power', { kw: Math.round(watts / 100) / 10 }) : '';
}

export function eventWords(t: Translate, e: Pick<SystemEvent, 'kind' | 'subject' | 'data'>): string {
  const d: Record<string, unknown> = typeof e.data === 'object' && e.data !== null ? e.data : {};
  switch (e.kind) {
    case 'status': {
      const code = text(d.errorCode);
      const known = faultKey(code);
      const fault = code && code !== 'NoError' ? (known ? t(known) : code) : '';
      return join(status(t, d.status), fault, text(d.info));
    }
    case 'transaction': {
      if (d.stage === 'started')
        return join(t('said.started'), text(d.tokenStatus) !== 'Accepted' ? text(d.tokenStatus) : '');
      if (d.stage === 'ended')
        return t('said.ended', { how: stopWords(t, { stopReason: text(d.reason), state: 'ended' }) });
      return join(t('said.went'), status(t, d.chargingState) || text(d.trigger), flowing(t, d.samples));
    }
    case 'session.inferred':
      return join(t('said.inferred'), text(d.evidence));
    case 'authorize':
      return d.status === 'Accepted'
        ? t('said.accepted')
        : join(t('said.refused', { status: text(d.status) }), text(d.reason));
    case 'connected':
      return join(
        t('said.connected', { protocol: text(d.protocol).replace('ocpp', 'OCPP ') }),
        text(d.remoteAddr),
      );
    case 'disconnected':
      return join(t('said.disconnected'), text(d.reason));
    case 'boot':
      return join(
        d.status === 'Accepted' ? t('said.booted') : t('said.bootWaits', { status: text(d.status) }),
        [text(d.vendor), text(d.model), text(d.firmware)].filter(Boolean).join(' '),
        text(d.reason),
      );
    case 'command':
      return t('said.command', { action: text(d.action) });
    case 'commandResult': {
      const answer = text((d.response as { status?: unknown } | undefined)?.status);
      return d.status === 'answered'
        ? join(t('said.answered'), answer)
        : join(t('said.unanswered', { status: text(d.status) }), text(d.errorCode), text(d.errorDescription));
    }
    case 'meter':
      return text(d.samples).slice(0, 200);
    case 'component': {
      const items = Array.isArray(d.items) ? (d.items as Record<string, unknown>[]) : [];
      return join(
        ...items.slice(0, 3).map((i) => `${text(i.component)} ${text(i.variable)}: ${text(i.value)}`),
      );
    }
    case 'report':
      return t('said.report', { type: text(d.type), n: Number(d.seqNo) + 1 || 1 });
    case 'security':
      return join(text(d.type), text(d.techInfo));
    case 'firmware':
    case 'log':
      return text(d.status);
    case 'reservation':
      return t('said.reservation', { id: text(d.reservationId), status: text(d.status) });
    case 'dataTransfer':
      return join(text(d.vendorId), text(d.messageId), text(d.status));
    case 'message':
      return text(d.action);
    case 'finding':
      return join(text(d.severity), text(d.text) || text(d.code));
    case 'driver.report':
      return join(text(d.category), text(d.text));
    case 'station.configured':
      return join(text(d.onboarding), text(d.siteId), text(d.label));
    case 'station.removed':
      return t('said.removed');
    case 'server.started':
      return join(t('said.up'), text(d.version));
    case 'server.stopped':
      return join(t('said.down'), text(d.reason));
  }
  return '';
}
