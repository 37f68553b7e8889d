// What a session's record says of itself, in words.
import type { Session } from '../../api/shapes';
import type { MessageKey, Translate } from '../../i18n/i18n';

const flags: Record<string, MessageKey> = {
  startRetried: 'flag.startRetried',
  stopRetried: 'flag.stopRetried',
  startMissing: 'flag.startMissing',
  orphanStop: 'flag.orphanStop',
  unknownId: 'flag.unknownId',
  inferredEnd: 'flag.inferredEnd',
  reopened: 'flag.reopened',
  lateStop: 'flag.lateStop',
  secondStop: 'flag.secondStop',
  offline: 'flag.offline',
  gap: 'flag.gap',
  registerReset: 'flag.registerReset',
  registerJump: 'flag.registerJump',
  registerInKWh: 'flag.registerInKWh',
  registerInWh: 'flag.registerInWh',
  registerStuck: 'flag.registerStuck',
  negativeEnergy: 'flag.negativeEnergy',
  clockImplausible: 'flag.clockImplausible',
};

const reasons: Record<string, MessageKey> = {
  EVDisconnected: 'stop.EVDisconnected',
  Local: 'stop.Local',
  Remote: 'stop.Remote',
  DeAuthorized: 'stop.DeAuthorized',
  EmergencyStop: 'stop.EmergencyStop',
  EnergyLimitReached: 'stop.EnergyLimitReached',
  HardReset: 'stop.HardReset',
  SoftReset: 'stop.SoftReset',
  ImmediateReset: 'stop.HardReset',
  PowerLoss: 'stop.PowerLoss',
  Reboot: 'stop.Reboot',
  StoppedByEV: 'stop.StoppedByEV',
  SOCLimitReached: 'stop.SOCLimitReached',
  TimeLimitReached: 'stop.TimeLimitReached',
  UnlockCommand: 'stop.UnlockCommand',
  Other: 'stop.Other',
};

/** A doubt about the record; one we have no words for stands as it is. */
export const flagWords = (t: Translate, flag: string): string =>
  Object.hasOwn(flags, flag) ? t(flags[flag]!) : flag;

/** How it ended, in words; a reason of the maker's own stands as sent. */
export function stopWords(t: Translate, s: Pick<Session, 'stopReason' | 'state'>): string {
  if (Object.hasOwn(reasons, s.stopReason)) return t(reasons[s.stopReason]!);
  return s.stopReason || (s.state === 'inferred' ? t('sessions.inferred') : '–');
}
