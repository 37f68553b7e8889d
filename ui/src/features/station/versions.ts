// The versions of firmware a station has run, from what it says when it boots.
import type { SystemEvent } from '../../api/shapes';

export type Version = { version: string; from: number; to: number; boots: number };

/** Newest first; each ran until the next was first heard of. */
export function versionsOf(events: readonly SystemEvent[], now: number): Version[] {
  const list: Version[] = [];
  const boots = events
    .filter((e) => e.kind === 'boot' && typeof e.data.firmware === 'string' && e.data.firmware !== '')
    .map((e) => ({ at: Date.parse(e.at), version: String(e.data.firmware) }))
    .sort((a, b) => a.at - b.at);
  for (const b of boots) {
    const last = list.at(-1);
    if (last?.version === b.version) {
      last.boots++;
      continue;
    }
    if (last) last.to = b.at;
    list.push({ version: b.version, from: b.at, to: now, boots: 1 });
  }
  return list.reverse();
}

export type Step = { seq: number; at: number; status: string; request: number | null; failed: boolean };

/** What the station said of updates, newest first. */
export const updateSteps = (events: readonly SystemEvent[]): Step[] =>
  events
    .filter((e) => e.kind === 'firmware' && e.data.status !== 'Idle')
    .map((e) => ({
      seq: e.seq,
      at: Date.parse(e.at),
      status: String(e.data.status ?? ''),
      request: typeof e.data.requestId === 'number' ? e.data.requestId : null,
      failed: /Fail|Invalid/.test(String(e.data.status)),
    }));
