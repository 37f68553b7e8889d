// An incident as the pages read it: lists that are never missing, and what follows
// from its fields.
import type { IncidentDetail, IncidentShape } from '../../api/shapes';

export type Incident = IncidentShape;
export type Detail = IncidentDetail;

export const SEVERITIES = ['S1', 'S2', 'S3', 'S4'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const rankOf = (severity: string): number => {
  const i = SEVERITIES.indexOf(severity as Severity);
  return i < 0 ? SEVERITIES.length : i;
};

/** What of an incident is shown needs an id, a time and a severity; anything else is not one. */
export function isIncident(v: unknown): v is Incident {
  if (typeof v !== 'object' || v === null) return false;
  const i = v as Record<string, unknown>;
  return (
    typeof i.id === 'string' &&
    typeof i.severity === 'string' &&
    typeof i.state === 'string' &&
    typeof i.title === 'string' &&
    !Number.isNaN(Date.parse(String(i.openedAt)))
  );
}

/** Lists that the server leaves out are empty ones. */
export function whole<T extends Incident>(i: T): T {
  i.subjects ??= [];
  i.evidence ??= [];
  i.findings ??= [];
  i.children ??= [];
  i.slaBreached ??= [];
  i.detectors ??= [];
  i.remedies ??= [];
  i.clips ??= [];
  i.labels ??= {};
  i.people ??= {};
  return i;
}

export function wholeDetail(d: Detail): Detail {
  whole(d);
  d.log ??= [];
  d.precision ??= [];
  d.calls ??= [];
  d.cameraClips ??= [];
  d.folded = (d.folded ?? []).filter(isIncident).map(whole);
  d.similar = (d.similar ?? []).filter(isIncident).map(whole);
  return d;
}

/** When the trouble that is on now began. */
export const beganAt = (i: Incident): number => Date.parse(i.reopenedAt ?? i.openedAt);

/** Worst first, what still lasts before what only waits for a person, then the newest; the id decides between equals. */
export function compare(a: Incident, b: Incident): number {
  return (
    rankOf(a.severity) - rankOf(b.severity) ||
    Number(a.repairedAt !== null) - Number(b.repairedAt !== null) ||
    beganAt(b) - beganAt(a) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Whether it stands in a list of its own: not over, and not part of another. */
export const stands = (i: Incident): boolean =>
  i.state !== 'closed' && i.parentId === null && i.mergedInto === null;

/** New and nobody's: what may draw the eye. */
export const fresh = (i: Incident, now: number): boolean =>
  i.state === 'open' && i.acknowledgedAt === null && now - beganAt(i) < 15 * 60_000;

export const snoozed = (i: Incident, now: number): boolean =>
  i.snoozedUntil !== null && Date.parse(i.snoozedUntil) > now;

export const claimed = (i: Incident, now: number): boolean =>
  i.claimedBy !== null && (i.claimedUntil === null || Date.parse(i.claimedUntil) > now);

/** Who has it: who claimed it, else to whom it was given. */
export const ownerOf = (i: Incident, now: number): string | null =>
  claimed(i, now) ? i.claimedBy : i.assignee;

export type Due = {
  which: 'ack' | 'repair';
  /** The promise; 0 where it is broken and not known any more. */
  at: number;
  level: 'far' | 'near' | 'over';
};

/** How near the end of a promise is a warning: the last fifth of it. */
const NEAR = 0.8;

/** The clock that runs next, or the promise that was broken. */
export function dueOf(i: Incident, now: number): Due | null {
  if (i.state === 'closed' || i.repairedAt !== null) return null;
  const clocks = [
    { which: 'ack', at: i.slaAckDueAt, running: i.acknowledgedAt === null },
    { which: 'repair', at: i.slaRepairDueAt, running: true },
  ] as const;
  for (const c of clocks) {
    if (!c.running || c.at === null) continue;
    const at = Date.parse(c.at);
    if (at <= now || i.slaBreached.includes(c.which)) {
      // A broken promise to answer says nothing any more once the repair is late too.
      const repair = i.slaRepairDueAt === null ? Number.POSITIVE_INFINITY : Date.parse(i.slaRepairDueAt);
      if (c.which === 'ack' && repair <= now) continue;
      return { which: c.which, at, level: 'over' };
    }
    const began = beganAt(i);
    return { which: c.which, at, level: now >= began + (at - began) * NEAR ? 'near' : 'far' };
  }
  return null;
}

/** Where it is: "DE-HAM-0042" and its port. */
export const placeOf = (i: Incident): { station: string; evse: number } | null =>
  i.station ? { station: i.station, evse: i.evse ?? 0 } : null;
