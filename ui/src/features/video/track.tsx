import { useRef } from 'react';
import { exact, hourMinute } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import { ticksOf } from '../station/track';
import type { Gap, Mark, Span } from './past';
import styles from './track.module.css';

export type Lane = {
  key: string;
  name: string;
  spans?: readonly Span[];
  gaps?: readonly Gap[];
  marks: readonly Mark[];
};

/** One axis of time with a lane for each camera and one for incidents. A click or a drag goes there. */
export function Track({
  lanes,
  from,
  to,
  at,
  go,
  zoom,
}: {
  lanes: readonly Lane[];
  from: number;
  to: number;
  at: number;
  go: (at: number, done: boolean) => void;
  zoom: (factor: number, around: number) => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const field = useRef<HTMLDivElement>(null);
  const held = useRef(false);
  const x = (time: number) => `${Math.min(100, Math.max(0, ((time - from) / (to - from)) * 100))}%`;
  const timeAt = (clientX: number) => {
    const r = field.current?.getBoundingClientRect();
    return r ? from + ((clientX - r.left) / r.width) * (to - from) : at;
  };
  const box = (s: { from: number; to: number }) => ({
    insetInlineStart: x(s.from),
    width: `max(2px, calc(${x(s.to)} - ${x(s.from)}))`,
  });
  return (
    <div className={styles.track}>
      <div className={styles.names} aria-hidden="true">
        {lanes.map((l) => (
          <span key={l.key} className={styles.name}>
            {l.name}
          </span>
        ))}
      </div>
      <div
        ref={field}
        className={styles.field}
        role="slider"
        tabIndex={0}
        aria-label={t('video.review.time')}
        aria-valuemin={from}
        aria-valuemax={to}
        aria-valuenow={Math.round(at)}
        aria-valuetext={exact(tag, at, zone)}
        onPointerDown={(e) => {
          held.current = true;
          e.currentTarget.setPointerCapture(e.pointerId);
          go(timeAt(e.clientX), false);
        }}
        onPointerMove={(e) => held.current && go(timeAt(e.clientX), false)}
        onPointerUp={(e) => {
          held.current = false;
          go(timeAt(e.clientX), true);
        }}
        onWheel={(e) => {
          if (e.ctrlKey) zoom(e.deltaY > 0 ? 2 : 0.5, timeAt(e.clientX));
          else go(at + (Math.sign(e.deltaY) * (to - from)) / 120, true);
        }}
      >
        {lanes.map((l) => (
          <div key={l.key} className={styles.lane}>
            {l.spans?.map((s) => (
              <span key={s.from} className={styles.span} style={box(s)} />
            ))}
            {l.gaps?.map((g) => (
              <span
                key={g.from}
                className={styles.gap}
                style={box({ from: g.from, to: g.to ?? to })}
                title={t('video.review.gap', { reason: t(gapKey(g.reason)) })}
              />
            ))}
            {l.marks.map((m) => (
              <span
                key={`${m.kind}${m.id}${m.from}`}
                className={m.kind === 'incident' ? styles.incident : styles.scene}
                data-severity={m.severity}
                style={box(m)}
                title={`${m.kind === 'scene' ? t(sceneKey(m.what)) : m.what} · ${hourMinute(tag, m.from, zone)}`}
              />
            ))}
          </div>
        ))}
        <span className={styles.cursor} style={{ insetInlineStart: x(at) }} />
      </div>
      <div className={styles.axis} aria-hidden="true">
        {ticksOf(from, to, zone).at.map((tick) => (
          <span key={tick} className={styles.tick} style={{ insetInlineStart: x(tick) }}>
            {hourMinute(tag, tick, zone)}
          </span>
        ))}
      </div>
    </div>
  );
}

const SCENES = [
  'motion',
  'person',
  'vehicle',
  'animal',
  'plate',
  'lineCrossing',
  'covered',
  'defocused',
  'turned',
  'blinded',
  'frozen',
  'clockJump',
  'tamper',
] as const;
export const sceneKey = (what: string): MessageKey =>
  `video.scene.${(SCENES as readonly string[]).includes(what) ? (what as (typeof SCENES)[number]) : 'motion'}`;

const GAPS = ['connection', 'stalled', 'slow', 'disk', 'diskFull', 'codec', 'stopped'] as const;
export const gapKey = (reason: string): MessageKey =>
  `video.gap.${(GAPS as readonly string[]).includes(reason) ? (reason as (typeof GAPS)[number]) : 'other'}`;
