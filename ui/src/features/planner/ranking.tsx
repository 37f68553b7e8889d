// Sites in the order in which they need ports.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useScope } from '../../app/view';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { fine } from './figures';
import styles from './planner.module.css';
import { type Place, rankingQuery } from './queries';

export default function RankingTab() {
  const t = useT();
  const scope = useScope();
  const ranking = useQuery(rankingQuery());
  if (ranking.error)
    return (
      <Panel>
        <Failed what={t('planner.ranking')} error={ranking.error} retry={() => void ranking.refetch()} />
      </Panel>
    );
  if (!ranking.data)
    return (
      <Panel>
        <Skeleton rows={8} />
      </Panel>
    );
  const { items, pending, asOf, promise } = ranking.data;
  const shown = items.filter((p) => scope === undefined || p.site === scope);
  if (shown.length === 0)
    return (
      <Panel>
        {pending > 0 ? (
          <Empty title={t('planner.placing', { n: pending })} />
        ) : (
          <Empty title={t('planner.noSites')}>{t('planner.noSitesText')}</Empty>
        )}
      </Panel>
    );
  return (
    <div className={paper.paper}>
      <Panel
        title={t('planner.ranking')}
        flush
        aside={
          <>
            <span className="meta" role="status">
              {pending > 0 ? t('planner.placing', { n: pending }) : asOf && <Age at={asOf} />}
            </span>
            <Button
              className={paper.screenOnly!}
              component="a"
              href="/api/v1/analytics/ranking.csv"
              download
              size="xs"
              variant="default"
              leftSection={<Icon name="download" size={14} />}
            >
              {t('planner.csv')}
            </Button>
          </>
        }
      >
        <TableFrame label={t('planner.ranking')}>
          <thead>
            <tr>
              <th scope="col">{t('planner.r.site')}</th>
              <th scope="col" className={table.end}>
                {t('planner.ports')}
              </th>
              <th scope="col" className={table.end}>
                {t('planner.r.lost')}
              </th>
              <th scope="col" className={table.end}>
                {t('planner.r.allBusy')}
              </th>
              <th scope="col" className={table.end}>
                {t('planner.r.broken')}
              </th>
              <th scope="col" className={table.end}>
                {t('planner.r.add')}
              </th>
              <th scope="col">{t('planner.r.needed')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((p) => (
              <Row key={p.site} place={p} />
            ))}
          </tbody>
        </TableFrame>
      </Panel>
      <p className="meta">{t('planner.promise', { promise })}</p>
    </div>
  );
}

function Row({ place: p }: { place: Place }) {
  const t = useT();
  const tag = useTag();
  const name = (
    <th scope="row">
      <Link to="/analytics/planner" search={{ site: p.site } as never} className={styles.open}>
        {p.siteName || p.site}
      </Link>
    </th>
  );
  if (!p.enough)
    return (
      <tr>
        {name}
        <td className={`${table.end} num`}>{p.ports || '–'}</td>
        <td colSpan={5} className="meta">
          {p.missing || t('planner.notKnown')}
        </td>
      </tr>
    );
  return (
    <tr>
      {name}
      <td className={`${table.end} num`}>{p.ports}</td>
      <td className={`${table.end} num`}>
        {fine(tag, p.lostPerWeek)} <span className="meta">({fine(tag, p.censoredPercent)} %)</span>
      </td>
      <td className={`${table.end} num`}>
        {fine(tag, p.allBusyHoursPerWeek)}
        <span className="unit">h</span>
      </td>
      <td className={`${table.end} num`}>
        {p.inRange ? '' : '≈ '}
        {fine(tag, p.brokenPercent)}
        <span className="unit">%</span>
        <span className={styles.share} aria-hidden="true">
          <i style={{ width: `${Math.min(100, p.brokenPercent)}%` }} />
        </span>
      </td>
      <td className={`${table.end} num`}>
        {p.addPorts === null ? '50+' : p.addPorts === 0 ? '0' : `+${p.addPorts}`}
      </td>
      <td>
        <Needed place={p} />
      </td>
    </tr>
  );
}

function Needed({ place: p }: { place: Place }) {
  const t = useT();
  const tag = useTag();
  const month = (at: string) =>
    new Intl.DateTimeFormat(tag, { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(Date.parse(at));
  const g = p.trigger;
  if (p.brokenPercent > 10) return <strong>{t('planner.r.now')}</strong>;
  if (!g) return <span className="meta">{t('planner.r.noTrend')}</span>;
  if (g.now) return <strong>{t('planner.r.now')}</strong>;
  if (!g.middle) return <span className="meta">{t('planner.r.never')}</span>;
  return (
    <span className="num">
      {month(g.middle)}
      <span className="meta">
        {' '}
        {g.early &&
          t('planner.between', { low: month(g.early), high: g.late ? month(g.late) : t('planner.r.beyond') })}
      </span>
    </span>
  );
}
