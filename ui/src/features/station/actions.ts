// What can be asked of a station, per version of its protocol, and what each
// means for the people who charge there.

import type { StationDetail } from '../../api/shapes';
import type { MessageKey, Values } from '../../i18n/i18n';

const v16 = [
  'CancelReservation',
  'CertificateSigned',
  'ChangeAvailability',
  'ChangeConfiguration',
  'ClearCache',
  'ClearChargingProfile',
  'DataTransfer',
  'DeleteCertificate',
  'ExtendedTriggerMessage',
  'GetCompositeSchedule',
  'GetConfiguration',
  'GetDiagnostics',
  'GetInstalledCertificateIds',
  'GetLocalListVersion',
  'GetLog',
  'InstallCertificate',
  'RemoteStartTransaction',
  'RemoteStopTransaction',
  'ReserveNow',
  'Reset',
  'SendLocalList',
  'SetChargingProfile',
  'SignedUpdateFirmware',
  'TriggerMessage',
  'UnlockConnector',
  'UpdateFirmware',
];

const v201 = [
  'CancelReservation',
  'CertificateSigned',
  'ChangeAvailability',
  'ClearCache',
  'ClearChargingProfile',
  'ClearDisplayMessage',
  'ClearVariableMonitoring',
  'CostUpdated',
  'CustomerInformation',
  'DataTransfer',
  'DeleteCertificate',
  'GetBaseReport',
  'GetChargingProfiles',
  'GetCompositeSchedule',
  'GetDisplayMessages',
  'GetInstalledCertificateIds',
  'GetLocalListVersion',
  'GetLog',
  'GetMonitoringReport',
  'GetReport',
  'GetTransactionStatus',
  'GetVariables',
  'InstallCertificate',
  'PublishFirmware',
  'RequestStartTransaction',
  'RequestStopTransaction',
  'ReserveNow',
  'Reset',
  'SendLocalList',
  'SetChargingProfile',
  'SetDisplayMessage',
  'SetMonitoringBase',
  'SetMonitoringLevel',
  'SetNetworkProfile',
  'SetVariableMonitoring',
  'SetVariables',
  'TriggerMessage',
  'UnlockConnector',
  'UnpublishFirmware',
  'UpdateFirmware',
];

const v21 = [
  ...v201,
  'AFRRSignal',
  'AdjustPeriodicEventStream',
  'ChangeTransactionTariff',
  'ClearDERControl',
  'ClearTariffs',
  'GetCRL',
  'GetDERControl',
  'GetPeriodicEventStream',
  'GetTariffs',
  'NotifyAllowedEnergyTransfer',
  'NotifyWebPaymentStarted',
  'RequestBatterySwap',
  'SetDERControl',
  'SetDefaultTariff',
  'UpdateDynamicSchedule',
  'UsePriorityCharging',
].sort();

export const actionsOf = (protocol: string): string[] =>
  protocol === 'ocpp2.1' ? v21 : protocol === 'ocpp2.0.1' ? v201 : v16;

export const triggersOf = (protocol: string): string[] =>
  protocol === 'ocpp1.6'
    ? [
        'BootNotification',
        'DiagnosticsStatusNotification',
        'FirmwareStatusNotification',
        'Heartbeat',
        'MeterValues',
        'StatusNotification',
      ]
    : [
        'BootNotification',
        'FirmwareStatusNotification',
        'Heartbeat',
        'LogStatusNotification',
        'MeterValues',
        'SignChargingStationCertificate',
        'StatusNotification',
        'TransactionEvent',
      ];

export const KINDS = ['reset', 'unlock', 'availability', 'trigger', 'start', 'stop', 'any'] as const;
export type Kind = (typeof KINDS)[number];

export type Draft = {
  kind: Kind;
  /** 0 = the whole station. */
  port: number;
  resetNow: boolean;
  operative: boolean;
  trigger: string;
  idToken: string;
  tokenType: string;
  transactionId: string;
  remoteStartId: number;
  action: string;
  payload: string;
};

export type Built = { action: string; payload: Record<string, unknown> };

const is16 = (protocol: string) => protocol === 'ocpp1.6' || protocol === '';

/** The command as the specification of the station's version words it; null while the free payload is no JSON object. */
export function build(d: Draft, protocol: string): Built | null {
  const old = is16(protocol);
  switch (d.kind) {
    case 'reset':
      return {
        action: 'Reset',
        payload: { type: old ? (d.resetNow ? 'Hard' : 'Soft') : d.resetNow ? 'Immediate' : 'OnIdle' },
      };
    case 'unlock':
      return {
        action: 'UnlockConnector',
        payload: old ? { connectorId: d.port } : { evseId: d.port, connectorId: 1 },
      };
    case 'availability': {
      const word = d.operative ? 'Operative' : 'Inoperative';
      return {
        action: 'ChangeAvailability',
        payload: old
          ? { connectorId: d.port, type: word }
          : { operationalStatus: word, ...(d.port > 0 ? { evse: { id: d.port } } : {}) },
      };
    }
    case 'trigger':
      return {
        action: 'TriggerMessage',
        payload: {
          requestedMessage: d.trigger,
          ...(d.port > 0 ? (old ? { connectorId: d.port } : { evse: { id: d.port } }) : {}),
        },
      };
    case 'start':
      return old
        ? {
            action: 'RemoteStartTransaction',
            payload: { idTag: d.idToken.trim(), ...(d.port > 0 ? { connectorId: d.port } : {}) },
          }
        : {
            action: 'RequestStartTransaction',
            payload: {
              idToken: { idToken: d.idToken.trim(), type: d.tokenType },
              remoteStartId: d.remoteStartId,
              ...(d.port > 0 ? { evseId: d.port } : {}),
            },
          };
    case 'stop':
      return old
        ? { action: 'RemoteStopTransaction', payload: { transactionId: Number(d.transactionId) } }
        : { action: 'RequestStopTransaction', payload: { transactionId: d.transactionId } };
    case 'any': {
      const payload = parseObject(d.payload);
      return payload === null || d.action === '' ? null : { action: d.action, payload };
    }
  }
}

export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const v: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export type Effect = { key: MessageKey; values?: Values; grave: boolean };

/** What the command does to the people who charge there, said before it is sent. */
export function effectOf(d: Draft, station: Pick<StationDetail, 'evses' | 'protocol'>): Effect {
  const running = station.evses.filter(
    (e) => e.sessionId !== null && (d.port === 0 || e.id === d.port),
  ).length;
  const all = station.evses.filter((e) => e.sessionId !== null).length;
  switch (d.kind) {
    case 'reset':
      if (!d.resetNow && !is16(station.protocol)) return { key: 'effect.resetIdle', grave: false };
      return { key: 'effect.reset', values: { n: all }, grave: all > 0 };
    case 'unlock':
      return { key: 'effect.unlock', values: { n: running, port: d.port }, grave: running > 0 };
    case 'availability':
      if (d.operative) return { key: 'effect.operative', values: { port: d.port }, grave: false };
      return { key: 'effect.inoperative', values: { n: running, port: d.port }, grave: true };
    case 'trigger':
      return { key: 'effect.trigger', values: { message: d.trigger }, grave: false };
    case 'start':
      return { key: 'effect.start', values: { port: d.port }, grave: false };
    case 'stop':
      return { key: 'effect.stop', grave: true };
    case 'any':
      return effectOfAction(d, station);
  }
}

const changing: Record<string, MessageKey> = {
  CancelReservation: 'effect.CancelReservation',
  CertificateSigned: 'effect.certificates',
  ChangeConfiguration: 'effect.setting',
  ClearCache: 'effect.ClearCache',
  ClearChargingProfile: 'effect.ClearChargingProfile',
  DataTransfer: 'effect.DataTransfer',
  DeleteCertificate: 'effect.DeleteCertificate',
  GetDiagnostics: 'effect.upload',
  GetLog: 'effect.upload',
  InstallCertificate: 'effect.certificates',
  ReserveNow: 'effect.ReserveNow',
  SendLocalList: 'effect.SendLocalList',
  SetChargingProfile: 'effect.SetChargingProfile',
  SetNetworkProfile: 'effect.SetNetworkProfile',
  SetVariables: 'effect.setting',
  SignedUpdateFirmware: 'effect.UpdateFirmware',
  UpdateFirmware: 'effect.UpdateFirmware',
};

const grave = new Set(['DeleteCertificate', 'SetNetworkProfile', 'SignedUpdateFirmware', 'UpdateFirmware']);

// A free action means to drivers what its form would.
function effectOfAction(d: Draft, station: Pick<StationDetail, 'evses' | 'protocol'>): Effect {
  const p = parseObject(d.payload) ?? {};
  const evse = p.evse as { id?: unknown } | undefined;
  const port = Number(p.connectorId ?? p.evseId ?? evse?.id ?? 0) || 0;
  const as = (part: Partial<Draft>) => effectOf({ ...d, port, ...part }, station);
  switch (d.action) {
    case 'Reset':
      return as({ kind: 'reset', resetNow: p.type === 'Hard' || p.type === 'Immediate' });
    case 'UnlockConnector':
      return as({ kind: 'unlock' });
    case 'ChangeAvailability':
      return as({ kind: 'availability', operative: (p.type ?? p.operationalStatus) === 'Operative' });
    case 'RemoteStartTransaction':
    case 'RequestStartTransaction':
      return as({ kind: 'start' });
    case 'RemoteStopTransaction':
    case 'RequestStopTransaction':
      return as({ kind: 'stop' });
  }
  const known = Object.hasOwn(changing, d.action) ? changing[d.action] : undefined;
  if (known) return { key: known, grave: grave.has(d.action) };
  if (/^Get|Trigger|^CustomerInformation$/.test(d.action)) return { key: 'effect.reads', grave: false };
  return {
    key: 'effect.any',
    values: { version: station.protocol.replace('ocpp', 'OCPP ') || 'OCPP' },
    grave: false,
  };
}

/** A restart at once cannot be taken back: the station's id must be typed. */
export function needsTypedId(d: Draft): boolean {
  if (d.kind === 'reset') return d.resetNow;
  if (d.kind !== 'any' || d.action !== 'Reset') return false;
  const type = parseObject(d.payload)?.type;
  return type === 'Hard' || type === 'Immediate';
}

export const isKind = (v: unknown): v is Kind => KINDS.includes(v as Kind);
