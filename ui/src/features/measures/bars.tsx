// A small chart of one figure over the span: bars on one scale, gaps where
// nothing is known, and the same as a table one click away.
import { useId, useState } from 'react';
import { type Quantity, text } from '../../format/quantity';
import { useT } from '../../i18n/i18n';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './measures.module.css';

export type Bar = { at: string; name: string; short: string; value: number | null };

export function Bars({
  title,
  note,
  bars,
  most,
  show,
}: {
  title: string;
  note: string;
  bars: Bar[];
  /** Top of the scale; by default that of the highest bar. */
  most?: number;
  show: (v: number) => Quantity;
}) {
  const t = useT();
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const top = most ?? Math.max(...bars.map((b) => b.value ?? 0), 0);
  const known = bars.some((b) => b.value !== null);
  const every = Math.max(1, Math.ceil(bars.length / 5));
  return (
    <figure className={styles.chart} aria-labelledby={id}>
      <figcaption className={styles.chartHead}>
        <span id={id}>{title}</span>
        <span className="meta">{note}</span>
        <button type="button" className={styles.twin} onClick={() => setAsTable((v) => !v)}>
          {asTable ? t('measures.asChart') : t('measures.asTable')}
        </button>
      </figcaption>
      {asTable ? (
        <TableFrame label={title} className={styles.twinTable!}>
          <tbody>
            {bars.map((b) => (
              <tr key={b.at}>
                <th scope="row">{b.name}</th>
                <td className={`${table.end} num`}>{b.value === null ? '–' : text(show(b.value))}</td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      ) : (
        <div className={styles.plot}>
          <span className={`${styles.top} num`}>{known && top > 0 ? text(show(top)) : ''}</span>
          <div className={styles.bars} role="img" aria-label={`${title}. ${note}`}>
            {bars.map((b) => (
              <span
                key={b.at}
                className={styles.slot}
                data-unknown={b.value === null}
                title={`${b.name}: ${b.value === null ? t('measures.nothing') : text(show(b.value))}`}
              >
                <span
                  className={styles.bar}
                  style={{
                    height: top > 0 && b.value !== null ? `${(100 * Math.min(b.value, top)) / top}%` : 0,
                  }}
                />
              </span>
            ))}
          </div>
          <div className={`${styles.ticks} num`} aria-hidden="true">
            {bars.map((b, i) => (
              <span key={b.at}>{i % every === 0 && bars.length - i > every / 2 ? b.short : ''}</span>
            ))}
          </div>
        </div>
      )}
    </figure>
  );
}
