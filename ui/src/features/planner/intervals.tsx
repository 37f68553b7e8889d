// A figure of several scenarios on one scale: bars, what each may be off by, and
// where the promise ends.
import { useT, useTag } from '../../i18n/i18n';
import { fine, interval, ticks } from './figures';
import styles from './planner.module.css';
import type { Interval } from './queries';

export type Line = { key: string; name: string; value: Interval | null; group?: string; mark?: boolean };

export function Intervals({
  lines,
  unit,
  limit,
  label,
}: {
  lines: Line[];
  unit: string;
  limit?: number | undefined;
  label: string;
}) {
  const t = useT();
  const tag = useTag();
  const finite = (v: number | undefined) => (v !== undefined && Number.isFinite(v) ? v : 0);
  const top = Math.max(
    ...lines.map((l) => Math.max(finite(l.value?.mean), finite(l.value?.high))),
    limit ?? 0,
    0,
  );
  const low = Math.min(...lines.map((l) => Math.min(finite(l.value?.mean), finite(l.value?.low))), 0);
  const marks = ticks(top);
  const end = marks.at(-1) as number;
  const under = low < 0 ? ticks(-low).at(-1)! : 0;
  const at = (v: number) => `${(100 * (Math.min(Math.max(v, -under), end) + under)) / (end + under)}%`;
  return (
    <div className={styles.intervals} role="img" aria-label={label}>
      {lines.map((l, i) => (
        <div key={l.key} className={styles.row} data-mark={l.mark}>
          {l.group && l.group !== lines[i - 1]?.group && <p className={styles.group}>{l.group}</p>}
          <span className={styles.rowName}>{l.name}</span>
          <span
            className={styles.track}
            title={`${l.name}: ${l.value ? `${interval(tag, l.value)} ${unit}` : '–'}`}
          >
            {marks.map((m) => (
              <i key={m} className={styles.rule} style={{ insetInlineStart: at(m) }} />
            ))}
            {l.value && (
              <>
                <span
                  className={styles.bar}
                  style={{
                    insetInlineStart: at(Math.min(0, l.value.mean)),
                    width: `calc(${at(Math.max(0, l.value.mean))} - ${at(Math.min(0, l.value.mean))})`,
                  }}
                />
                {l.value.high > l.value.low && (
                  <span
                    className={styles.whisker}
                    style={{
                      insetInlineStart: at(l.value.low),
                      width: `calc(${at(l.value.high)} - ${at(l.value.low)})`,
                    }}
                  />
                )}
              </>
            )}
            {limit !== undefined && <i className={styles.limit} style={{ insetInlineStart: at(limit) }} />}
          </span>
          <span className={`num ${styles.rowValue}`}>{l.value ? fine(tag, l.value.mean) : '–'}</span>
        </div>
      ))}
      <div className={styles.axis} aria-hidden="true">
        <span />
        <span className={styles.scale}>
          {marks.map((m) => (
            <span key={m} className="num" style={{ insetInlineStart: at(m) }}>
              {fine(tag, m)}
            </span>
          ))}
        </span>
        <span className={styles.unit}>{unit}</span>
      </div>
      {limit !== undefined && (
        <p className={styles.key}>
          <i className={styles.limitKey} />
          {t('planner.limit', { n: `${fine(tag, limit)} ${unit}` })}
        </p>
      )}
    </div>
  );
}
