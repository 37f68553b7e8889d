import 'uplot/dist/uPlot.min.css';
import { useMantineColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { clock, hourMinute } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import styles from './curve.module.css';
import { joinLines, type Line, lonelyPoints } from './series';

const HEIGHT = 240;
const FONT = "12px 'Inter Variable', system-ui, sans-serif";

/** The top of the power axis: the rating where it is known, so that a weak session looks weak. */
export function powerTop(max: number, ratedW: number | null): number {
  return Math.max(max, (ratedW ?? 0) / 1000, 1) * 1.08;
}

type Props = { lines: Line[]; from: number; to: number; rated: number | null };

export function Chart({ lines, from, to, rated }: Props) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { colorScheme } = useMantineColorScheme();
  const { ref: sizer, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const now = useRef({ from, to, rated });
  now.current = { from, to, rated };

  const wide = width > 0;
  // A scale without a line would only be read for one.
  const hasSoc = lines[2]!.value.some((v) => v !== null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: colorScheme says that the style sheet's colours changed
  useEffect(() => {
    const el = box.current;
    if (!el || !wide) return;
    const style = getComputedStyle(el);
    const v = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: v('--ink-2'),
      font: FONT,
      grid: { stroke: v('--line'), width: 1 },
      ticks: { show: false },
      border: { show: false },
    };
    const u = new uPlot(
      {
        width: el.clientWidth,
        height: HEIGHT,
        padding: [12, hasSoc ? 8 : 16, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { time: true, range: () => [now.current.from, now.current.to] },
          kw: { range: (_u, _min, max) => [0, powerTop(max ?? 0, now.current.rated)] },
          soc: { range: [0, 100] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 110,
            size: 28,
            values: (_u, ticks) => ticks.map((x) => hourMinute(tag, x * 1000, zone)),
          },
          {
            ...axis,
            scale: 'kw',
            size: 56,
            space: 48,
            values: (_u, ticks) => ticks.map((x, i) => (i === ticks.length - 1 ? `${x} kW` : String(x))),
          },
          {
            ...axis,
            scale: 'soc',
            show: hasSoc,
            side: 1,
            size: 56,
            grid: { show: false },
            splits: [0, 25, 50, 75, 100],
            values: (_u, ticks) => ticks.map((x) => (x === 100 ? '100 %' : String(x))),
          },
        ],
        series: [
          {},
          {
            scale: 'kw',
            stroke: v('--s-charging'),
            width: 2,
            points: { size: 4, show: true, filter: lonely },
          },
          { scale: 'kw', stroke: v('--ink-2'), width: 1, dash: [4, 4], points: { show: false } },
          { scale: 'soc', stroke: v('--ink'), width: 1, points: { show: false } },
        ],
        hooks: {
          draw: [(u) => drawNames(u, [t('curve.power'), t('port.offered'), t('port.soc')], v)],
          setCursor: [(u) => showValues(u, el, tag, zone)],
        },
      },
      [[], [], [], []],
      el,
    );
    plot.current = u;
    return () => {
      plot.current = null;
      u.destroy();
    };
  }, [wide, hasSoc, colorScheme, tag, zone, t]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height: HEIGHT });
  }, [width]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot (other size or colours) needs the data again
  useEffect(() => {
    plot.current?.setData(joinLines(lines) as unknown as uPlot.AlignedData);
  }, [lines, wide, hasSoc, colorScheme, tag, zone, t]);

  // The axis moves with the time although the data did not change.
  useEffect(() => {
    plot.current?.redraw(false, true);
    plot.current?.setScale('x', { min: from, max: to });
  }, [from, to]);

  const last = lines[0]!.value.findLast((v) => v !== null);
  return (
    <div ref={sizer} className={styles.chart}>
      <div
        ref={box}
        role="img"
        aria-label={t('curve.spoken', { kw: last === undefined ? '–' : last!.toFixed(1) })}
        style={{ minHeight: HEIGHT }}
      />
    </div>
  );
}

// Points only where a value stands alone between two gaps: a line cannot show it.
function lonely(u: uPlot, series: number): number[] {
  return lonelyPoints(u.data[series] ?? []);
}

/** Names stand at the end of their line instead of in a legend. */
function drawNames(u: uPlot, names: string[], v: (name: string) => string): void {
  const ctx = u.ctx;
  const ratio = devicePixelRatio || 1;
  const colors = [v('--s-charging'), v('--ink-2'), v('--ink')];
  ctx.save();
  ctx.font = `${12 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  const used: number[] = [];
  names.forEach((name, k) => {
    const column = u.data[k + 1];
    const scale = k === 2 ? 'soc' : 'kw';
    if (!column) return;
    for (let i = column.length - 1; i >= 0; i--) {
      const value = column[i];
      if (value === null || value === undefined) continue;
      const x = u.valToPos(u.data[0][i]!, 'x', true);
      if (x < u.bbox.left) return;
      const line = u.valToPos(value, scale, true);
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
      ctx.strokeText(name, Math.max(x, u.bbox.left + 60 * ratio), y);
      ctx.fillStyle = colors[k]!;
      ctx.fillText(name, Math.max(x, u.bbox.left + 60 * ratio), y);
      return;
    }
  });
  ctx.restore();
}

function showValues(u: uPlot, el: HTMLElement, tag: string, zone: string | undefined): void {
  let tip = el.querySelector<HTMLElement>('[data-tip]');
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
  const parts = [clock(tag, u.data[0][i]! * 1000, zone)];
  const units = ['kW', 'kW', '%'];
  for (let k = 1; k < u.data.length; k++) {
    const value = u.data[k]![i];
    if (value === null || value === undefined) continue;
    parts.push(`${k === 2 ? '≤ ' : ''}${value.toFixed(units[k - 1] === '%' ? 0 : 1)} ${units[k - 1]}`);
  }
  tip.textContent = parts.join('  ·  ');
  tip.style.display = 'block';
  const left = u.cursor.left;
  tip.style.left = `${left > u.over.clientWidth / 2 ? left - tip.offsetWidth - 8 : left + 8}px`;
}
