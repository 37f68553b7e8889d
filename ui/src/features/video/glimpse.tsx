import { clock, dayMonth } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import styles from './glimpse.module.css';
import type { Gap, Span } from './past';
import { type Thumbs, useGlimpse } from './thumbs';
import { gapKey } from './track';

/** What is known of the recordings of one camera; undefined: not read yet. */
export type Recorded = { spans: readonly Span[]; gaps: readonly Gap[] } | undefined;

/** Why there is no picture of a moment: a gap's reason, "" where none is known, null where there is one. */
export function lacking(recorded: Recorded, at: number): string | null {
  if (!recorded || recorded.spans.some((s) => s.from <= at && at <= s.to + 2000)) return null;
  // What is being recorded now is some seconds ahead of what we were told.
  const last = recorded.spans.at(-1);
  if (last && at > last.to && at - last.to < 15_000) return null;
  return recorded.gaps.find((g) => g.from <= at && (g.to ?? Number.POSITIVE_INFINITY) > at)?.reason ?? '';
}

export const NO_THUMB: Record<string, MessageKey> = {
  noDecoder: 'video.why.noDecoder',
  busy: 'video.why.busy',
  masked: 'video.why.masked',
};

/** The picture under the pointer, with the time at which it was taken, or why there is none. */
export function Glimpse({
  thumbs,
  camera,
  name,
  recorded,
  at,
  step,
  share,
  children,
}: {
  thumbs: Thumbs;
  camera: string | undefined;
  name: string;
  recorded: Recorded;
  at: number;
  /** How much time a pixel or two stand for. */
  step: number;
  /** Where the pointer is, from 0 to 1. */
  share: number;
  /** What happened then. */
  children?: React.ReactNode;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const why = lacking(recorded, at);
  const seen = useGlimpse(thumbs, why === null ? camera : undefined, at, step);
  const thumb = seen?.state === 'shown' ? seen.thumb : seen?.state === 'loading' ? seen.last : undefined;
  return (
    <div className={styles.glimpse} style={{ '--share': share } as React.CSSProperties} aria-hidden="true">
      {camera !== undefined && (
        <div className={styles.picture}>
          {thumb && <img src={thumb.url} alt="" />}
          {why !== null ? (
            <p>{why === '' ? t('video.review.none') : t('video.review.gap', { reason: t(gapKey(why)) })}</p>
          ) : seen?.state === 'none' ? (
            <p>{t(NO_THUMB[seen.code] ?? 'video.review.none')}</p>
          ) : null}
        </div>
      )}
      <p className={styles.text}>
        <span className={styles.name}>{name}</span>
        <span className="num">
          {dayMonth(tag, at, zone)} {clock(tag, thumb ? thumb.at : at, zone)}
        </span>
      </p>
      {children && <div className={styles.told}>{children}</div>}
    </div>
  );
}
