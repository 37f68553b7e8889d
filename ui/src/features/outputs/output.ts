// What pages know of sirens, lights, speakers and relays.
import type { OutputShape } from '../../api/shapes';
import type { MessageKey } from '../../i18n/i18n';

export type Output = OutputShape;
export type Phrase = Output['announcements'][number];

/** In the order in which they are reached for. */
export const KINDS = ['light', 'speaker', 'siren', 'relay'] as const;
export type Kind = (typeof KINDS)[number];

export const kindOf = (kind: string): Kind =>
  (KINDS as readonly string[]).includes(kind) ? (kind as Kind) : 'relay';

export const outputName = (o: { id: string; label: string }): string => o.label || o.id;

/** Whether it is on, or may be. */
export const isOn = (o: Pick<Output, 'state'>): boolean => o.state !== 'off';

/** The outputs of a site: they stay where they are, whatever happens to them. */
export const ofSite = (all: readonly Output[] | undefined, site: string): Output[] =>
  (all ?? [])
    .filter((o) => o.siteId === site)
    .sort(
      (a, b) =>
        KINDS.indexOf(kindOf(a.kind)) - KINDS.indexOf(kindOf(b.kind)) ||
        outputName(a).localeCompare(outputName(b)) ||
        a.id.localeCompare(b.id),
    );

const FAILURES = new Set(['unreachable', 'noAnswer', 'refused', 'denied']);

/** What went wrong at the last try, and what that means for the device. */
export const failureKey = (o: Pick<Output, 'error'>): MessageKey | null =>
  o.error === '' ? null : `outputs.failure.${FAILURES.has(o.error) ? (o.error as 'refused') : 'failed'}`;

/** 95 s as 1:35. */
export function clockText(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** For how long one may be asked to be on, shortest first; the longest is its own. */
export function lengths(kind: Kind, longest: number): number[] {
  const usual = kind === 'light' || kind === 'relay' ? [60, 300, 900, 3600] : [10, 30, 60, 180];
  return [...usual.filter((s) => s < longest), longest];
}

/** What is offered first. */
export const usual = (kind: Kind, longest: number): number =>
  Math.min(longest, kind === 'light' ? 900 : kind === 'relay' ? 60 : 30);
