// What was the case over time: layers on each other or one alone, bar by bar. A
// stroke over it, or Shift with arrows and Enter, narrows the days of all panels.
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useId, useMemo, useState } from 'react';
import { dayMonth, dayTime, hourMinute } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import { niceTop, ticksAlong, ticksUp } from './axis';
import styles from './timeline.module.css';

export type Layer = {
  key: string;
  name: string;
  color: string;
  /** Nobody saw it: drawn as a hatch. */
  hatch?: boolean;
};

export type Bin = {
  from: number;
  to: number;
  name: string;
  /** One for each layer; null when nothing is known. */
  parts: readonly number[] | null;
};

export type TimelineProps = {
  label: string;
  layers: readonly Layer[];
  bins: readonly Bin[];
  show: (value: number) => string;
  /** What the axis reaches at least, and at most. */
  least?: number;
  most?: number;
  height?: number;
  /** The same of another period or site, drawn as a line. */
  beside?: { name: string; values: readonly (number | null)[] };
  onSelect?: (from: number, to: number) => void;
};

const LEFT = 56;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 26;

const sum = (parts: readonly number[]): number => parts.reduce((a, b) => a + b, 0);

/** A smaller value a layer has than this share of the axis is not drawn. */
const VISIBLE = 1e-4;

export function Timeline(props: TimelineProps) {
  const {
    label,
    layers,
    bins,
    show,
    least = 0,
    most = Number.POSITIVE_INFINITY,
    height = 240,
    beside,
    onSelect,
  } = props;
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const id = useId();
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number | null>(null);
  const [mark, setMark] = useState<{ a: number; b: number } | null>(null);
  const [stroke, setStroke] = useState(false);

  const from = bins[0]?.from ?? 0;
  const to = bins.at(-1)?.to ?? 1;
  const w = Math.max(0, width - LEFT - RIGHT);
  const h = height - TOP - BOTTOM;
  const axis = useMemo(() => {
    const high = Math.max(
      0,
      ...bins.map((b) => (b.parts ? sum(b.parts) : 0)),
      ...(beside?.values.map((v) => v ?? 0) ?? []),
    );
    return niceTop(Math.min(high, most), least);
  }, [bins, beside, least, most]);
  const x = (ms: number) => LEFT + (w * (ms - from)) / (to - from || 1);
  const y = (v: number) => TOP + h - (h * Math.min(v, axis.top)) / axis.top;
  const along = useMemo(() => ticksAlong(from, to, zone, Math.floor(w / 84)), [from, to, zone, w]);

  const drawn = useMemo(() => {
    const place = (ms: number) => LEFT + (w * (ms - from)) / (to - from || 1);
    const level = (v: number) => TOP + h - (h * Math.min(v, axis.top)) / axis.top;
    const apart = w / Math.max(1, bins.length) >= 6;
    const paths = layers.map(() => '');
    for (const b of bins) {
      if (!b.parts) continue;
      let base = 0;
      const x0 = place(b.from).toFixed(1);
      const x1 = (place(b.to) - (apart ? 1 : 0)).toFixed(1);
      b.parts.forEach((v, k) => {
        if (v > axis.top * VISIBLE) {
          paths[k] +=
            `M${x0} ${level(base).toFixed(1)}V${level(base + v).toFixed(1)}H${x1}V${level(base).toFixed(1)}Z`;
        }
        base += v;
      });
    }
    let line = '';
    let before = false;
    beside?.values.forEach((v, i) => {
      const b = bins[i];
      if (!b || v === null) {
        before = false;
        return;
      }
      const x = (ms: number) => place(ms).toFixed(1);
      line += apart
        ? `${before ? 'L' : 'M'}${x(b.from)} ${level(v).toFixed(1)}H${x(b.to)}`
        : `${before ? 'L' : 'M'}${x((b.from + b.to) / 2)} ${level(v).toFixed(1)}`;
      before = true;
    });
    return { paths, line, apart };
  }, [bins, layers, beside, axis.top, w, h, from, to]);

  const binAt = (e: PointerEvent<HTMLElement>): number => {
    const box = e.currentTarget.getBoundingClientRect();
    const ms = from + ((e.clientX - box.left - LEFT) / (w || 1)) * (to - from);
    let best = 0;
    bins.forEach((b, i) => {
      if (b.from <= ms) best = i;
    });
    return best;
  };
  const apply = (m: { a: number; b: number }) => {
    const [lo, hi] = [Math.min(m.a, m.b), Math.max(m.a, m.b)];
    setMark(null);
    if (bins[lo] && bins[hi]) onSelect?.(bins[lo].from, bins[hi].to);
  };
  const keys = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const now = at ?? bins.length - 1;
    const next = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      PageUp: now - 7,
      PageDown: now + 7,
      Home: 0,
      End: bins.length - 1,
    }[e.key];
    if (next !== undefined) {
      e.preventDefault();
      const i = Math.min(bins.length - 1, Math.max(0, next));
      setAt(i);
      setMark(e.shiftKey && onSelect ? { a: mark?.a ?? now, b: i } : null);
    } else if (e.key === 'Enter' && mark) {
      e.preventDefault();
      apply(mark);
    } else if (e.key === 'Escape' && mark) {
      e.stopPropagation();
      setMark(null);
    }
  };

  const told = at !== null ? bins[at] : undefined;
  const lines = told?.parts
    ? layers
        .map((l, k) => ({ ...l, value: told.parts?.[k] ?? 0 }))
        .filter((l) => l.value > axis.top * VISIBLE)
    : [];
  const valueText = told
    ? `${told.name}: ${
        told.parts
          ? layers.length === 1
            ? show(told.parts[0] ?? 0)
            : lines.map((l) => `${l.name} ${show(l.value)}`).join(', ')
          : t('analytics.unseen')
      }`
    : label;
  const marked = mark && { a: Math.min(mark.a, mark.b), b: Math.max(mark.a, mark.b) };

  return (
    <div
      ref={ref}
      className={styles.box}
      style={{ height }}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, bins.length - 1)}
      aria-valuenow={at ?? Math.max(0, bins.length - 1)}
      aria-valuetext={valueText}
      aria-describedby={onSelect ? `${id}-how` : undefined}
      data-brush={onSelect !== undefined}
      onKeyDown={keys}
      onBlur={() => {
        setAt(null);
        setMark(null);
      }}
      onPointerMove={(e) => {
        const i = binAt(e);
        setAt(i);
        if (stroke) setMark((m) => m && { ...m, b: i });
      }}
      onPointerLeave={() => !stroke && setAt(null)}
      onPointerDown={(e) => {
        if (!onSelect || e.pointerType === 'touch' || e.button !== 0) return;
        e.currentTarget.setPointerCapture(e.pointerId);
        const i = binAt(e);
        setStroke(true);
        setMark({ a: i, b: i });
      }}
      onPointerUp={() => {
        if (!stroke) return;
        setStroke(false);
        if (mark && mark.a !== mark.b) apply(mark);
        else setMark(null);
      }}
      onPointerCancel={() => {
        setStroke(false);
        setMark(null);
      }}
    >
      {onSelect && (
        <span id={`${id}-how`} className="srOnly">
          {t('analytics.brush')}
        </span>
      )}
      {width > 0 && (
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          aria-hidden="true"
          className={`num ${styles.svg}`}
        >
          <defs>
            <pattern
              id={`${id}-hatch`}
              width="5"
              height="5"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <path d="M0 0V5" className={styles.hatch} />
            </pattern>
          </defs>
          {ticksUp(axis).map((v, i, all) => (
            <g key={v}>
              <path
                d={`M${LEFT} ${Math.round(y(v)) + 0.5}H${LEFT + w}`}
                className={i === 0 ? styles.ground : styles.rule}
              />
              <text x={LEFT - 8} y={y(v)} className={styles.tickUp} data-last={i === all.length - 1}>
                {show(v)}
              </text>
            </g>
          ))}
          {along.map((tick) => (
            <g key={tick.at}>
              <path d={`M${x(tick.at)} ${TOP + h}v4`} className={styles.ground} />
              <text
                x={x(tick.at)}
                y={height - 6}
                className={styles.tick}
                data-edge={x(tick.at) > LEFT + w - 30}
              >
                {tick.kind === 'hour' ? hourMinute(tag, tick.at, zone) : dayMonth(tag, tick.at, zone)}
              </text>
            </g>
          ))}
          {drawn.paths.map((d, k) => {
            const layer = layers[k]!;
            return (
              d && (
                <path
                  key={layer.key}
                  d={d}
                  fill={layer.hatch ? `url(#${id}-hatch)` : layer.color}
                  className={styles.layer}
                  data-apart={drawn.apart}
                />
              )
            );
          })}
          {drawn.line && (
            <>
              {drawn.apart && <path d={drawn.line} className={styles.halo} />}
              <path d={drawn.line} className={styles.beside} />
            </>
          )}
          {marked && bins[marked.a] && bins[marked.b] && (
            <rect
              x={x(bins[marked.a]!.from)}
              width={Math.max(1, x(bins[marked.b]!.to) - x(bins[marked.a]!.from))}
              y={TOP}
              height={h}
              className={styles.mark}
            />
          )}
          {told && (
            <path
              d={`M${Math.round(x((told.from + told.to) / 2)) + 0.5} ${TOP}V${TOP + h}`}
              className={styles.cursor}
            />
          )}
        </svg>
      )}
      {told && (
        <div
          className={`num ${styles.tip}`}
          data-side={x(told.from) > LEFT + w / 2 ? 'left' : 'right'}
          style={{ left: x((told.from + told.to) / 2) }}
        >
          <strong>{told.name}</strong>
          {!told.parts ? (
            <span>{t('analytics.unseen')}</span>
          ) : layers.length === 1 ? (
            <span>{show(told.parts[0] ?? 0)}</span>
          ) : (
            <dl>
              {lines.toReversed().map((l) => (
                <div key={l.key}>
                  <dt>
                    <Swatch layer={l} />
                    {l.name}
                  </dt>
                  <dd>{show(l.value)}</dd>
                </div>
              ))}
            </dl>
          )}
          {beside && at !== null && beside.values[at] !== null && beside.values[at] !== undefined && (
            <span className={styles.other}>
              {beside.name}: {show(beside.values[at]!)}
            </span>
          )}
        </div>
      )}
    </div>
  );
}

export function Swatch({ layer }: { layer: Layer }) {
  return (
    <i
      className={styles.swatch}
      data-hatch={layer.hatch}
      aria-hidden="true"
      style={layer.hatch ? undefined : { background: layer.color }}
    />
  );
}

/** The name of a bin: its day, its hour, or the days of its week. */
export function binName(tag: string, from: number, to: number, zone: string | undefined): string {
  const hours = (to - from) / 3_600_000;
  if (hours <= 2) return `${dayTime(tag, from, zone)} – ${hourMinute(tag, to, zone)}`;
  if (hours <= 30) return dayMonth(tag, from, zone);
  return `${dayMonth(tag, from, zone)} – ${dayMonth(tag, to - 1, zone)}`;
}
