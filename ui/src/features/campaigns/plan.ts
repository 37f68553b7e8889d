// What somebody chose, as a plan for the server.
import type { Cohort, Plan } from './queries';

/** What can be done, each with what it is in either family of versions. */
export const WORKS = [
  'identify',
  'restartIdle',
  'restartNow',
  'clearCache',
  'outOfService',
  'inService',
  'setting',
  'other',
  'configure',
  'firmware',
  'password',
  'certificate',
  'root',
  'profile2',
  'profile3',
] as const;
export type Work = (typeof WORKS)[number];

/** Works that are more than one command: the server knows each as a kind of its own. */
const KINDS = ['configure', 'firmware', 'password', 'certificate', 'root', 'profile2', 'profile3'] as const;
type Kind = (typeof KINDS)[number];
export const isKind = (w: Work): w is Kind => (KINDS as readonly Work[]).includes(w);

/** Works that need more than the right to command stations. */
export const needs = (w: Work) =>
  isKind(w) && w !== 'configure' && w !== 'firmware'
    ? ('stations.write' as const)
    : ('stations.command' as const);

/** The work that a kind of the server is, if its name and text say it all. */
export function workOfKind(kind: string, params: unknown): Exclude<Kind, 'firmware'> | null {
  const { profile } = (params ?? {}) as { profile?: unknown };
  if (kind === 'securityProfile') return profile === 3 ? 'profile3' : 'profile2';
  if (kind === 'root') return (params as { certificate?: unknown } | undefined)?.certificate ? null : 'root';
  return kind === 'configure' || kind === 'password' || kind === 'certificate' ? kind : null;
}

type Sent = { action: string; payload: Record<string, unknown> };

const SENT: Record<Exclude<Work, 'setting' | 'other' | Kind>, [Sent, Sent]> = {
  identify: [
    { action: 'TriggerMessage', payload: { requestedMessage: 'BootNotification' } },
    { action: 'TriggerMessage', payload: { requestedMessage: 'BootNotification' } },
  ],
  restartIdle: [
    { action: 'Reset', payload: { type: 'Soft' } },
    { action: 'Reset', payload: { type: 'OnIdle' } },
  ],
  restartNow: [
    { action: 'Reset', payload: { type: 'Hard' } },
    { action: 'Reset', payload: { type: 'Immediate' } },
  ],
  clearCache: [
    { action: 'ClearCache', payload: {} },
    { action: 'ClearCache', payload: {} },
  ],
  outOfService: [
    { action: 'ChangeAvailability', payload: { connectorId: 0, type: 'Inoperative' } },
    { action: 'ChangeAvailability', payload: { operationalStatus: 'Inoperative' } },
  ],
  inService: [
    { action: 'ChangeAvailability', payload: { connectorId: 0, type: 'Operative' } },
    { action: 'ChangeAvailability', payload: { operationalStatus: 'Operative' } },
  ],
};

/** Works that wait for the driver unless somebody says otherwise. */
export const waitsForIdle = (work: Work): boolean => work === 'restartIdle';

export type Draft = {
  name: string;
  work: Work;
  /** Of a setting: its key in 1.6, component and variable in 2.x, and the value. */
  key: string;
  component: string;
  variable: string;
  value: string;
  /** Of any other command. */
  action: string;
  payload: string;
  /** Of firmware: an image of the library, and whether its signature is left out. */
  image: string;
  unsigned: boolean;
  // The cohort.
  stations: string[];
  sites: string[];
  tags: string[];
  vendor: string;
  model: string;
  firmwareIs: 'equal' | 'not' | 'below';
  firmware: string;
  protocols: string[];
  onlineOnly: boolean;
  everything: boolean;
  // How carefully.
  canary: number;
  soakMinutes: number;
  perMinute: number;
  atOnce: number;
  perSite: number;
  stopFailed: number;
  stopPercent: number;
  retries: number;
  giveUpHours: number;
  whenIdle: boolean;
  alsoRelayed: boolean;
  from: string;
  to: string;
};

export const newDraft = (stations: string[] = []): Draft => ({
  name: '',
  work: 'identify',
  key: '',
  component: '',
  variable: '',
  value: '',
  action: '',
  payload: '{}',
  image: '',
  unsigned: false,
  stations,
  sites: [],
  tags: [],
  vendor: '',
  model: '',
  firmwareIs: 'below',
  firmware: '',
  protocols: [],
  onlineOnly: false,
  everything: false,
  canary: 2,
  soakMinutes: 5,
  perMinute: 30,
  atOnce: 10,
  perSite: 1,
  stopFailed: 5,
  stopPercent: 10,
  retries: 0,
  giveUpHours: 1,
  whenIdle: false,
  alsoRelayed: false,
  from: '',
  to: '',
});

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

function sent(d: Draft): [Sent, Sent] | null {
  if (isKind(d.work)) return null;
  if (d.work === 'setting') {
    if (d.key.trim() === '' && (d.component.trim() === '' || d.variable.trim() === '')) return null;
    return [
      { action: 'ChangeConfiguration', payload: { key: d.key.trim(), value: d.value } },
      {
        action: 'SetVariables',
        payload: {
          setVariableData: [
            {
              attributeValue: d.value,
              component: { name: d.component.trim() },
              variable: { name: d.variable.trim() },
            },
          ],
        },
      },
    ];
  }
  if (d.work === 'other') {
    const payload = parsed(d.payload);
    if (d.action.trim() === '' || payload === null) return null;
    const one = { action: d.action.trim(), payload };
    return [one, one];
  }
  return SENT[d.work];
}

/** The payload that somebody typed; null if it is no object. */
export function parsed(text: string): Record<string, unknown> | null {
  try {
    const v: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function cohortOf(d: Draft): Cohort | null {
  const c: Cohort = {
    ...(d.stations.length > 0 && { stations: d.stations }),
    ...(d.sites.length > 0 && { sites: d.sites }),
    ...(d.tags.length > 0 && { tags: d.tags }),
    ...(d.vendor !== '' && { vendor: d.vendor }),
    ...(d.model.trim() !== '' && { model: d.model.trim() }),
    ...(d.firmware.trim() !== '' && { firmware: { is: d.firmwareIs, version: d.firmware.trim() } }),
    ...(d.protocols.length > 0 && { protocols: d.protocols }),
    ...(d.onlineOnly && { online: true }),
  };
  if (Object.keys(c).length > 0) return c;
  return d.everything ? { everything: true } : null;
}

/** What is done; null while something of it is missing. */
function workOf(d: Draft): Pick<Plan, 'kind' | 'params'> | null {
  if (d.work === 'firmware')
    return d.image === ''
      ? null
      : { kind: 'firmware', params: { imageId: d.image, ...(d.unsigned && { unsigned: true }) } };
  if (d.work === 'profile2' || d.work === 'profile3')
    return { kind: 'securityProfile', params: { profile: d.work === 'profile2' ? 2 : 3 } };
  if (isKind(d.work)) return { kind: d.work, ...(d.work === 'root' && { params: {} }) };
  const what = sent(d);
  if (what === null) return null;
  const [first, second] = what;
  return {
    kind: 'command',
    params: {
      ...first,
      byProtocol: { 'ocpp2.0.1': second, 'ocpp2.1': second },
      ...(d.alsoRelayed && { alsoRelayed: true }),
    },
  };
}

/** The plan, or null while something of it is missing. */
export function planOf(d: Draft): Plan | null {
  const what = workOf(d);
  const cohort = cohortOf(d);
  const windowed = d.from !== '' || d.to !== '';
  if (what === null || cohort === null) return null;
  if (windowed && (!TIME.test(d.from) || !TIME.test(d.to) || d.from === d.to)) return null;
  return {
    ...what,
    ...(d.name.trim() !== '' && { name: d.name.trim() }),
    cohort,
    canary: { count: d.canary, waitSeconds: Math.round(d.soakMinutes * 60) },
    pace: { perMinute: d.perMinute, atOnce: d.atOnce, perSite: d.perSite },
    stopOn: { failed: d.stopFailed, failedPercent: d.stopPercent },
    retries: d.retries,
    giveUpAfterSeconds: Math.round(d.giveUpHours * 3600),
    ...(!isKind(d.work) && { whenIdle: d.whenIdle }),
    ...(windowed && { window: { from: d.from, to: d.to } }),
  };
}

/** How long it takes at least, in seconds: the first, their watch and the pace. */
export function leastSeconds(d: Draft, stations: number): number {
  const canary = d.canary > 0 && d.canary < stations;
  return (canary ? d.soakMinutes * 60 : 0) + (stations / Math.max(d.perMinute, 0.1)) * 60;
}
