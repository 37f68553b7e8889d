import { useRef, useState } from 'react';
import { exact, hourMinute } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import { ticksOf } from '../station/track';
import { Glimpse } from './glimpse';
import type { Gap, Mark, Span } from './past';
import type { Thumbs } from './thumbs';
import styles from './track.module.css';

export type Lane = {
  key: string;
  name: string;
  /** Whose picture is shown where the pointer is on it. */
  camera?: string;
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
  thumbs,
}: {
  lanes: readonly Lane[];
  from: number;
  to: number;
  at: number;
  go: (at: number, done: boolean) => void;
  zoom: (factor: number, around: number) => void;
  thumbs: Thumbs;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const field = useRef<HTMLDivElement>(null);
  const held = useRef(false);
  const [over, setOver] = useState<{ at: number; lane: number; width: number } | null>(null);
  const x = (time: number) => `${Math.min(100, Math.max(0, ((time - from) / (to - from)) * 100))}%`;
  const timeAt = (clientX: number) => {
    const r = field.current?.getBoundingClientRect();
    return r ? from + ((clientX - r.left) / r.width) * (to - from) : at;
  };
  const hover = (e: React.PointerEvent) => {
    const r = field.current?.getBoundingClientRect();
    if (!r || r.width === 0) return;
    const lane = Math.min(lanes.length - 1, Math.max(0, Math.floor((e.clientY - r.top) / LANE)));
    setOver({ at: Math.min(to, Math.max(from, timeAt(e.clientX))), lane, width: r.width });
  };
  // Over a lane that is no camera's the picture is that of the first.
  const watched = over && (lanes[over.lane]?.camera ? lanes[over.lane] : lanes.find((l) => l.camera));
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
          hover(e);
          go(timeAt(e.clientX), false);
        }}
        onPointerMove={(e) => {
          hover(e);
          if (held.current) go(timeAt(e.clientX), false);
        }}
        onPointerUp={(e) => {
          held.current = false;
          if (e.pointerType === 'touch') setOver(null);
          go(timeAt(e.clientX), true);
        }}
        onPointerCancel={() => {
          held.current = false;
          setOver(null);
          go(at, true);
        }}
        onPointerLeave={() => !held.current && setOver(null)}
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
        {over && watched && (
          <>
            <span className={styles.pointer} style={{ insetInlineStart: x(over.at) }} />
            <Glimpse
              thumbs={thumbs}
              camera={watched.camera}
              name={watched.name}
              recorded={watched.spans && { spans: watched.spans, gaps: watched.gaps ?? [] }}
              at={over.at}
              step={stepOf(from, to, over.width)}
              share={(over.at - from) / (to - from)}
            />
          </>
        )}
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

/** As high as a lane is in the style sheet. */
const LANE = 28;

/** How much time two pixels stand for, at least what lies between two pictures. */
export const stepOf = (from: number, to: number, width: number): number =>
  Math.max(2000, Math.ceil((((to - from) / Math.max(1, width)) * 2) / 1000) * 1000);

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
