// Whether stations do better or worse since a campaign brought them firmware.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { count as number } from '../../format/quantity';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './comparison.module.css';
import { type Comparison as Answer, comparisonQuery, type Estimate, type Measure } from './queries';

export function Comparison({ id }: { id: string }) {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(comparisonQuery(id));
  const some = data?.ready === true && data.stations > data.early;
  return (
    <Panel
      title={t('campaigns.compare')}
      flush
      aside={
        some && data.at ? (
          <span className="meta">
            {t('campaigns.compare.counted')} <Age at={data.at} />
          </span>
        ) : undefined
      }
    >
      {error && !data ? (
        <Failed what={t('campaigns.compare')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : !data.ready ? (
        <p className={styles.note} role="status">
          {t('campaigns.compare.counting', {
            n: number(tag, data.readStations),
            of: number(tag, data.ofStations),
          })}
        </p>
      ) : !some ? (
        <Empty title={t('campaigns.compare.early')}>{t('campaigns.compare.earlyText')}</Empty>
      ) : (
        <Shown id={id} answer={data} />
      )}
    </Panel>
  );
}

function Shown({ id, answer }: { id: string; answer: Answer }) {
  const t = useT();
  const tag = useTag();
  return (
    <>
      <div className={styles.head}>
        <p className={styles.of}>
          {t('campaigns.compare.of', {
            n: answer.stations - answer.early,
            days: days(tag, answer.days),
            control: answer.control,
          })}
        </p>
        <Button
          component="a"
          href={`/api/v1/campaigns/${id}/comparison.csv?wait=30s`}
          download
          variant="default"
          leftSection={<Icon name="download" size={14} />}
        >
          {t('campaigns.csv')}
        </Button>
      </div>
      <ul className={styles.sentences}>
        {answer.measures.map((m) => (
          <li key={m.measure} data-verdict={m.verdict}>
            <i aria-hidden="true" />
            <span>
              <b>{t(`campaigns.compare.${m.measure}`)}</b>: {sentence(t, tag, m)}
            </span>
          </li>
        ))}
      </ul>
      <TableFrame label={t('campaigns.compare')}>
        <thead>
          <tr>
            <th scope="col">{t('campaigns.compare.measure')}</th>
            <th scope="col">{t('campaigns.compare.who')}</th>
            <th scope="col" className={table.end}>
              {t('campaigns.compare.before')}
            </th>
            <th scope="col" className={table.end}>
              {t('campaigns.compare.after')}
            </th>
            <th scope="col" className={table.end}>
              {t('campaigns.compare.change')}
            </th>
            <th scope="col">{t('campaigns.compare.picture')}</th>
          </tr>
        </thead>
        <tbody>
          {answer.measures.flatMap((m) => {
            const most = scaleOf(m);
            const row = (who: 'updated' | 'control', before: Estimate, after: Estimate, change: Estimate) => (
              <tr key={`${m.measure}-${who}`}>
                <th scope="row">{t(`campaigns.compare.${m.measure}`)}</th>
                <td>{t(`campaigns.compare.${who}`)}</td>
                <td className={`${table.end} num`}>
                  <Figure tag={tag} m={m} e={before} />
                </td>
                <td className={`${table.end} num`}>
                  <Figure tag={tag} m={m} e={after} />
                </td>
                <td className={`${table.end} num`}>
                  <Figure tag={tag} m={m} e={change} signed />
                </td>
                <td>
                  <Picture before={before} after={after} most={most} />
                </td>
              </tr>
            );
            return [
              row('updated', m.before, m.after, m.change),
              ...(answer.control > 0
                ? [row('control', m.controlBefore, m.controlAfter, m.controlChange)]
                : []),
            ];
          })}
        </tbody>
      </TableFrame>
      <p className={styles.note}>
        {t('campaigns.compare.how')}
        {answer.updated > answer.stations &&
          ` ${t('campaigns.compare.some', { n: number(tag, answer.stations), of: number(tag, answer.updated) })}`}
        {answer.early > 0 && ` ${t('campaigns.compare.left', { n: answer.early })}`}
      </p>
    </>
  );
}

const days = (tag: string, n: number): string =>
  new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(n);

/** Shares as percent, differences of shares as points, rates as they are. */
function shown(tag: string, m: Measure, v: number, signed: boolean): string {
  const rate = m.measure === 'faults';
  return new Intl.NumberFormat(tag, {
    maximumFractionDigits: rate ? 3 : 1,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(rate ? v : v * 100);
}

const unit = (m: Measure): string => (m.measure === 'faults' ? '' : ' %');

function Figure({ tag, m, e, signed = false }: { tag: string; m: Measure; e: Estimate; signed?: boolean }) {
  if (e.value === null || e.low95 === null || e.high95 === null) return <>–</>;
  return (
    <>
      {shown(tag, m, e.value, signed)}
      {unit(m)}
      <span className={styles.bounds}>
        {shown(tag, m, e.low95, signed)} … {shown(tag, m, e.high95, signed)}
      </span>
    </>
  );
}

export function sentence(t: Translate, tag: string, m: Measure): string {
  if (m.needs) {
    const what = { have: days(tag, Math.floor(m.needs.have * 10) / 10), want: days(tag, m.needs.want) };
    const lack = t(`campaigns.compare.needs.${m.needs.what}`, what);
    if (m.needs.what === 'day') return lack;
    return `${lack} ${
      m.needs.days === null
        ? t('campaigns.compare.never')
        : t('campaigns.compare.soon', { n: Math.max(1, Math.ceil(m.needs.days)) })
    }`;
  }
  const e = m.beyondControl.value === null ? m.change : m.beyondControl;
  if (e.value === null || e.low95 === null || e.high95 === null) return t('campaigns.compare.unknown');
  const figures = {
    by: `${shown(tag, m, e.value, true)}${unit(m)}`,
    low: `${shown(tag, m, e.low95, true)}${unit(m)}`,
    high: `${shown(tag, m, e.high95, true)}${unit(m)}`,
  };
  const against = m.beyondControl.value === null ? 'alone' : 'control';
  return `${t(`campaigns.compare.verdict.${m.verdict}`, figures)} ${t(`campaigns.compare.against.${against}`)}`;
}

/** The highest bound of a measure, so that its rows have one scale. */
function scaleOf(m: Measure): number {
  if (m.measure === 'success') return 1;
  const bounds = [m.before, m.after, m.controlBefore, m.controlAfter].map((e) => e.high95 ?? 0);
  return Math.max(...bounds, 1e-6);
}

/** Before and after as points with their intervals; the figures beside it say the same. */
function Picture({ before, after, most }: { before: Estimate; after: Estimate; most: number }) {
  const x = (v: number | null) => 4 + (152 * Math.min(v ?? 0, most)) / most;
  return (
    <svg className={styles.picture} viewBox="0 0 160 24" aria-hidden="true">
      {[before, after].map((e, i) =>
        e.value === null ? null : (
          <g key={i === 0 ? 'before' : 'after'} data-side={i === 0 ? 'before' : 'after'}>
            <line x1={x(e.low95)} x2={x(e.high95)} y1={7 + i * 10} y2={7 + i * 10} />
            <circle cx={x(e.value)} cy={7 + i * 10} r={3} />
          </g>
        ),
      )}
    </svg>
  );
}
