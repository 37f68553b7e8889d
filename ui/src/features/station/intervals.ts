// From events to a band of states. What was not observed is a state of its own:
// before the first event, while the station was away and while we were down.
import type { SystemEvent } from '../../api/shapes';
import { type Family, familyOf, STATUSES, type Status } from '../../live/status';

const LATE_MS = 120_000;

export type Interval = { from: number; to: number; family: Family; status: Status | null };

const isStatus = (v: unknown): v is Status => STATUSES.includes(v as Status);

// OCPP 2.x says Occupied for the plug and tells the rest in the transaction.
function statusWord(v: unknown): Status | null {
  if (isStatus(v)) return v;
  if (v === 'Occupied') return 'Preparing';
  return null;
}

const chargingStates: Record<string, Status> = {
  Charging: 'Charging',
  SuspendedEV: 'SuspendedEV',
  SuspendedEVSE: 'SuspendedEVSE',
  EVConnected: 'Preparing',
};

export function evseOf(subject: string): number {
  const parts = subject.split('/');
  const n = Number(parts[2]);
  return parts.length > 2 && Number.isInteger(n) ? n : 0;
}

/**
 * The states of one port between two moments. Events may come in any order and
 * must reach back before `from` to say how the time began; what they do not say is unknown.
 */
export function intervals(
  events: readonly SystemEvent[],
  evse: number,
  from: number,
  to: number,
  now: { status: Status; online: boolean; since: number | null },
): Interval[] {
  const ordered = events
    .map((e) => ({ e, at: Date.parse(e.at) }))
    .filter((x) => Number.isFinite(x.at))
    .sort((a, b) => a.at - b.at || a.e.seq - b.e.seq);
  let status: Status | null = null;
  let online: boolean | null = null;
  const out: Interval[] = [];
  let since = from;
  const family = (): Family =>
    online === false ? 'offline' : status === null ? 'unknown' : familyOf(status, true);
  const close = (at: number) => {
    const end = Math.min(Math.max(at, from), to);
    if (end > since) {
      const last = out.at(-1);
      const f = family();
      if (last?.family === f && (f === 'offline' || last.status === status) && last.to === since)
        last.to = end;
      else out.push({ from: since, to: end, family: f, status });
    }
    since = Math.max(since, end);
  };
  for (const { e, at } of ordered) {
    if (at > to) break;
    const its = evseOf(e.subject);
    let nextStatus: Status | null = status;
    let nextOnline: boolean | null = online;
    if (e.kind === 'connected') nextOnline = true;
    else if (e.kind === 'disconnected') nextOnline = false;
    else if (its === evse && e.kind === 'status') {
      const word = statusWord(e.data.status);
      // Occupied adds nothing to what the running transaction already said.
      if (word !== null && !(e.data.status === 'Occupied' && status !== null && status !== 'Available'))
        nextStatus = word;
      // Said later about an earlier time, it tells what the port did, not that we heard it then.
      if (Date.parse(e.receivedAt) - at < LATE_MS) nextOnline = true;
    } else if (its === evse && e.kind === 'transaction') {
      const late = e.data.offline === true || Date.parse(e.receivedAt) - at >= LATE_MS;
      const word = chargingStates[String(e.data.chargingState ?? '')];
      // What followed the end of a session that was only told later, nobody saw.
      if (e.data.stage === 'ended') nextStatus = late ? null : 'Finishing';
      else if (word) nextStatus = word;
      else if (late && e.data.stage === 'started') nextStatus = 'Charging';
    } else continue;
    if (nextStatus === status && nextOnline === online) continue;
    close(at);
    status = nextStatus;
    online = nextOnline;
  }
  close(to);
  // The present is known better than any event tells it, from the moment it began.
  const last = out.at(-1);
  const present = familyOf(now.status, now.online);
  if (last && last.family !== present && now.since !== null && now.since < to) {
    const start = Math.max(now.since, last.from);
    if (start > last.from) {
      last.to = start;
      out.push({ from: start, to, family: present, status: now.status });
    } else {
      last.family = present;
      last.status = now.status;
    }
  }
  return out;
}
