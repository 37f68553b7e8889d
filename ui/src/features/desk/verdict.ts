// What a caller is told about a port: whose problem it is, and one sentence to
// say. Decided from the state first, then from the last try.
import type { Attempt, Evse } from '../../api/shapes';
import type { MessageKey } from '../../i18n/i18n';

export type Whose = 'nobody' | 'driver' | 'station' | 'operator' | 'unclear';

export type Verdict = { whose: Whose; tell: MessageKey };

/** A try counts for the call when it is younger than this. */
const RECENT = 60 * 60_000;

type Reason = Attempt['reason'];

const byReason: Record<Exclude<Reason, ''>, Verdict> = {
  tokenUnknown: { whose: 'driver', tell: 'tell.tokenUnknown' },
  tokenBlocked: { whose: 'driver', tell: 'tell.tokenBlocked' },
  tokenExpired: { whose: 'driver', tell: 'tell.tokenExpired' },
  tokenInUse: { whose: 'driver', tell: 'tell.tokenInUse' },
  tokenNotHere: { whose: 'driver', tell: 'tell.tokenNotHere' },
  tokenNoCredit: { whose: 'driver', tell: 'tell.tokenNoCredit' },
  tokenRefused: { whose: 'driver', tell: 'tell.tokenRefused' },
  neverPlugged: { whose: 'driver', tell: 'tell.neverPlugged' },
  noToken: { whose: 'driver', tell: 'tell.noToken' },
  unpluggedEarly: { whose: 'driver', tell: 'tell.unpluggedEarly' },
  vehicleRefused: { whose: 'driver', tell: 'tell.vehicleRefused' },
  stoppedAtStation: { whose: 'driver', tell: 'tell.again' },
  stoppedRemotely: { whose: 'operator', tell: 'tell.again' },
  deauthorised: { whose: 'driver', tell: 'tell.tokenRefused' },
  remoteRefused: { whose: 'station', tell: 'tell.remoteRefused' },
  remoteLost: { whose: 'station', tell: 'tell.elsewhere' },
  notStarted: { whose: 'station', tell: 'tell.notStarted' },
  faulted: { whose: 'station', tell: 'tell.faultBefore' },
  takenOut: { whose: 'operator', tell: 'tell.again' },
  stationLost: { whose: 'station', tell: 'tell.wasAway' },
  restarted: { whose: 'station', tell: 'tell.restarted' },
  powerLoss: { whose: 'station', tell: 'tell.restarted' },
  emergencyStop: { whose: 'operator', tell: 'tell.emergencyStop' },
  plugTimeout: { whose: 'driver', tell: 'tell.neverPlugged' },
  noEnergy: { whose: 'unclear', tell: 'tell.noEnergy' },
  endUnknown: { whose: 'unclear', tell: 'tell.again' },
};

const byStatus: Partial<Record<Evse['status'], Verdict>> = {
  Faulted: { whose: 'station', tell: 'tell.faulted' },
  Unavailable: { whose: 'operator', tell: 'tell.unavailable' },
  Reserved: { whose: 'driver', tell: 'tell.reserved' },
  Charging: { whose: 'nobody', tell: 'tell.charging' },
  SuspendedEV: { whose: 'driver', tell: 'tell.suspendedEV' },
  SuspendedEVSE: { whose: 'station', tell: 'tell.suspendedEVSE' },
  Finishing: { whose: 'driver', tell: 'tell.finishing' },
  Unknown: { whose: 'unclear', tell: 'tell.unknown' },
};

/** The tries come newest first; `now` is the server's clock. */
export function verdictOf(
  evse: Pick<Evse, 'status' | 'powerW'>,
  online: boolean,
  attempts: readonly Pick<Attempt, 'at' | 'endedAt' | 'failed' | 'reason'>[],
  now: number,
): Verdict {
  if (!online) return { whose: 'station', tell: 'tell.offline' };
  const plain = byStatus[evse.status];
  if (plain) {
    return evse.status === 'Charging' && evse.powerW !== null && evse.powerW < 100
      ? { whose: 'unclear', tell: 'tell.chargingNothing' }
      : plain;
  }
  const last = attempts.find((a) => a.endedAt !== null);
  if (last?.failed && last.reason !== '' && now - Date.parse(last.endedAt ?? last.at) < RECENT) {
    return byReason[last.reason];
  }
  if (evse.status === 'Preparing') return { whose: 'driver', tell: 'tell.preparing' };
  return { whose: 'nobody', tell: last && !last.failed ? 'tell.works' : 'tell.free' };
}
