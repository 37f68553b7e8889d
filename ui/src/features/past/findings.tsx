import { percent } from '../../format/lasting';
import { count } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './past.module.css';
import type { Counts, Finding } from './queries';

const PARTS = ['imported', 'repaired', 'quarantined', 'duplicates'] as const;
const CLASSES = ['repaired', 'quarantined', 'duplicate', 'flagged', 'note'] as const;

const kindKey = (kind: string): MessageKey => `past.kind.${kind}` as MessageKey;

/** What each row of a file comes to; the four parts are all of them. */
export function Findings({ counts }: { counts: Counts }) {
  const t = useT();
  const tag = useTag();
  const order = counts.order;
  const share = (v: number) => {
    const q = percent(tag, v);
    return `${q.value} ${q.unit}`;
  };
  return (
    <section>
      <h3 className={styles.heading}>{t('past.rows', { n: count(tag, counts.rows) })}</h3>
      <div className={styles.bar} aria-hidden="true">
        {PARTS.map((p) => counts[p] > 0 && <span key={p} data-part={p} style={{ flexGrow: counts[p] }} />)}
      </div>
      <dl className={styles.parts}>
        {PARTS.map((p) => (
          <div key={p} data-part={p}>
            <dt>{t(`past.part.${p}`)}</dt>
            <dd className="num">{count(tag, counts[p])}</dd>
          </div>
        ))}
      </dl>
      {order && order.swapped > 0 && (
        <p className={styles.lead}>
          {t('past.order', {
            n: count(tag, order.swapped),
            sure: t(`past.sure.${order.sure}`),
            before: share(order.inPeriodBefore),
            after: share(order.inPeriodAfter),
          })}
        </p>
      )}
      {counts.findings.length > 0 && (
        <TableFrame label={t('past.found')}>
          <thead>
            <tr>
              <th scope="col">{t('past.found')}</th>
              <th scope="col" className={table.end}>
                {t('past.count')}
              </th>
              <th scope="col">{t('past.example')}</th>
            </tr>
          </thead>
          <tbody>
            {CLASSES.flatMap((c) =>
              counts.findings
                .filter((f) => f.class === c)
                .map((f) => (
                  <tr key={f.kind}>
                    <th scope="row" className={table.prose}>
                      <span className={styles.class}>{t(`past.class.${c}`)}</span> {t(kindKey(f.kind))}
                    </th>
                    <td className={`num ${table.end}`}>{count(tag, f.count)}</td>
                    <td className={styles.sample}>
                      <Sample finding={f} />
                    </td>
                  </tr>
                )),
            )}
          </tbody>
        </TableFrame>
      )}
    </section>
  );
}

function Sample({ finding }: { finding: Finding }) {
  const t = useT();
  const x = finding.examples[0];
  if (!x) return null;
  return (
    <>
      {x.line > 0 && <span className="meta">{t('past.line', { n: x.line })} </span>}
      <span className="mono">{x.before}</span>
      {x.after && (
        <>
          <span aria-hidden="true"> → </span>
          <span className="srOnly">{t('past.becomes')} </span>
          <span className="mono">{x.after}</span>
        </>
      )}
    </>
  );
}
