import type { MessageKey } from '../../i18n/i18n';

// OCPP 1.6 error codes; later versions bring free text that is shown as it is.
const codes = {
  ConnectorLockFailure: 'fault.ConnectorLockFailure',
  EVCommunicationError: 'fault.EVCommunicationError',
  GroundFailure: 'fault.GroundFailure',
  HighTemperature: 'fault.HighTemperature',
  InternalError: 'fault.InternalError',
  LocalListConflict: 'fault.LocalListConflict',
  OtherError: 'fault.OtherError',
  OverCurrentFailure: 'fault.OverCurrentFailure',
  OverVoltage: 'fault.OverVoltage',
  PowerMeterFailure: 'fault.PowerMeterFailure',
  PowerSwitchFailure: 'fault.PowerSwitchFailure',
  ReaderFailure: 'fault.ReaderFailure',
  ResetFailure: 'fault.ResetFailure',
  UnderVoltage: 'fault.UnderVoltage',
  WeakSignal: 'fault.WeakSignal',
} as const satisfies Record<string, MessageKey>;

export const faultKey = (code: string): MessageKey | undefined =>
  Object.hasOwn(codes, code) ? codes[code as keyof typeof codes] : undefined;

/** The words of a code, also of one nobody knows. */
export const faultWords = (code: string | undefined): MessageKey =>
  (code !== undefined && faultKey(code)) || 'fault.unknown';
