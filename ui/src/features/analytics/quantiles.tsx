// How long things lasted: the middle half as a bar, nine of ten as a line, the
// median named, on one axis whose steps are people's own.

import { lasting } from '../../format/lasting';
import { text } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import styles from './quantiles.module.css';
import type { Spread as Shape } from './shapes';

export type Spread = Pick<Shape, 'p10' | 'p25' | 'p50' | 'p75' | 'p90'>;

const MIN = 60;
const HOUR = 3600;
const STEPS = [
  1 * MIN,
  5 * MIN,
  15 * MIN,
  30 * MIN,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  24 * HOUR,
  48 * HOUR,
  96 * HOUR,
  192 * HOUR,
];

/** The axis: from the step below the least to the step above the most. */
export function stepsFor(spreads: readonly Spread[]): number[] {
  const least = Math.min(...spreads.map((s) => s.p10));
  const most = Math.max(...spreads.map((s) => s.p90));
  const first = STEPS.findLastIndex((s) => s <= least);
  const last = STEPS.findIndex((s) => s >= most);
  return STEPS.slice(Math.max(0, first), (last < 0 ? STEPS.length : last) + 1);
}

/** Where a time stands on an axis with equal room for each step, 0 to 1. */
export function placeOf(seconds: number, steps: readonly number[]): number {
  const n = steps.length - 1;
  if (n < 1) return 0.5;
  const v = Math.min(steps[n]!, Math.max(steps[0]!, seconds));
  const i = Math.min(
    n - 1,
    steps.findLastIndex((s) => s <= v),
  );
  return (i + Math.log(v / steps[i]!) / Math.log(steps[i + 1]! / steps[i]!)) / n;
}

export function Quantiles({ rows }: { rows: readonly { name: string; spread: Spread; quiet?: boolean }[] }) {
  const t = useT();
  const tag = useTag();
  const steps = stepsFor(rows.map((r) => r.spread));
  const at = (s: number) => `${100 * placeOf(s, steps)}%`;
  const wide = (a: number, b: number) => `${100 * (placeOf(b, steps) - placeOf(a, steps))}%`;
  const told = (s: number) => text(lasting(tag, s));
  return (
    <div className={`num ${styles.rows}`}>
      {rows.map(({ name, spread: s, quiet }) => (
        <div key={name} className={styles.row} data-quiet={quiet}>
          <span className={styles.name}>{name}</span>
          <div
            className={styles.track}
            role="img"
            aria-label={t('analytics.spread.of', {
              name,
              p10: told(s.p10),
              p25: told(s.p25),
              p50: told(s.p50),
              p75: told(s.p75),
              p90: told(s.p90),
            })}
          >
            {steps.map((v) => (
              <i key={v} className={styles.rule} style={{ left: at(v) }} />
            ))}
            <i className={styles.whisker} style={{ left: at(s.p10), width: wide(s.p10, s.p90) }} />
            <i className={styles.half} style={{ left: at(s.p25), width: wide(s.p25, s.p75) }} />
            <i className={styles.median} style={{ left: at(s.p50) }} />
            <span className={styles.value} style={{ left: at(s.p50) }}>
              {told(s.p50)}
            </span>
          </div>
        </div>
      ))}
      <div className={styles.axis} aria-hidden="true">
        <span />
        <div className={styles.ticks}>
          {steps.map((v) => (
            <span key={v} style={{ left: at(v) }}>
              {v < HOUR ? `${v / MIN} min` : v < 48 * HOUR ? `${v / HOUR} h` : `${v / 24 / HOUR} d`}
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}
