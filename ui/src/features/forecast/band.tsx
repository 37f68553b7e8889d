// What came, what was said of it a day before, and what is said of the days to
// come: a line within a band, with now between them. Arrow keys walk along it.
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useId, useMemo, useState } from 'react';
import { HOUR, hourMinute } from '../../format/time';
import { toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { niceTop, ticksUp } from '../analytics/axis';
import styles from './band.module.css';

export type Point = {
  at: number;
  /** Null: not observed, or still to come. */
  came: number | null;
  low: number | null;
  mid: number | null;
  high: number | null;
};

type Props = {
  label: string;
  points: readonly Point[];
  now: number;
  zone: string | undefined;
  unit: string;
  show: (v: number) => string;
  /** What the axis reaches at most: the ports that there are. */
  most?: number;
};

const LEFT = 56;
const RIGHT = 12;
const TOP = 22;
const BOTTOM = 28;
const HEIGHT = 300;

/** Runs of points between gaps. */
function runs<T>(list: readonly T[], known: (p: T) => boolean): T[][] {
  const out: T[][] = [];
  let open = false;
  for (const p of list) {
    if (!known(p)) {
      open = false;
      continue;
    }
    if (!open) out.push([]);
    out.at(-1)!.push(p);
    open = true;
  }
  return out;
}

export function Band({ label, points, now, zone, unit, show, most }: Props) {
  const t = useT();
  const tag = useTag();
  const hint = useId();
  const { ref, width } = useElementSize();
  const [index, setIndex] = useState<number | null>(null);
  const from = points[0]?.at ?? 0;
  const to = (points.at(-1)?.at ?? 1) + HOUR;
  const w = Math.max(0, width - LEFT - RIGHT);
  const h = HEIGHT - TOP - BOTTOM;
  const axis = useMemo(() => {
    const high = Math.max(0, ...points.flatMap((p) => [p.came ?? 0, p.high ?? 0, p.mid ?? 0]));
    return niceTop(most === undefined ? high : Math.min(high, most), most === undefined ? 0 : 1);
  }, [points, most]);
  const days = useMemo(() => {
    const out: number[] = [];
    for (let at = Math.ceil(from / HOUR) * HOUR; at < to; at += HOUR)
      if (toClock(at, zone).slice(11, 13) === '00') out.push(at);
    return out;
  }, [from, to, zone]);
  const drawn = useMemo(() => {
    const x = (ms: number) => (LEFT + (w * (ms + HOUR / 2 - from)) / (to - from || 1)).toFixed(1);
    const y = (v: number) => (TOP + h - (h * Math.min(v, axis.top)) / axis.top).toFixed(1);
    const path = (run: readonly Point[], of: (p: Point) => number | null) =>
      run.map((p, i) => `${i ? 'L' : 'M'}${x(p.at)} ${y(of(p) ?? 0)}`).join('');
    return {
      band: runs(points, (p) => p.low !== null && p.high !== null)
        .map(
          (run) => `${path(run, (p) => p.high)}${path([...run].reverse(), (p) => p.low).replace('M', 'L')}Z`,
        )
        .join(''),
      mid: runs(points, (p) => p.mid !== null)
        .map((run) => path(run, (p) => p.mid))
        .join(''),
      came: runs(points, (p) => p.came !== null)
        .map((run) => path(run, (p) => p.came))
        .join(''),
    };
  }, [points, axis.top, w, h, from, to]);
  const place = (ms: number) => LEFT + (w * (ms - from)) / (to - from || 1);
  const level = (v: number) => TOP + h - (h * Math.min(v, axis.top)) / axis.top;

  const walk = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const here =
      index ??
      Math.max(
        0,
        points.findIndex((p) => p.at + HOUR > now),
      );
    const next = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - 24,
      PageDown: here + 24,
      Home: 0,
      End: points.length - 1,
    }[e.key];
    if (e.key === 'Escape') setIndex(null);
    if (next === undefined) return;
    e.preventDefault();
    setIndex(Math.min(points.length - 1, Math.max(0, next)));
  };
  const point = (e: PointerEvent<HTMLElement>) => {
    const box = e.currentTarget.getBoundingClientRect();
    const i = Math.floor(((e.clientX - box.left - LEFT) / (w || 1)) * points.length);
    setIndex(i >= 0 && i < points.length ? i : null);
  };

  const told = index === null ? undefined : points[index];
  const words = told && sentence(told);
  function sentence(p: Point): string {
    const when = new Intl.DateTimeFormat(tag, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      timeZone: zone,
    }).format(p.at);
    const parts = [`${when}, ${hourMinute(tag, p.at, zone)}–${hourMinute(tag, p.at + HOUR, zone)}`];
    if (p.came !== null) parts.push(t('forecast.tip.came', { v: `${show(p.came)} ${unit}` }));
    else if (p.at + HOUR <= now) parts.push(t('forecast.tip.unseen'));
    if (p.mid !== null) {
      const v = `${show(p.mid)} ${unit}`;
      parts.push(p.at + HOUR <= now ? t('forecast.tip.said', { v }) : t('forecast.tip.will', { v }));
    }
    if (p.low !== null && p.high !== null)
      parts.push(t('forecast.tip.band', { low: show(p.low), high: show(p.high) }));
    return parts.join(' · ');
  }
  const room = w / Math.max(1, days.length);
  const name = (at: number): string =>
    new Intl.DateTimeFormat(tag, {
      weekday: 'short',
      day: room >= 62 ? 'numeric' : undefined,
      timeZone: zone,
    }).format(at);
  const every = room >= 34 ? 1 : room >= 17 ? 2 : 4;
  return (
    <div
      ref={ref}
      className={styles.box}
      role="application"
      aria-roledescription={t('forecast.chart')}
      aria-label={label}
      aria-describedby={hint}
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setIndex(null)}
      onPointerMove={point}
      onPointerLeave={() => setIndex(null)}
    >
      {width > 0 && (
        <svg width={width} height={HEIGHT} aria-hidden="true">
          {ticksUp(axis).map((v, i, all) => (
            <g key={v}>
              <line x1={LEFT} x2={LEFT + w} y1={level(v)} y2={level(v)} className={styles.grid} />
              <text x={LEFT - 8} y={level(v) + 4} textAnchor="end" className={styles.tick}>
                {new Intl.NumberFormat(tag, { maximumFractionDigits: 2 }).format(v)}
                {i === all.length - 1 && (
                  <tspan x={LEFT - 8} dy={-14}>
                    {unit}
                  </tspan>
                )}
              </text>
            </g>
          ))}
          {days.map((at, i) => (
            <g key={at}>
              <line x1={place(at)} x2={place(at)} y1={TOP} y2={TOP + h + 4} className={styles.grid} />
              {i % every === 0 && place(at) + room / 2 + 16 <= LEFT + w && (
                <text x={place(at) + room / 2} y={HEIGHT - 8} textAnchor="middle" className={styles.tick}>
                  {name(at)}
                </text>
              )}
            </g>
          ))}
          <path d={drawn.band} className={styles.band} />
          <path d={drawn.mid} className={styles.mid} />
          <path d={drawn.came} className={styles.came} />
          <line x1={place(now)} x2={place(now)} y1={TOP - 4} y2={TOP + h} className={styles.now} />
          <text x={place(now) + 6} y={TOP - 8} className={styles.nowText}>
            {t('forecast.now', { at: hourMinute(tag, now, zone) })}
          </text>
          {told && index !== null && (
            <g>
              <line
                x1={place(told.at + HOUR / 2)}
                x2={place(told.at + HOUR / 2)}
                y1={TOP}
                y2={TOP + h}
                className={styles.cursor}
              />
              {told.mid !== null && (
                <circle cx={place(told.at + HOUR / 2)} cy={level(told.mid)} r={4} className={styles.midDot} />
              )}
              {told.came !== null && (
                <circle
                  cx={place(told.at + HOUR / 2)}
                  cy={level(told.came)}
                  r={4}
                  className={styles.cameDot}
                />
              )}
            </g>
          )}
        </svg>
      )}
      <p className={styles.tip} aria-live="polite">
        {words ?? <span>{t('forecast.tip.none')}</span>}
      </p>
      <span id={hint} className="srOnly">
        {t('forecast.chart.keys')}
      </span>
    </div>
  );
}
