// An incident in words of the reader's language. What has no words here is told
// in those of the server.
import type { MessageKey, Translate } from '../../i18n/i18n';
import { faultKey } from '../station/fault-words';
import type { Incident } from './shape';

const kinds = [
  'offline',
  'staleStatus',
  'fault',
  'flapping',
  'startFailures',
  'successDrop',
  'zeroEnergy',
  'silentPort',
  'derated',
  'connectorHeat',
  'contactResistance',
  'contactorWear',
  'lockOrCable',
  'groundTrend',
  'badLink',
  'stuck',
  'clockSkew',
  'firmwareRegression',
  'listDrift',
  'settingsDrift',
  'certificateEnds',
  'weakerProof',
  'serverCertificateEnds',
  'listRefused',
  'deadReader',
  'failedHereChargedNextDoor',
  'coolingLost',
  'meterCadence',
  'meterDrift',
  'meterStep',
  'moduleLost',
  'phaseLoss',
  'powerDrift',
  'socStall',
  'driverReport',
  'twoDevices',
  'site.outage',
  'carrier.outage',
  'firmware.fault',
  'self.outage',
  'cameraLost',
  'cameraNotRecording',
  'cameraTampered',
  'cameraClock',
  'motionArmed',
  'loitering',
  'cableTheft',
  'cutOff',
  'cabinetOpened',
  'blindedFirst',
  'badgeAlone',
  'tailgating',
  'bayBlocked',
  'overstayed',
  'tokenTwoPlaces',
  'cardGuessing',
  'vandalism',
  'localAttack',
  'doorForced',
  'doorHeld',
  'doorRefused',
  'doorRefusedOpened',
  'doorDuress',
  'doorFire',
  'doorEmergency',
  'doorTamper',
  'controllerOffline',
  'controllerClock',
  'controllerListener',
  'controllerUnrecorded',
  'controllerDrift',
  'controllerForeign',
  'controllerLost',
  'controllerKeypad',
  'controllerRules',
  'controllerAirlock',
  'controllerPolicy',
  'accessDiffers',
  'openedArmed',
  'passback',
  'retentionShort',
  'copyFailed',
] as const;

/** Parts of the device model of 2.x that name the same trouble as a code of 1.6. */
const components: Record<string, string> = {
  GroundFaultProtection: 'GroundFailure',
  OverCurrentProtection: 'OverCurrentFailure',
  PowerContactor: 'PowerSwitchFailure',
  ControlPilot: 'EVCommunicationError',
  PlugRetentionLock: 'ConnectorLockFailure',
  ConnectorPlugRetentionLock: 'ConnectorLockFailure',
  TemperatureSensor: 'HighTemperature',
  TokenReader: 'ReaderFailure',
  FiscalMetering: 'PowerMeterFailure',
  ModemLink: 'WeakSignal',
  UnderVoltage: 'UnderVoltage',
};

export const capital = (s: string): string => s.charAt(0).toLocaleUpperCase() + s.slice(1);

/** The code of a fault and the vendor's own, from "fault/GroundFailure/CX002". */
export function faultOf(kind: string): { code: string; vendorCode: string } | null {
  const [head, code, ...rest] = kind.split('/');
  return head === 'fault' && code ? { code, vendorCode: rest.join('/') } : null;
}

const kindOf = (kind: string) =>
  (kinds as readonly string[]).includes(kind) ? (kind as (typeof kinds)[number]) : undefined;

function faultText(t: Translate, kind: string): string | undefined {
  const fault = faultOf(kind);
  if (!fault) return undefined;
  const known = faultKey(fault.code) ?? faultKey(components[fault.code.split('.')[0]!] ?? '');
  return known && capital(t(known));
}

/** What a kind is about, without any one incident, and the codes that tell it from its like. */
export function kindText(t: Translate, kind: string): { text: string; code: string } {
  const known = kindOf(kind);
  if (known) return { text: t(`incident.what.${known}`, { n: 0 }), code: '' };
  const fault = faultOf(kind);
  if (!fault) {
    const [of, name] = kind.split(/\/(.*)/);
    return of === 'external' && name ? { text: name, code: of } : { text: kind, code: '' };
  }
  const [component = '', ...variable] = fault.code.split('.');
  return {
    text: faultText(t, kind) ?? plain(component),
    code: [fault.vendorCode, variable.length > 0 && fault.code].filter(Boolean).join(' · '),
  };
}

/** What is wrong, in few words, without where. */
export function whatText(t: Translate, i: Incident): string {
  const kind = kindOf(i.kind);
  if (kind && kind !== 'fault') return t(`incident.what.${kind}`, { n: i.childrenCount });
  const fault = faultText(t, i.kind);
  if (fault) return fault;
  const at = i.title.indexOf(': ');
  const told = at > 0 && i.station ? i.title.slice(at + 2) : i.title;
  return capital(told || (kind ? t(`incident.what.${kind}`) : i.kind));
}

/** Where it is, for people: "Markt 6, port 1". */
export function whereText(t: Translate, i: Incident): string {
  if (!i.station) {
    const site = i.siteName || t('incident.network');
    const camera = i.subjects.find((s) => s.startsWith('camera/'))?.slice('camera/'.length);
    return camera ? t('incident.atCamera', { site, camera }) : site;
  }
  const station = i.stationLabel || i.station;
  return i.evse ? t('incident.atPort', { station, port: i.evse }) : station;
}

/** Who somebody is to the reader. */
export function whoText(
  t: Translate,
  i: Pick<Incident, 'people'>,
  id: string,
  me: string | undefined,
): string {
  return id === me ? t('incident.you') : i.people[id] || t('incident.somebody');
}

/** "lastedSeconds" in words, for facts that have none. */
export const plain = (name: string): string =>
  capital(
    name
      .replace(/(Seconds|Minutes|Percent|Wh)$/, '')
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase(),
  );

const CLOSED = ['stable', 'charged', 'notProven', 'person', 'parent', 'merged', 'removed'] as const;
/** How it ended; nothing said is an end that is not known. */
export const closeKey = (reason: string | undefined): MessageKey =>
  `incident.closed.${CLOSED.find((r) => r === reason) ?? 'over'}`;
