// What every chart has beside its picture: a heading, what it counts, the same
// as a table one click away, and the table as a file.
import { type ReactNode, useId, useState } from 'react';
import { useT } from '../i18n/i18n';
import styles from './chart.module.css';
import { saveCsv } from './csv';
import { Icon } from './icons';
import { Panel } from './panel';
import { TableFrame } from './table';
import table from './table.module.css';

type Value = string | number | null | undefined;

/** A chart as a table: each column as a person reads it and as a file has it. */
export type Twin<Row> = {
  /** Name of the file, without its ending. */
  file: string;
  rows: readonly Row[];
  columns: readonly {
    name: string;
    /** The heading in a file, with the unit: "energy_wh". */
    csv: string;
    value: (row: Row) => Value;
    /** As a person reads it; by default the value itself. */
    show?: (row: Row) => ReactNode;
    /** Words stand at the start of a column, numbers at its end. */
    words?: boolean;
  }[];
};

type ChartProps<Row> = {
  title: ReactNode;
  /** What is counted, and over what. */
  note?: ReactNode;
  /** Read aloud in place of the title when that is no text. */
  label?: string;
  aside?: ReactNode;
  twin: Twin<Row>;
  children: ReactNode;
};

function useTwin<Row>({ twin, label, title }: Pick<ChartProps<Row>, 'twin' | 'label' | 'title'>) {
  const t = useT();
  const [asTable, setAsTable] = useState(false);
  const name = label ?? (typeof title === 'string' ? title : twin.file);
  return {
    asTable,
    acts: (
      <span className={styles.acts}>
        <button
          type="button"
          className={styles.act}
          aria-pressed={asTable}
          title={t('chart.asTable')}
          onClick={() => setAsTable((v) => !v)}
        >
          <Icon name="list" size={16} />
          <span className="srOnly">{t('chart.asTableOf', { chart: name })}</span>
        </button>
        <button
          type="button"
          className={styles.act}
          title={t('chart.csv')}
          disabled={twin.rows.length === 0}
          onClick={() =>
            saveCsv(
              twin.file,
              twin.columns.map((c) => c.csv),
              twin.rows.map((r) => twin.columns.map((c) => c.value(r))),
            )
          }
        >
          <Icon name="download" size={16} />
          <span className="srOnly">{t('chart.csvOf', { chart: name })}</span>
        </button>
      </span>
    ),
    table: asTable && (
      <TableFrame label={name} className={styles.twin!}>
        <thead>
          <tr>
            {twin.columns.map((c) => (
              <th scope="col" key={c.csv} className={c.words ? undefined : table.end}>
                {c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {twin.rows.map((r, i) => (
            <tr key={i}>
              {twin.columns.map((c, k) => {
                const shown = c.show ? c.show(r) : (c.value(r) ?? '–');
                return k === 0 ? (
                  <th scope="row" key={c.csv} className={c.words ? undefined : table.end}>
                    {shown}
                  </th>
                ) : (
                  <td key={c.csv} className={c.words ? undefined : `${table.end} num`}>
                    {shown}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </TableFrame>
    ),
  };
}

/** A chart that has a panel of its own. */
export function ChartPanel<Row>({
  className,
  ...props
}: ChartProps<Row> & {
  className?: string;
}) {
  const { asTable, acts, table: twin } = useTwin(props);
  return (
    <Panel
      className={`${styles.panel} ${className ?? ''}`}
      flush={asTable}
      title={
        <>
          {props.title}
          {props.note && <span className={styles.note}>{props.note}</span>}
        </>
      }
      aside={
        <>
          {props.aside}
          {acts}
        </>
      }
    >
      {twin || props.children}
    </Panel>
  );
}

/** A chart beside others in one panel. */
export function Chart<Row>({ className, ...props }: ChartProps<Row> & { className?: string }) {
  const id = useId();
  const { acts, table: twin } = useTwin(props);
  return (
    <figure className={`${styles.chart} ${className ?? ''}`} aria-labelledby={id}>
      <figcaption className={styles.head}>
        <span>
          <span id={id} className={styles.title}>
            {props.title}
          </span>
          {props.note && <span className={styles.note}>{props.note}</span>}
        </span>
        <span className={styles.aside}>
          {props.aside}
          {acts}
        </span>
      </figcaption>
      {twin || props.children}
    </figure>
  );
}
