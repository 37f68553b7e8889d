import { useElementSize } from '@mantine/hooks';
import { type PointerEvent as Pointer, useCallback, useMemo, useRef, useState } from 'react';
import type { Command, PastFault, Session } from '../../api/shapes';
import { DAY, day, dayMonth, hourMinute, MINUTE } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { StateShape } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { type Mark, paintBands, paintMarks } from './paint';
import { Plot, type Trace } from './plot';
import { partsAt, Readout, useShownWord } from './readout';
import { Strip } from './strip';
import styles from './timeline.module.css';
import { type Band, ticksOf } from './track';

type Spanned = { from: number; to: number };

/** A moment that concerns all lanes, named above them. */
export type Moment = { at: number; name: string };

/** All that a timeline shows, each list in order of time. */
export type Joined = {
  ports: { id: number; bands: Band[] }[];
  links: Band[];
  /** Zero: each change is shown. */
  stepSeconds: number;
  faults: (PastFault & Spanned)[];
  faultsFrom: number;
  sessions: (Session & Spanned)[];
  commands: Command[];
  /** What the station said, where it is shown. */
  told?: { at: number; text: string }[];
  power: Trace[];
  soc: Trace[];
  temperature: Trace[];
};

const SHORTEST = MINUTE;
const measured = (traces: Trace[]) => traces.some((l) => l.value.some((v) => v !== null));
/** The top of the power axis: the rating where it is known, so that a weak session looks weak. */
export const powerTop = (max: number, ratedW: number | null): number =>
  Math.max(max, (ratedW ?? 0) / 1000, 1) * 1.08;
const percent = (): [number, number] => [0, 100];
const degrees = (min: number, max: number): [number, number] => [
  Math.min(0, Math.floor(min / 10) * 10),
  Math.max(40, Math.ceil(max / 10) * 10),
];

// A label at the rim leans inwards.
const edgeOf = (share: number) => (share > 0.93 ? 'end' : share < 0.05 ? 'start' : undefined);

export function Lanes({
  joined,
  port,
  rated,
  from,
  to,
  end,
  zoom,
  moments,
  above,
}: {
  joined: Joined;
  port: number;
  rated: number | null;
  from: number;
  to: number;
  /** Now, where the stretch goes on into what has not happened yet. */
  end: number;
  zoom: (from: number, to: number) => void;
  moments?: readonly Moment[];
  /** A lane of things that can be followed, which lies under no cursor. */
  above?: (size: { left: number; width: number }) => React.ReactNode;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { ref, width } = useElementSize();
  const left = width < 560 ? 64 : 104;
  const [cursor, setCursor] = useState<number | null>(null);
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const overlay = useRef<HTMLDivElement>(null);

  const faults = useMemo(
    () => joined.faults.map((f): Mark => ({ from: f.from, to: f.to, form: f.warning ? 'warning' : 'fault' })),
    [joined.faults],
  );
  const sessions = useMemo(
    () => joined.sessions.map((s): Mark => ({ from: s.from, to: s.to, form: 'session' })),
    [joined.sessions],
  );
  const commands = useMemo(
    () =>
      joined.commands.map((c): Mark => {
        const at = Date.parse(c.requestedAt);
        return { from: at, to: at, form: 'command', bad: c.status !== 'answered' && c.status !== 'sent' };
      }),
    [joined.commands],
  );
  const told = useMemo(
    () => joined.told?.map((e): Mark => ({ from: e.at, to: e.at, form: 'command' })),
    [joined.told],
  );
  const power = useCallback(
    (_min: number, max: number): [number, number] => [0, powerTop(max, rated)],
    [rated],
  );
  const level = useMemo(
    () => (rated ? { at: rated / 1000, name: t('timeline.rated', { kw: rated / 1000 }) } : null),
    [rated, t],
  );
  const ticks = useMemo(() => ticksOf(from, to, zone, width < 560 ? 3 : 6), [from, to, zone, width]);
  const share = (at: number) => `${Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100))}%`;

  const timeAt = (e: Pointer): number => {
    const box = overlay.current?.getBoundingClientRect();
    if (!box || box.width === 0) return from;
    return from + Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)) * (to - from);
  };
  const finish = () => {
    if (drag) {
      const [a, b] = [Math.min(drag.a, drag.b), Math.max(drag.a, drag.b)];
      if (((b - a) / (to - from)) * Math.max(1, width - left) >= 6) {
        const middle = (a + b) / 2;
        const half = Math.max(SHORTEST, b - a) / 2;
        zoom(middle - half, middle + half);
        setCursor(null);
      }
    }
    setDrag(null);
  };
  const keys = (e: React.KeyboardEvent) => {
    const pixel = (to - from) / Math.max(1, width - left);
    const at = cursor ?? end - pixel;
    const set = (x: number) => {
      e.preventDefault();
      setCursor(Math.min(end - 1, Math.max(from, x)));
    };
    const about = (factor: number) => {
      e.preventDefault();
      const span = Math.max(SHORTEST, (to - from) * factor);
      zoom(at - span / 2, Math.min(Math.max(end, to), at + span / 2));
    };
    switch (e.key) {
      case 'ArrowLeft':
        return set(at - pixel * (e.shiftKey ? 40 : 4));
      case 'ArrowRight':
        return set(at + pixel * (e.shiftKey ? 40 : 4));
      case 'Home':
        return set(from);
      case 'End':
        return set(end);
      case '+':
        return about(0.25);
      case '-':
        return about(4);
      case 'Escape':
        return setCursor(null);
    }
  };
  const parts = partsAt(joined, cursor, (to - from) / Math.max(100, width - left));
  const spoken = useSpoken(parts);
  const shown = [...new Set([...joined.ports.flatMap((p) => p.bands), ...joined.links].map((b) => b.family))];
  const late = joined.ports.some((p) => p.bands.some((b) => b.late));

  return (
    <div ref={ref} className={styles.timeline} style={{ '--left': `${left}px` } as React.CSSProperties}>
      <Readout parts={parts} />
      {above?.({ left, width })}
      <div className={styles.lanes} data-moments={moments !== undefined}>
        {joined.ports.map((p) => (
          <Lane key={p.id} name={t('port.n', { port: p.id })} strong={p.id === port}>
            <Strip items={p.bands} from={from} to={to} paint={paintBands} />
          </Lane>
        ))}
        <Lane name={t('station.connection')}>
          <Strip items={joined.links} from={from} to={to} paint={paintBands} />
        </Lane>
        <Value name={t('curve.power')} empty={measured(joined.power) ? null : t('timeline.noPower')}>
          <Plot
            traces={joined.power}
            from={from}
            to={to}
            height={168}
            left={left}
            unit="kW"
            range={power}
            level={level}
          />
        </Value>
        {measured(joined.soc) && (
          <Value name={t('port.soc')} empty={null}>
            <Plot traces={joined.soc} from={from} to={to} height={64} left={left} unit="%" range={percent} />
          </Value>
        )}
        <Value
          name={t('timeline.temperature')}
          empty={measured(joined.temperature) ? null : t('timeline.noTemperature')}
        >
          <Plot
            traces={joined.temperature}
            from={from}
            to={to}
            height={64}
            left={left}
            unit="°C"
            range={degrees}
          />
        </Value>
        <Lane name={t('timeline.faults')} note={faults.length === 0 ? t('timeline.noFaults') : undefined}>
          <Strip items={faults} from={from} to={to} paint={paintMarks} />
        </Lane>
        <Lane
          name={t('sessions.title')}
          note={sessions.length === 0 ? t('timeline.noSessions', { port }) : undefined}
        >
          <Strip items={sessions} from={from} to={to} paint={paintMarks} />
        </Lane>
        <Lane name={t('tab.commands')} note={commands.length === 0 ? t('timeline.noCommands') : undefined}>
          <Strip items={commands} from={from} to={to} paint={paintMarks} />
        </Lane>
        {told && (
          <Lane name={t('tab.messages')} note={told.length === 0 ? t('timeline.noMessages') : undefined}>
            <Strip items={told} from={from} to={to} paint={paintMarks} />
          </Lane>
        )}
        <div
          ref={overlay}
          className={styles.overlay}
          role="slider"
          tabIndex={0}
          aria-label={t('timeline.cursor')}
          aria-valuemin={Math.round(from / 1000)}
          aria-valuemax={Math.round(to / 1000)}
          aria-valuenow={Math.round((cursor ?? to) / 1000)}
          aria-valuetext={spoken}
          onKeyDown={keys}
          onPointerDown={(e) => {
            setCursor(timeAt(e));
            if (e.pointerType === 'touch' || e.button !== 0) return;
            e.currentTarget.setPointerCapture(e.pointerId);
            setDrag({ a: timeAt(e), b: timeAt(e) });
          }}
          onPointerMove={(e) => {
            const at = timeAt(e);
            setCursor(at);
            setDrag((d) => d && { a: d.a, b: at });
          }}
          onPointerUp={finish}
          onPointerCancel={() => setDrag(null)}
          onPointerLeave={(e) => e.pointerType !== 'touch' && !drag && setCursor(null)}
        >
          {ticks.at.map((x) => (
            <span key={x} className={styles.grid} style={{ left: share(x) }} />
          ))}
          {drag && (
            <span
              className={styles.selection}
              style={{
                left: share(Math.min(drag.a, drag.b)),
                width: `${(Math.abs(drag.b - drag.a) / (to - from)) * 100}%`,
              }}
            />
          )}
          {moments
            ?.filter((m) => m.at >= from && m.at <= to)
            .map((m) => (
              <span
                key={`${m.name} ${m.at}`}
                className={styles.moment}
                data-edge={edgeOf((m.at - from) / (to - from))}
                style={{ left: share(m.at) }}
              >
                <span className={styles.momentName}>{m.name}</span>
              </span>
            ))}
          {cursor !== null && <span className={styles.cursor} style={{ left: share(cursor) }} />}
        </div>
      </div>
      <div className={styles.axis} aria-hidden="true">
        {ticks.at.map((x) => (
          <span key={x} style={{ left: share(x) }} data-edge={edgeOf((x - from) / (to - from))}>
            {ticks.step >= 90 * DAY
              ? day(tag, x, zone)
              : ticks.step >= DAY || hourMinute(tag, x, zone) === '00:00'
                ? dayMonth(tag, x, zone)
                : hourMinute(tag, x, zone)}
          </span>
        ))}
      </div>
      <Key shown={shown} late={late} stepSeconds={joined.stepSeconds} />
    </div>
  );
}

function Lane({
  name,
  strong = false,
  note,
  children,
}: {
  name: string;
  strong?: boolean;
  note?: string | undefined;
  children: React.ReactNode;
}) {
  return (
    <div className={styles.lane} data-strong={strong}>
      <span className={styles.name}>{name}</span>
      <div className={styles.track}>{note ? <span className="meta">{note}</span> : children}</div>
    </div>
  );
}

/** A plot brings its own axis, as wide as the names of the lanes. */
function Value({ name, empty, children }: { name: string; empty: string | null; children: React.ReactNode }) {
  if (empty !== null) {
    return (
      <Lane name={name} note={empty}>
        {null}
      </Lane>
    );
  }
  return (
    <div className={styles.value}>
      <span className={styles.valueName}>{name}</span>
      {children}
    </div>
  );
}

function useSpoken(parts: ReturnType<typeof partsAt>): string {
  const t = useT();
  const word = useShownWord();
  const tag = useTag();
  const zone = useZone();
  if (!parts) return t('timeline.cursorNowhere');
  return [
    `${dayMonth(tag, parts.at, zone)} ${hourMinute(tag, parts.at, zone)}`,
    ...parts.ports.map(
      (p) => `${t('port.n', { port: p.id })} ${p.band ? word(p.band) : t('family.unknown')}`,
    ),
    ...(parts.kw !== null ? [`${parts.kw.toFixed(1)} kW`] : []),
    ...(parts.soc !== null ? [`${Math.round(parts.soc)} %`] : []),
    ...(parts.celsius !== null ? [`${Math.round(parts.celsius)} °C`] : []),
    ...parts.faults.map((f) => `${t('port.n', { port: f.evse })} ${f.code || f.vendorCode}`),
    ...parts.commands.map((c) => c.action),
  ].join(', ');
}

function Key({ shown, late, stepSeconds }: { shown: Band['family'][]; late: boolean; stepSeconds: number }) {
  const t = useT();
  return (
    <ul className={styles.key}>
      {shown.map((f) => (
        <li key={f}>
          {f === 'unseen' ? (
            <>
              <span className={styles.unseen} aria-hidden="true" /> {t('timeline.unseen')}
            </>
          ) : (
            <>
              <StateShape family={f} size={14} /> {t(`family.${f}`)}
            </>
          )}
        </li>
      ))}
      {late && (
        <li>
          <span className={styles.late} aria-hidden="true" /> {t('timeline.late')}
        </li>
      )}
      {stepSeconds > 0 && <li>{t('timeline.steps', { n: Math.round(stepSeconds / 60) })}</li>}
      <li className={styles.hint}>{t('timeline.hint')}</li>
    </ul>
  );
}
