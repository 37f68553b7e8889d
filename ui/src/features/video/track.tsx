// One axis of time with a lane for each camera, each port that they watch, what
// happened and what people marked. A drag goes there, the wheel zooms, the axis pans.
import { useEffect, useRef, useState } from 'react';
import { DAY, dayMonth, exact, hourMinute, span, clock as toSecond } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { familyKey, StateShape } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { DoorState, doorColor } from '../doors/state';
import { SeverityShape } from '../incidents/severity';
import { paintBands } from '../station/paint';
import { Strip } from '../station/strip';
import { bandAt, ticksOf } from '../station/track';
import { conditionOf, FAMILY } from './camera';
import { Glimpse } from './glimpse';
import type { Lane } from './lanes';
import type { Mark } from './past';
import { clustered, type Seen } from './seen';
import { SeenShape } from './seenshape';
import type { Thumbs } from './thumbs';
import { conditionKey } from './tile';
import styles from './track.module.css';
import { MINUTE, type Win } from './window';

/** As high as a lane is in the style sheet. */
const LANE = 28;
/** So many shapes stand beside each other in a lane at most. */
const MOST_SHAPES = 48;

export function Track({
  lanes,
  win,
  at,
  cut,
  go,
  zoom,
  pan,
  thumbs,
}: {
  lanes: readonly Lane[];
  win: Win;
  at: number;
  /** The time that is to be saved, as far as it is chosen. */
  cut: { in?: number | undefined; out?: number | undefined };
  go: (at: number, done: boolean) => void;
  zoom: (direction: 1 | -1, around: number) => void;
  pan: (by: number) => void;
  thumbs: Thumbs;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { from, to } = win;
  const field = useRef<HTMLDivElement>(null);
  const held = useRef(false);
  const dragged = useRef<number | null>(null);
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
  // The wheel must not scroll the page, which a listener of React cannot prevent.
  const wheel = useRef<(e: WheelEvent) => void>(() => undefined);
  useEffect(() => {
    wheel.current = (e) => {
      e.preventDefault();
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))
        pan((Math.sign(e.deltaX || e.deltaY) * (to - from)) / 12);
      else if (e.deltaY !== 0) zoom(e.deltaY > 0 ? 1 : -1, timeAt(e.clientX));
    };
  });
  useEffect(() => {
    const el = field.current;
    let last = 0;
    const on = (e: WheelEvent) => {
      // A touchpad sends dozens a second: a step of the ladder needs a little time.
      if (!e.shiftKey && e.timeStamp - last < 80) return e.preventDefault();
      last = e.timeStamp;
      wheel.current(e);
    };
    el?.addEventListener('wheel', on, { passive: false });
    return () => el?.removeEventListener('wheel', on);
  }, []);
  const here = over && lanes[over.lane];
  // Over a lane that is no camera's the picture is that of the first.
  const watched =
    here?.kind === 'camera' ? here : lanes.find((l): l is Lane & { kind: 'camera' } => l.kind === 'camera');
  const ticks = ticksOf(from, to, zone, 6);
  return (
    <div className={styles.track}>
      <div className={styles.names}>
        {lanes.map((l) => (
          <span key={l.key} className={styles.name} data-kind={l.kind} title={l.name}>
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
        aria-valuemin={Math.round(from)}
        aria-valuemax={Math.round(to)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={exact(tag, at, zone)}
        onPointerDown={(e) => {
          if (e.button !== 0) return;
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
          if (!held.current) return;
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
      >
        {ticks.at.map((tick) => (
          <span key={tick} className={styles.grid} style={{ insetInlineStart: x(tick) }} />
        ))}
        {lanes.map((l) => (
          <div key={l.key} className={styles.lane}>
            <LaneBody lane={l} win={win} />
          </div>
        ))}
        {(cut.in !== undefined || cut.out !== undefined) && (
          <span
            className={styles.cut}
            data-open={cut.in === undefined || cut.out === undefined}
            style={{
              insetInlineStart: x(cut.in ?? cut.out!),
              width: `max(2px, calc(${x(cut.out ?? cut.in!)} - ${x(cut.in ?? cut.out!)}))`,
            }}
          />
        )}
        {at >= from && at <= to && <span className={styles.cursor} style={{ insetInlineStart: x(at) }} />}
        {over && watched && (
          <>
            <span className={styles.pointer} style={{ insetInlineStart: x(over.at) }} />
            <Glimpse
              thumbs={thumbs}
              camera={watched.camera}
              name={watched.name}
              recorded={watched.spans && { spans: watched.spans, gaps: watched.gaps }}
              at={over.at}
              step={stepOf(from, to, over.width)}
              share={(over.at - from) / (to - from)}
            >
              {here && <Told lane={here} at={over.at} reach={((to - from) / over.width) * 6} />}
            </Glimpse>
          </>
        )}
      </div>
      <div
        className={styles.axis}
        aria-hidden="true"
        onPointerDown={(e) => {
          dragged.current = e.clientX;
          e.currentTarget.setPointerCapture(e.pointerId);
        }}
        onPointerMove={(e) => {
          const width = e.currentTarget.clientWidth;
          if (dragged.current === null || width === 0) return;
          pan(((dragged.current - e.clientX) / width) * (to - from));
          dragged.current = e.clientX;
        }}
        onPointerUp={() => {
          dragged.current = null;
        }}
      >
        {ticks.at.map((tick) => (
          <span
            key={tick}
            className={styles.tick}
            data-edge={edge((tick - from) / (to - from))}
            style={{ insetInlineStart: x(tick) }}
          >
            {tickText(tag, tick, zone, ticks.step)}
          </span>
        ))}
      </div>
    </div>
  );
}

const edge = (share: number) => (share > 0.96 ? 'end' : share < 0.03 ? 'start' : undefined);

function tickText(tag: string, at: number, zone: string | undefined, step: number): string {
  if (step < MINUTE) return toSecond(tag, at, zone);
  return step >= DAY || hourMinute(tag, at, zone) === '00:00'
    ? dayMonth(tag, at, zone)
    : hourMinute(tag, at, zone);
}

function LaneBody({ lane, win: { from, to } }: { lane: Lane; win: Win }) {
  const x = (time: number) => `${Math.min(100, Math.max(0, ((time - from) / (to - from)) * 100))}%`;
  const box = (s: { from: number; to: number }) => ({
    insetInlineStart: x(s.from),
    width: `max(2px, calc(${x(s.to)} - ${x(s.from)}))`,
  });
  const within = <T extends { from: number; to: number | null }>(all: readonly T[]) =>
    all.filter((s) => s.from < to && (s.to ?? to) >= from);
  switch (lane.kind) {
    case 'camera':
      return (
        <>
          {within(lane.spans ?? []).map((s) => (
            <span key={s.from} className={styles.span} style={box(s)} />
          ))}
          {within(lane.gaps).map((g) => (
            <span key={g.from} className={styles.gap} style={box({ from: g.from, to: g.to ?? to })} />
          ))}
          {within(lane.marks).map((m) => (
            <span
              key={`${m.id}${m.from}`}
              className={styles.scene}
              data-bad={isTamper(m.what)}
              style={box(m)}
            />
          ))}
          {clustered(within(lane.seen), (to - from) / MOST_SHAPES).map(
            (c) =>
              c.from >= from && (
                <span key={c.from} className={styles.seen} style={{ insetInlineStart: x(c.from) }}>
                  <SeenShape kind={c.kinds[0]!} size={12} />
                  {c.kinds.length > 1 && `+${c.kinds.length - 1}`}
                </span>
              ),
          )}
          {within(lane.conditions).map((c) => (
            <span
              key={c.from}
              className={styles.condition}
              data-family={FAMILY[conditionOf(c.state)]}
              style={box(c)}
            />
          ))}
        </>
      );
    case 'port':
      return (
        <div className={styles.port}>
          <Strip items={lane.bands} from={from} to={to} paint={paintBands} />
          {within(lane.charges).map((c) => (
            <span key={c.from} className={styles.charge} style={box(c)} />
          ))}
        </div>
      );
    case 'door':
      return (
        <>
          {within(lane.spans).map((s) => (
            <span
              key={s.from}
              className={styles.doorSpan}
              style={{ ...box(s), background: doorColor(s.state) }}
            />
          ))}
          {lane.comings
            .filter((c) => c.at >= from && c.at <= to)
            .map((c) => (
              <span
                key={`${c.at}${c.name}`}
                className={styles.coming}
                data-allowed={c.allowed}
                style={{ insetInlineStart: x(c.at) }}
              />
            ))}
        </>
      );
    case 'marks':
      return within(lane.marks).map((m) => (
        <span
          key={m.id}
          className={styles.lasting}
          data-kind={m.kind}
          data-severity={m.severity}
          style={box(m)}
        >
          {m.from >= from && (
            <span className={styles.flag}>
              {m.kind === 'bookmark' ? (
                <Icon name="flag" size={14} />
              ) : (
                <SeverityShape severity={m.severity ?? 'S4'} size={12} />
              )}
            </span>
          )}
        </span>
      ));
  }
}

/** What a lane says of a moment, in words. */
function Told({ lane, at, reach }: { lane: Lane; at: number; reach: number }) {
  const t = useT();
  const tag = useTag();
  const near = (m: Mark) => m.from - reach <= at && m.to + reach >= at;
  if (lane.kind === 'camera') {
    const state = lane.conditions.find((c) => c.from <= at && at < c.to);
    const marks = lane.marks.filter(near).slice(0, 3);
    const seen = lane.seen.filter((s) => s.from - 2 * reach <= at && s.to + reach >= at).slice(0, 4);
    return (
      <>
        {state && (
          <p>
            <StateShape family={FAMILY[conditionOf(state.state)]} size={12} />{' '}
            {t(conditionKey(conditionOf(state.state)))}
          </p>
        )}
        {marks.map((m) => (
          <p key={`${m.id}${m.from}`}>
            <span className={styles.dot} data-bad={isTamper(m.what)} aria-hidden="true" />{' '}
            {t(sceneKey(m.what))}
            {m.to - m.from >= 1000 && ` · ${span(m.to - m.from)}`}
          </p>
        ))}
        {seen.map((s) => (
          <p key={`${s.what}${s.from}`}>
            <SeenShape kind={s.what} size={12} /> {seenText(t, tag, s)}
          </p>
        ))}
      </>
    );
  }
  if (lane.kind === 'door') {
    const state = lane.spans.find((s) => s.from <= at && at < s.to);
    const near = lane.comings.filter((c) => Math.abs(c.at - at) <= reach).slice(0, 3);
    return (
      <>
        <p>{lane.name}</p>
        {state && (
          <p>
            <DoorState state={state.state} size={12} />
          </p>
        )}
        {near.map((c) => (
          <p key={`${c.at}${c.name}`}>
            <StateShape family={c.allowed ? 'available' : 'faulted'} size={12} />{' '}
            {t(c.allowed ? 'video.review.letIn' : 'video.review.refused', {
              who: c.name || t('video.review.somebody'),
            })}
          </p>
        ))}
      </>
    );
  }
  if (lane.kind === 'port') {
    const band = bandAt(lane.bands, at);
    const charge = lane.charges.find((c) => c.from <= at && at <= c.to);
    return (
      <>
        <p>{lane.name}</p>
        {band && band.family !== 'unseen' && (
          <p>
            <StateShape family={band.family} size={12} /> {t(familyKey(band.family))}
          </p>
        )}
        {charge && <p>{t('video.review.session', { kwh: (charge.energyWh / 1000).toFixed(1) })}</p>}
      </>
    );
  }
  return lane.marks
    .filter(near)
    .slice(0, 4)
    .map((m) => (
      <p key={m.id}>
        {m.kind === 'bookmark' ? (
          <Icon name="flag" size={12} />
        ) : (
          <SeverityShape severity={m.severity ?? 'S4'} size={12} />
        )}{' '}
        {m.what}
      </p>
    ));
}

/** What was seen, what it said if it is a plate, and how sure the source was. */
const seenText = (t: ReturnType<typeof useT>, tag: string, s: Seen): string =>
  [
    t(sceneKey(s.what)),
    ...s.plates.slice(0, 3).map((p) => p.text),
    s.score > 0 && new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }).format(s.score),
  ]
    .filter(Boolean)
    .join(' · ');

/** How much time two pixels stand for, at least what lies between two pictures. */
export const stepOf = (from: number, to: number, width: number): number =>
  Math.max(2000, Math.ceil((((to - from) / Math.max(1, width)) * 2) / 1000) * 1000);

const TAMPER = new Set(['covered', 'defocused', 'turned', 'blinded', 'frozen', 'clockJump', 'tamper']);
const isTamper = (what: string) => TAMPER.has(what);

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
