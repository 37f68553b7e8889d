// Hours of the day by days of the week, one colour from nothing to the most. Each
// cell can be reached by arrow keys and says its value and what is behind it;
// hours that nobody saw are hatched, for they are not zero.
import { type CSSProperties, type KeyboardEvent, useMemo, useState } from 'react';
import { useT, useTag } from '../../i18n/i18n';
import styles from './heatmap.module.css';
import { hoursText, weekdayName } from './weekdays';

export type HeatCell = {
  /** 1 is Monday. */
  weekday: number;
  hour: number;
  /** Null: nobody saw this hour. */
  value: number | null;
  /** How many weeks are behind it. */
  weeks: number;
};

export type HeatMapProps = {
  label: string;
  cells: readonly HeatCell[];
  /** What the darkest or brightest cell stands for. */
  top: number;
  show: (value: number) => string;
  /** The same hours of another period or site, told beside each value. */
  beside?: { name: string; cells: readonly HeatCell[] };
};

const DAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, h) => h);

export function gridOf(cells: readonly HeatCell[]): (HeatCell | undefined)[][] {
  const grid: (HeatCell | undefined)[][] = DAYS.map(() => new Array(24).fill(undefined));
  for (const c of cells) {
    const row = grid[c.weekday - 1];
    if (row && c.hour >= 0 && c.hour < 24) row[c.hour] = c;
  }
  return grid;
}

/** The mean of what is known, each hour by the weeks behind it. */
export function meanOf(cells: readonly (HeatCell | undefined)[]): number | null {
  let sum = 0;
  let weeks = 0;
  for (const c of cells) {
    if (!c || c.value === null) continue;
    sum += c.value * c.weeks;
    weeks += c.weeks;
  }
  return weeks > 0 ? sum / weeks : null;
}

export function HeatMap({ label, cells, top, show, beside }: HeatMapProps) {
  const t = useT();
  const tag = useTag();
  const grid = useMemo(() => gridOf(cells), [cells]);
  const other = useMemo(() => beside && gridOf(beside.cells), [beside]);
  const [at, setAt] = useState<{ day: number; hour: number } | null>(null);
  const [stop, setStop] = useState({ day: 1, hour: 8 });

  const told = (day: number, hour: number): string => {
    const c = grid[day - 1]?.[hour];
    const o = other?.[day - 1]?.[hour];
    const what =
      !c || c.value === null
        ? t('analytics.unseen')
        : t('analytics.heat.of', { value: show(c.value), n: c.weeks });
    return beside
      ? `${what} · ${beside.name}: ${!o || o.value === null ? t('analytics.unseen') : show(o.value)}`
      : what;
  };
  const when = (day: number, hour: number): string =>
    t('analytics.heat.when', { day: weekdayName(tag, day, 'long'), hours: hoursText(hour, hour + 1) });

  const move = (e: KeyboardEvent<HTMLElement>) => {
    const by: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      Home: [0, -24],
      End: [0, 24],
    };
    const step = by[e.key];
    if (!step || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    const day = Math.min(7, Math.max(1, stop.day + step[0]));
    const hour = Math.min(23, Math.max(0, stop.hour + step[1]));
    e.currentTarget.querySelector<HTMLElement>(`[data-at="${day}-${hour}"]`)?.focus();
  };

  return (
    <div className={styles.map} onPointerLeave={() => setAt(null)}>
      <div role="grid" aria-label={label} className={styles.grid} onKeyDown={move} tabIndex={-1}>
        <div role="row" className={styles.row}>
          <span role="columnheader" aria-label={t('analytics.heat.day')} />
          {HOURS.map((h) => (
            <span
              key={h}
              role="columnheader"
              className={`num ${styles.hour}`}
              aria-label={hoursText(h, h + 1)}
            >
              {h % 3 === 0 && h}
            </span>
          ))}
          <span role="columnheader" className={styles.meanHead}>
            {t('analytics.heat.mean')}
          </span>
        </div>
        {DAYS.map((day) => {
          const mean = meanOf(grid[day - 1] ?? []);
          return (
            <div key={day} role="row" className={styles.row}>
              <span role="rowheader" className={styles.day}>
                {weekdayName(tag, day)}
              </span>
              {HOURS.map((hour) => {
                const value = grid[day - 1]?.[hour]?.value ?? null;
                const share = value === null || top <= 0 ? 0 : Math.min(1, Math.max(0, value / top));
                return (
                  <span
                    key={hour}
                    role="gridcell"
                    tabIndex={stop.day === day && stop.hour === hour ? 0 : -1}
                    data-at={`${day}-${hour}`}
                    data-unseen={value === null}
                    data-active={at?.day === day && at.hour === hour}
                    className={styles.cell}
                    style={{ '--v': share } as CSSProperties}
                    aria-label={`${when(day, hour)}: ${told(day, hour)}`}
                    onPointerEnter={() => setAt({ day, hour })}
                    onFocus={() => {
                      setStop({ day, hour });
                      setAt({ day, hour });
                    }}
                    onBlur={() => setAt(null)}
                  />
                );
              })}
              <span role="gridcell" className={`num ${styles.mean}`}>
                {mean === null ? '–' : show(mean)}
              </span>
            </div>
          );
        })}
      </div>
      {at && (
        <div
          className={`num ${styles.tip}`}
          data-side={at.hour > 11 ? 'left' : 'right'}
          style={{ '--day': at.day, '--hour': at.hour } as CSSProperties}
        >
          <strong>{when(at.day, at.hour)}</strong>
          <span>{told(at.day, at.hour)}</span>
        </div>
      )}
    </div>
  );
}

/** What the colours stand for, from nothing to the most. */
export function HeatLegend({
  top,
  show,
  unseen,
}: {
  top: number;
  show: (value: number) => string;
  /** Whether there are hours that nobody saw. */
  unseen: boolean;
}) {
  const t = useT();
  return (
    <div className={`num ${styles.legend}`}>
      <span>{show(0)}</span>
      <span className={styles.ramp} aria-hidden="true">
        {Array.from({ length: 9 }, (_, i) => (
          <i key={i} className={styles.cell} style={{ '--v': i / 8 } as CSSProperties} />
        ))}
      </span>
      <span>{show(top)}</span>
      {unseen && (
        <span className={styles.unseen}>
          <i className={styles.cell} data-unseen="true" aria-hidden="true" />
          {t('analytics.unseen')}
        </span>
      )}
    </div>
  );
}
