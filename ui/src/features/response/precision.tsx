// How often rules were right, by the verdicts of people.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { detectorText } from '../detectors/name';
import type { Detail } from '../incidents/shape';
import { FALSE_REASONS, type Precision, precisionQuery } from './queries';
import styles from './response.module.css';

const percents = (tag: string, share: number): string =>
  new Intl.NumberFormat(tag).format(Math.round(share * 100));

/** "82 %, surely between 59 and 94 %", or that there are too few verdicts. */
export function RightText({ p }: { p: Precision | undefined }) {
  const t = useT();
  const tag = useTag();
  if (!p || p.precision === null || p.low95 === null || p.high95 === null)
    return <span className="meta">{t('response.tooFew', { n: p?.judged ?? 0 })}</span>;
  return (
    <span className="num" title={t('response.interval')}>
      {percents(tag, p.precision)} %{' '}
      <span className="meta">
        {t('response.between', { low: percents(tag, p.low95), high: percents(tag, p.high95) })}
      </span>
    </span>
  );
}

/** On an incident: how much its rules are to be believed. */
export function Right({ incident: i }: { incident: Detail }) {
  const t = useT();
  if (!i.closedByVerdict || i.detectors.length === 0) return null;
  const of = new Map(i.precision.map((p) => [p.detector, p]));
  return (
    <ul className={styles.right}>
      {i.detectors.map((id) => {
        const p = of.get(id);
        return (
          <li key={id} className="meta">
            <span className="mono">{id}</span>{' '}
            {p && p.precision !== null
              ? t('response.wasRight', { n: p.real, all: p.judged, what: detectorText(t, id) })
              : t('response.tooFewOf', { n: p?.judged ?? 0, what: detectorText(t, id) })}
          </li>
        );
      })}
    </ul>
  );
}

/** In the figures: every rule that was judged. */
export function PrecisionPanel({ site }: { site: string | undefined }) {
  const t = useT();
  const { data, error, refetch } = useQuery(precisionQuery(site));
  const address = `/api/v1/incidents/precision.csv${site ? `?site=${encodeURIComponent(site)}` : ''}`;
  return (
    <Panel
      id="precision"
      title={t('response.precision')}
      flush={!!data?.length}
      aside={
        <Button
          component="a"
          href={address}
          download
          aria-label={t('response.csvLabel')}
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="download" size={14} />}
        >
          {t('response.csv')}
        </Button>
      }
    >
      {error && !data ? (
        <Failed what={t('response.precision')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.length === 0 ? (
        <p className="meta">{t('response.noVerdicts')}</p>
      ) : (
        <>
          <TableFrame label={t('response.precision')}>
            <thead>
              <tr>
                <th scope="col">{t('response.rule')}</th>
                <th scope="col">{t('response.right')}</th>
                <th scope="col" className={table.end}>
                  {t('response.judged')}
                </th>
                <th scope="col" className={table.end}>
                  {t('response.verdict.real')}
                </th>
                <th scope="col" className={table.end}>
                  {t('response.verdict.false')}
                </th>
                <th scope="col" className={table.end}>
                  {t('response.verdict.test')}
                </th>
                <th scope="col">{t('response.falseWere')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((p) => (
                <tr key={p.detector}>
                  <th scope="row">
                    <span className="mono">{p.detector}</span> {detectorText(t, p.detector)}
                  </th>
                  <td>
                    <RightText p={p} />
                  </td>
                  <td className={`${table.end} num`}>{p.judged}</td>
                  <td className={`${table.end} num`}>{p.real}</td>
                  <td className={`${table.end} num`}>{p.false}</td>
                  <td className={`${table.end} num`}>{p.tests}</td>
                  <td className={table.prose}>
                    <Reasons of={p} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
          <p className={`${styles.from} meta`}>{t('response.source')}</p>
        </>
      )}
    </Panel>
  );
}

function Reasons({ of }: { of: Precision }) {
  const t = useT();
  return FALSE_REASONS.filter((r) => (of.falseReasons[r] ?? 0) > 0)
    .sort((a, b) => of.falseReasons[b]! - of.falseReasons[a]!)
    .map((r) => `${t(`response.false.${r}`)} ${of.falseReasons[r]}`)
    .join(', ');
}
