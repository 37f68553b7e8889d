// What pages know of a door, and the order in which doors want to be seen.
import type { DoorShape } from '../../api/shapes';
import type { MessageKey } from '../../i18n/i18n';

export type Door = DoorShape;

export const CONDITIONS = [
  'forced',
  'held',
  'lockdown',
  'offline',
  'open',
  'unlocked',
  'locked',
  'unknown',
] as const;
export type Condition = (typeof CONDITIONS)[number];

export const KINDS = ['door', 'gate', 'barrier', 'cabinet'] as const;
export type Kind = (typeof KINDS)[number];

export const conditionOf = (state: string): Condition =>
  (CONDITIONS as readonly string[]).includes(state) ? (state as Condition) : 'unknown';

export const kindOf = (kind: string): Kind =>
  (KINDS as readonly string[]).includes(kind) ? (kind as Kind) : 'door';

export const doorName = (d: { id: string; label: string }): string => d.label || d.id;

/** What wants a person's eye. */
export const isAmiss = (d: { state: string }): boolean =>
  ['forced', 'held', 'offline'].includes(conditionOf(d.state));

const REASONS = new Set([
  'fire',
  'button',
  'remote',
  'schedule',
  'scenario',
  'mode',
  'lockdown',
  'unreachable',
  'relay',
  'unseen',
]);

/** Why a door is as it is, where that says more than its state. */
export const reasonKey = (d: { reason: string }): MessageKey | null =>
  REASONS.has(d.reason) ? `doors.why.${d.reason as 'fire'}` : null;

/** Who lets people in while the server is down. */
export const DECIDES = {
  list: 'doors.byList',
  deny: 'doors.byServer',
  system: 'doors.bySystem',
} as const satisfies Record<Door['whenOffline'], MessageKey>;

/** Doors of each site by name: they stay where they are, whatever happens to them. */
export function bySite<D extends { siteId: string; id: string; label: string }>(
  doors: readonly D[],
  siteName: (id: string) => string,
): { site: string; doors: D[] }[] {
  const sites = new Map<string, D[]>();
  for (const d of doors) {
    const list = sites.get(d.siteId);
    if (list) list.push(d);
    else sites.set(d.siteId, [d]);
  }
  return [...sites]
    .map(([site, list]) => ({
      site,
      doors: list.sort((a, b) => doorName(a).localeCompare(doorName(b)) || a.id.localeCompare(b.id)),
    }))
    .sort((a, b) => siteName(a.site).localeCompare(siteName(b.site)));
}
