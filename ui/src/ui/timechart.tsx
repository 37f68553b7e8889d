// One chart over time for all pages: names stand at their lines, gaps stay
// gaps, a stroke over it sets the stretch of time. It knows no words.
import 'uplot/dist/uPlot.min.css';
import { useMantineColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { DAY, dayTime, hourMinute, day as monthDay } from '../format/time';
import { useTag } from '../i18n/i18n';
import styles from './timechart.module.css';
import { useZone } from './zone';

export type TimeLine = {
  name: string;
  /** Seconds since 1970, rising. */
  at: readonly number[];
  value: readonly (number | null)[];
  /** A variable of the style sheet. */
  color: string;
  width?: number;
  dash?: [number, number];
  fill?: boolean;
  /** Values hold until the next one. */
  steps?: boolean;
};

export type TimeChartProps = {
  label: string;
  lines: TimeLine[];
  /** Seconds since 1970. */
  from: number;
  to: number;
  unit: string;
  /** At least; with `fill` what is left of the parent. */
  height: number;
  fill?: boolean;
  digits?: number;
  /** What the axis reaches at least. */
  top?: number;
  limit?: { value: number; name: string };
  mark?: { at: number; value: number; text: string };
  onSelect?: (fromMs: number, toMs: number) => void;
};

const FONT = "12px 'Inter Variable', system-ui, sans-serif";

function join(lines: readonly TimeLine[]): uPlot.AlignedData {
  const at = [...new Set(lines.flatMap((l) => l.at))].sort((a, b) => a - b);
  return [
    at,
    ...lines.map((l) => {
      const own = new Map(l.at.map((x, i) => [x, l.value[i]]));
      return at.map((x) => own.get(x));
    }),
  ] as unknown as uPlot.AlignedData;
}

export default function TimeChart(props: TimeChartProps) {
  const { label, lines, from, to, fill, onSelect } = props;
  const tag = useTag();
  const zone = useZone();
  const { colorScheme } = useMantineColorScheme();
  const { ref: sizer, width, height: room } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const height = fill ? Math.max(props.height, Math.floor(room)) : props.height;
  const now = useRef(props);
  now.current = props;
  const wide = width > 0;
  const look = lines
    .map((l) => [l.name, l.color, l.width, l.dash, l.fill, l.steps].join())
    .concat(props.unit, String(onSelect !== undefined))
    .join('|');

  // biome-ignore lint/correctness/useExhaustiveDependencies: look says how lines are drawn, colorScheme that colours changed
  useEffect(() => {
    const el = box.current;
    if (!el || !wide) return;
    const style = getComputedStyle(el);
    const v = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: v('--ink-2'),
      font: FONT,
      ticks: { show: false },
      border: { show: false },
    };
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    const u = new uPlot(
      {
        width: el.clientWidth,
        height: el.clientHeight || now.current.height,
        padding: [14, 12, 0, 0],
        legend: { show: false },
        cursor: {
          drag: { x: onSelect !== undefined, y: false, setScale: false },
          points: { size: 6 },
          y: false,
        },
        scales: {
          x: { time: true, range: () => [now.current.from, now.current.to] },
          y: {
            range: (_u, _min, max) => [
              0,
              Math.max(max ?? 0, now.current.top ?? 0, now.current.limit?.value ?? 0, 0.001) *
                (named(now.current) ? 1.2 : 1.1),
            ],
          },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 90,
            size: 26,
            values: (_u, ticks) => {
              const long = now.current.to - now.current.from > (2.5 * DAY) / 1000;
              return ticks.map((x) =>
                long
                  ? monthDay(tag, x * 1000, zone).replace(/[,.]?\s*\d{4}$/, '')
                  : hourMinute(tag, x * 1000, zone),
              );
            },
          },
          {
            ...axis,
            scale: 'y',
            size: 66,
            space: 40,
            grid: { stroke: v('--line'), width: 1 },
            values: (_u, ticks) =>
              ticks.map((x, i) =>
                i === ticks.length - 1 ? `${format(tag, x)} ${now.current.unit}` : format(tag, x),
              ),
          },
        ],
        series: [
          {},
          ...now.current.lines.map(
            (l): uPlot.Series => ({
              scale: 'y',
              stroke: v(l.color),
              width: l.width ?? 2,
              dash: l.dash,
              fill: l.fill ? `${v(l.color)}1f` : undefined,
              paths: l.steps ? stepped : undefined,
              points: { show: false },
            }),
          ),
        ],
        hooks: {
          draw: [(u) => annotate(u, now.current, v)],
          setCursor: [(u) => tell(u, now.current, tag, zone)],
          setSelect: [
            (u) => {
              const { left, width: w } = u.select;
              if (w < 8) return;
              now.current.onSelect?.(u.posToVal(left, 'x') * 1000, u.posToVal(left + w, 'x') * 1000);
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      join(now.current.lines),
      el,
    );
    plot.current = u;
    let current = true;
    // Text drawn before the font arrived has other widths.
    void document.fonts?.ready.then(() => current && u.redraw(false));
    return () => {
      current = false;
      plot.current = null;
      u.destroy();
    };
  }, [wide, look, colorScheme, tag, zone]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot has its data already; these change what is drawn on it
  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    u.setData(join(lines), false);
    u.setScale('x', { min: from, max: to });
  }, [lines, from, to, props.limit?.value, props.mark?.at, props.mark?.text, props.top]);

  return (
    <div ref={sizer} className={styles.box} style={{ minHeight: props.height, flex: fill ? 1 : undefined }}>
      <div
        ref={box}
        role="img"
        aria-label={label}
        className={fill ? styles.fill : undefined}
        style={{ minHeight: height }}
      />
    </div>
  );
}

const format = (tag: string, v: number): string =>
  new Intl.NumberFormat(tag, {
    maximumFractionDigits: Math.abs(v) < 10 ? 2 : Math.abs(v) < 100 ? 1 : 0,
  }).format(v);

/** One line needs no name: the heading has it. */
const named = (p: TimeChartProps): boolean =>
  p.lines.filter((l) => l.value.some((v) => v !== null)).length > 1;

/** The limit, the peak and the names of lines, with a rim in the colour of the ground. */
function annotate(u: uPlot, p: TimeChartProps, v: (name: string) => string): void {
  const ctx = u.ctx;
  const ratio = devicePixelRatio || 1;
  const { left, top, width, height } = u.bbox;
  const used: { x: number; y: number; w: number }[] = [];
  ctx.save();
  ctx.font = `${12 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textBaseline = 'bottom';
  ctx.lineJoin = 'round';
  /** The highest point of any line between two places. */
  const ridge = (x0: number, x1: number): number => {
    let best = top + height;
    const [a, b] = [u.posToIdx((x0 - left) / ratio), u.posToIdx((x1 - left) / ratio)];
    for (let k = 1; k < u.data.length; k++)
      for (let i = a; i <= b; i++) {
        const value = u.data[k]![i];
        if (value !== null && value !== undefined) best = Math.min(best, u.valToPos(value, 'y', true));
      }
    return best;
  };
  const write = (
    text: string,
    x: number,
    near: number,
    align: 'left' | 'right',
    color: string,
    clear = false,
  ) => {
    const w = ctx.measureText(text).width;
    const at = align === 'right' ? Math.max(x, left + w) : Math.min(x, left + width - w);
    const x0 = align === 'right' ? at - w : at;
    const lineY = clear ? Math.min(near, ridge(x0, x0 + w)) : near;
    const y =
      [-4, 17, -19, 32, -34, 47]
        .map((dy) => lineY + dy * ratio)
        .find(
          (c) =>
            c > top + 11 * ratio &&
            c < top + height &&
            used.every((o) => Math.abs(o.y - c) >= 14 * ratio || x0 > o.x + o.w || x0 + w < o.x),
        ) ?? lineY - 4 * ratio;
    used.push({ x: x0, y, w });
    ctx.textAlign = 'left';
    ctx.strokeStyle = v('--surface');
    ctx.lineWidth = 4 * ratio;
    ctx.strokeText(text, x0, y);
    ctx.fillStyle = color;
    ctx.fillText(text, x0, y);
  };
  if (p.limit) {
    const y = u.valToPos(p.limit.value, 'y', true);
    ctx.strokeStyle = v('--ink-2');
    ctx.lineWidth = ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    write(p.limit.name, left + 4 * ratio, y, 'left', v('--ink-2'));
  }
  if (p.mark && p.mark.at >= p.from && p.mark.at <= p.to) {
    const x = u.valToPos(p.mark.at, 'x', true);
    const y = u.valToPos(p.mark.value, 'y', true);
    ctx.beginPath();
    ctx.arc(x, y, 3.5 * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = v('--surface');
    ctx.fill();
    ctx.strokeStyle = v('--ink');
    ctx.lineWidth = 1.5 * ratio;
    ctx.stroke();
    write(p.mark.text, x + 6 * ratio, y, x > left + width * 0.7 ? 'right' : 'left', v('--ink'));
  }
  p.lines.forEach((line, k) => {
    const column = u.data[k + 1];
    if (!column || !named(p)) return;
    // Names at the right end; a line that does not reach it is named where it ends.
    for (let i = column.length - 1; i >= 0; i--) {
      const value = column[i];
      const at = u.data[0][i]!;
      if (value === null || value === undefined || at > p.to) continue;
      const x = u.valToPos(at, 'x', true);
      if (x < left) return;
      write(line.name, x - 2 * ratio, u.valToPos(value, 'y', true), 'right', v(line.color), true);
      return;
    }
  });
  ctx.restore();
}

function tell(u: uPlot, p: TimeChartProps, tag: string, zone: string | undefined): void {
  let tip = u.over.querySelector<HTMLElement>('[data-tip]');
  if (!tip) {
    tip = document.createElement('div');
    tip.dataset.tip = '';
    tip.className = styles.tip ?? '';
    u.over.appendChild(tip);
  }
  const i = u.cursor.idx;
  if (i === null || i === undefined || u.cursor.left === undefined || u.cursor.left < 0) {
    tip.style.display = 'none';
    return;
  }
  const at = u.data[0][i]! * 1000;
  const parts = [p.to - p.from > DAY / 1000 ? dayTime(tag, at, zone) : hourMinute(tag, at, zone)];
  p.lines.forEach((l, k) => {
    const value = u.data[k + 1]?.[i];
    if (value === null || value === undefined) return;
    parts.push(`${p.lines.length > 1 ? `${l.name} ` : ''}${format(tag, value)} ${p.unit}`);
  });
  tip.textContent = parts.join('  ·  ');
  tip.style.display = 'block';
  const x = u.cursor.left;
  tip.style.left = `${x > u.over.clientWidth / 2 ? x - tip.offsetWidth - 8 : x + 8}px`;
}
