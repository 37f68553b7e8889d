import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { memo, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useTag } from '../../i18n/i18n';
import { joinLines, type Line, lonelyPoints } from './series';

const FONT = "12px 'Inter Variable', system-ui, sans-serif";

/** One line of a plot. Names stand at the end of their line instead of in a legend. */
export type Trace = Line & { name: string; look: 'main' | 'second' | 'dashed'; low?: Line; high?: Line };

type Props = {
  traces: readonly Trace[];
  from: number;
  to: number;
  height: number;
  /** Width of the axis; the plot begins behind it, in line with the lanes above. */
  left: number;
  unit: string;
  range: (min: number, max: number) => [number, number];
  /** A level to compare with, such as the rating. */
  level?: { at: number; name: string } | null;
};

const colour = (v: (name: string) => string, look: Trace['look']) =>
  look === 'main' ? v('--s-charging') : look === 'second' ? v('--ink') : v('--ink-2');

/** Values over time. The axis of time and the cursor belong to the timeline around it. */
export const Plot = memo(function Plot({ traces, from, to, height, left, unit, range, level }: Props) {
  const tag = useTag();
  const scheme = useComputedColorScheme('dark');
  const { ref: sizer, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const now = useRef({ from, to, range, level, traces });
  now.current = { from, to, range, level, traces };
  const wide = width > 0;
  const shape = traces.map((s) => `${s.name}/${s.look}/${s.low ? 1 : 0}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: scheme says that the style sheet's colours changed, shape which lines there are
  useEffect(() => {
    const el = box.current;
    if (!el || !wide) return;
    const style = getComputedStyle(el);
    const v = (name: string) => style.getPropertyValue(name).trim();
    const format = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const t of now.current.traces) {
      series.push({
        scale: 'y',
        stroke: colour(v, t.look),
        width: t.look === 'main' ? 2 : 1,
        dash: t.look === 'dashed' ? [4, 4] : undefined,
        points: { size: 4, show: t.look !== 'dashed', filter: lonely },
      });
      if (t.low && t.high) {
        const none = { scale: 'y', stroke: 'transparent', width: 0, points: { show: false } };
        series.push(none, { ...none });
        bands.push({
          series: [series.length - 1, series.length - 2],
          fill: `${colour(v, t.look)}38`, // the tokens are six-digit hex
        });
      }
    }
    const u = new uPlot(
      {
        width: el.clientWidth,
        height,
        padding: [8, 0, 4, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: true, range: () => [now.current.from / 1000, now.current.to / 1000] },
          y: { range: (_u, min, max) => now.current.range(min ?? 0, max ?? 0) },
        },
        axes: [
          { show: false },
          {
            scale: 'y',
            size: left,
            space: 30,
            stroke: v('--ink-2'),
            font: FONT,
            grid: { stroke: v('--line'), width: 1 },
            ticks: { show: false },
            border: { show: false },
            values: (_u, ticks) =>
              ticks.map((x, i) =>
                i === ticks.length - 1 ? `${format.format(x)} ${unit}` : format.format(x),
              ),
          },
        ],
        series,
        bands,
        hooks: {
          draw: [
            (u) => drawLevel(u, now.current.level ?? null, v),
            (u) => drawNames(u, now.current.traces, v),
          ],
        },
      },
      [[], ...series.slice(1).map(() => [])] as unknown as uPlot.AlignedData,
      el,
    );
    plot.current = u;
    return () => {
      plot.current = null;
      u.destroy();
    };
  }, [wide, shape, scheme, tag, height, left, unit]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot (other size or colours) needs the data again
  useEffect(() => {
    const lines = traces.flatMap((t) => (t.low && t.high ? [t, t.low, t.high] : [t]));
    plot.current?.setData(joinLines(lines) as unknown as uPlot.AlignedData);
  }, [traces, wide, shape, scheme, tag, height, left, unit]);

  // The axis moves with the time although the data did not change.
  useEffect(() => {
    plot.current?.redraw(false, true);
    plot.current?.setScale('x', { min: from / 1000, max: to / 1000 });
  }, [from, to]);

  return (
    <div ref={sizer} style={{ minWidth: 0 }} aria-hidden="true">
      <div ref={box} style={{ minHeight: height }} />
    </div>
  );
});

// Points only where a value stands alone between two gaps: a line cannot show it.
const lonely = (u: uPlot, series: number): number[] => lonelyPoints(u.data[series] ?? []);

function drawLevel(u: uPlot, level: { at: number; name: string } | null, v: (name: string) => string): void {
  if (!level) return;
  const ctx = u.ctx;
  const ratio = devicePixelRatio || 1;
  const y = u.valToPos(level.at, 'y', true);
  if (!(y >= u.bbox.top - 1 && y <= u.bbox.top + u.bbox.height)) return;
  ctx.save();
  ctx.strokeStyle = v('--line-strong');
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(u.bbox.left, y);
  ctx.lineTo(u.bbox.left + u.bbox.width, y);
  ctx.stroke();
  ctx.font = `${12 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.fillStyle = v('--ink-2');
  ctx.fillText(level.name, u.bbox.left + 4 * ratio, y + 3 * ratio);
  ctx.restore();
}

function drawNames(u: uPlot, traces: readonly Trace[], v: (name: string) => string): void {
  if (traces.length < 2) return;
  const ctx = u.ctx;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.font = `${12 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  const used: number[] = [];
  let column = 0;
  for (const t of traces) {
    const values = u.data[++column];
    if (t.low && t.high) column += 2;
    if (!values) continue;
    for (let i = values.length - 1; i >= 0; i--) {
      const value = values[i];
      if (value === null || value === undefined) continue;
      const x = u.valToPos(u.data[0][i]!, 'x', true);
      if (x < u.bbox.left) break;
      const line = u.valToPos(value, 'y', true);
      // Above its line, else below it, else further out.
      const y =
        [-4, 16, -20, 32, -36]
          .map((dy) => line + dy * ratio)
          .find(
            (c) =>
              c > u.bbox.top + 12 * ratio &&
              c < u.bbox.top + u.bbox.height &&
              used.every((other) => Math.abs(other - c) >= 14 * ratio),
          ) ?? line - 4 * ratio;
      used.push(y);
      // A rim in the colour of the ground keeps the name readable where a line crosses it.
      ctx.strokeStyle = v('--surface');
      ctx.lineWidth = 4 * ratio;
      ctx.lineJoin = 'round';
      const at = Math.max(x, u.bbox.left + 60 * ratio);
      ctx.strokeText(t.name, at, y);
      ctx.fillStyle = colour(v, t.look);
      ctx.fillText(t.name, at, y);
      break;
    }
  }
  ctx.restore();
}
