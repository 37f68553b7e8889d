// What types, fields and choices of channels are called. A type or a field that a
// newer server brings is told in the words of the server.
import type { MessageKey, Translate } from '../../i18n/i18n';
import type { Field } from './queries';

const types: Record<string, MessageKey> = {
  email: 'channels.type.email',
  webhook: 'channels.type.webhook',
  slack: 'channels.type.slack',
  teams: 'channels.type.teams',
  telegram: 'channels.type.telegram',
  ntfy: 'channels.type.ntfy',
  pagerduty: 'channels.type.pagerduty',
  mqtt: 'channels.type.mqtt',
  alertmanager: 'channels.type.alertmanager',
  webPush: 'channels.type.webPush',
};

const fields: Record<string, MessageKey> = {
  url: 'channels.field.url',
  username: 'channels.field.username',
  password: 'channels.field.password',
  token: 'channels.field.token',
  chatId: 'channels.field.chatId',
  topic: 'channels.field.topic',
  host: 'channels.field.host',
  port: 'channels.field.port',
  security: 'channels.field.security',
  from: 'channels.field.from',
  to: 'channels.field.to',
  version: 'channels.field.version',
  retain: 'channels.field.retain',
  routingKey: 'channels.field.routingKey',
  secret: 'channels.field.secret',
  authorization: 'channels.field.authorization',
  endpoint: 'channels.field.endpoint',
  p256dh: 'channels.field.p256dh',
  auth: 'channels.field.auth',
  contact: 'channels.field.contact',
  caCertificate: 'channels.field.caCertificate',
  pictures: 'channels.field.pictures',
  language: 'channels.field.language',
};

const hints: Record<string, MessageKey> = {
  'alertmanager.url': 'channels.hint.alertmanager.url',
  'alertmanager.token': 'channels.hint.alertmanager.token',
  'slack.url': 'channels.hint.slack.url',
  'teams.url': 'channels.hint.teams.url',
  'telegram.chatId': 'channels.hint.telegram.chatId',
  'telegram.token': 'channels.hint.telegram.token',
  'mqtt.url': 'channels.hint.mqtt.url',
  'mqtt.topic': 'channels.hint.mqtt.topic',
  'mqtt.retain': 'channels.hint.mqtt.retain',
  'pagerduty.routingKey': 'channels.hint.pagerduty.routingKey',
  'webhook.secret': 'channels.hint.webhook.secret',
  'webhook.authorization': 'channels.hint.webhook.authorization',
  'webPush.endpoint': 'channels.hint.webPush.subscription',
  'webPush.p256dh': 'channels.hint.webPush.subscription',
  'webPush.auth': 'channels.hint.webPush.subscription',
  'webPush.contact': 'channels.hint.webPush.contact',
};

/** Hints of fields that several types have. */
const common: Record<string, MessageKey> = {
  caCertificate: 'channels.hint.caCertificate',
  pictures: 'channels.hint.pictures',
  language: 'channels.hint.language',
};

const choices: Record<string, Record<string, MessageKey>> = {
  security: {
    starttls: 'channels.security.starttls',
    tls: 'channels.security.tls',
    none: 'channels.security.none',
  },
  pictures: {
    none: 'channels.pictures.none',
    linked: 'channels.pictures.linked',
    attached: 'channels.pictures.attached',
  },
  language: { en: 'channels.language.en', de: 'channels.language.de' },
};

const inWords = (t: Translate, key: MessageKey | undefined, otherwise: string): string =>
  key ? t(key) : otherwise;

export const typeName = (t: Translate, type: string): string => inWords(t, types[type], type);
export const fieldName = (t: Translate, name: string): string => inWords(t, fields[name], name);
export const choiceName = (t: Translate, name: string, choice: string): string =>
  inWords(t, choices[name]?.[choice], choice);

export function fieldHint(t: Translate, type: string, f: Field): string | undefined {
  const key = hints[`${type}.${f.name}`] ?? common[f.name];
  return inWords(t, key, f.doc) || undefined;
}

/** What a type of channel cannot do without. */
export const needsText = (t: Translate, needs: string): string =>
  needs === 'internet and TLS' ? t('channels.needs.internet') : t('channels.needs.other', { needs });

const GROUPS: Record<string, MessageKey> = {
  site: 'channels.by.site',
  kind: 'channels.by.kind',
  severity: 'channels.by.severity',
  station: 'channels.by.station',
};

/** What incidents can be told together by, besides labels. */
export const groups = Object.keys(GROUPS);
export const groupName = (t: Translate, by: string): string => inWords(t, GROUPS[by], by);
