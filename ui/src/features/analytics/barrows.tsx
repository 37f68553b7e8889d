// Named values as bars on one scale, the number at the end of each.
import type { ReactNode } from 'react';
import styles from './barrows.module.css';

export type BarRow = {
  key: string;
  name: ReactNode;
  /** 0 to 1 of the scale; null when it is not known. */
  share: number | null;
  value: ReactNode;
  note?: ReactNode;
};

export function BarRows({ rows, label }: { rows: readonly BarRow[]; label: string }) {
  return (
    <ul className={`num ${styles.rows}`} aria-label={label}>
      {rows.map((r) => (
        <li key={r.key} className={styles.row}>
          <span className={styles.name}>{r.name}</span>
          <span className={styles.value}>{r.value}</span>
          <ShareBar share={r.share} />
          {r.note && <span className={styles.note}>{r.note}</span>}
        </li>
      ))}
    </ul>
  );
}

export function ShareBar({ share }: { share: number | null }) {
  return (
    <span className={styles.track} aria-hidden="true">
      {share !== null && <i style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />}
    </span>
  );
}
