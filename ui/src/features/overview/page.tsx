import { SegmentedControl } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Summary } from '../../api/shapes';
import { count, energy, power } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useFlush, useLive, useLiveStatus, useSummary } from '../../live/hooks';
import { FAMILIES, type Family, familyOf, STATUSES } from '../../live/status';
import { Figure } from '../../ui/figures';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { familyKey, StateShape } from '../../ui/state';
import { FirstStation } from '../stations/first';
import { StationList, useSelection } from '../stations/list';
import styles from './overview.module.css';
import { Wall } from './wall';

const route = getRouteApi('/inside/');

export default function OverviewPage() {
  const t = useT();
  const { store } = useLive();
  const { summary, error } = useSummary();
  useFlush(1000);
  const empty = store.ready && store.size === 0 && (summary?.stations.total ?? 0) === 0;
  return (
    <div className={styles.page}>
      <h1 className="srOnly">{t('nav.overview')}</h1>
      {error ? (
        <Panel flush>
          <Failed what={t('overview.summary')} error={error} />
        </Panel>
      ) : (
        <Headline summary={summary} />
      )}
      {empty ? (
        <FirstStation pending={summary?.stations.pending ?? 0} />
      ) : (
        <>
          <div className={styles.pair}>
            <States summary={summary} />
            <Classes summary={summary} />
          </div>
          <Ports />
        </>
      )}
    </div>
  );
}

/** The four figures a shift starts with. */
function Headline({ summary }: { summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const { store } = useLive();
  useFlush(500);
  const free = store.ready ? store.freeCount : summary?.ports.free;
  const total = store.ready ? store.size : summary?.ports.total;
  return (
    <section className={styles.headline} aria-label={t('overview.now')}>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.free')}</p>
        <p className={`${styles.figure} num`}>
          {free === undefined ? '–' : count(tag, free)}
          <span className="unit">
            {total === undefined ? '' : t('overview.of', { total: count(tag, total) })}
          </span>
        </p>
        <p className="meta">
          {summary
            ? t('overview.stations', {
                online: count(tag, summary.stations.online),
                total: count(tag, summary.stations.total),
              })
            : ' '}
        </p>
      </div>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.power')}</p>
        <p className={styles.figure}>
          <Figure q={power(tag, summary?.powerW)} />
        </p>
        <p className="meta">
          {summary && summary.offeredW > 0
            ? t('overview.offered', {
                value: power(tag, summary.offeredW).value,
                unit: power(tag, summary.offeredW).unit,
              })
            : ' '}
        </p>
      </div>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.sessions')}</p>
        <p className={`${styles.figure} num`}>{summary ? count(tag, summary.sessions.active) : '–'}</p>
        <p className="meta">{summary ? t('overview.today', { n: summary.sessions.today }) : ' '}</p>
      </div>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.energy')}</p>
        <p className={styles.figure}>
          <Figure q={energy(tag, summary?.sessions.energyTodayWh)} />
        </p>
        <p className="meta">{t('overview.begunToday')}</p>
      </div>
    </section>
  );
}

function familyCounts(summary: Summary): Record<Family, number> {
  const counts = Object.fromEntries(FAMILIES.map((f) => [f, 0])) as Record<Family, number>;
  for (const s of STATUSES) counts[familyOf(s, true)] += summary.ports.byStatus[s] ?? 0;
  counts.offline = summary.ports.offline;
  return counts;
}

function States({ summary }: { summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const { store } = useLive();
  useFlush(500);
  const fromSummary = summary ? familyCounts(summary) : undefined;
  const value = (f: Family, i: number) => (store.ready ? store.counts[i]! : fromSummary?.[f]);
  return (
    <Panel title={t('overview.states')} flush className={styles.statesPanel}>
      <ul className={styles.states}>
        {FAMILIES.map((f, i) => {
          const n = value(f, i);
          return (
            <li key={f}>
              <Link to="/stations" search={{ state: f }} className={styles.state} data-none={!n}>
                <span className={styles.stateWord}>
                  <StateShape family={f} />
                  {t(familyKey(f))}
                </span>
                <span className={`${styles.stateCount} num`}>{n === undefined ? '–' : count(tag, n)}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

function Classes({ summary }: { summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const classes = (summary?.ports.byPowerClass ?? []).filter((c) => c.total > 0);
  return (
    <Panel title={t('overview.classes')} flush>
      {!summary ? (
        <Skeleton rows={3} />
      ) : (
        <table className={styles.classes}>
          <thead>
            <tr>
              <th scope="col">{t('class.label')}</th>
              <th scope="col">{t('class.free')}</th>
              <th scope="col">{t('family.charging')}</th>
              <th scope="col">{t('family.faulted')}</th>
              <th scope="col">{t('family.offline')}</th>
            </tr>
          </thead>
          <tbody>
            {classes.map((c) => (
              <tr key={c.class}>
                <th scope="row">
                  {t(`class.${c.class}`)}
                  <span className={styles.classNote}>{t(`class.${c.class}.note`)}</span>
                </th>
                <td>
                  {count(tag, c.free)}{' '}
                  <span className="meta">{t('overview.of', { total: count(tag, c.total) })}</span>
                </td>
                <td data-none={c.charging === 0}>{count(tag, c.charging)}</td>
                <td data-none={c.faulted === 0}>{count(tag, c.faulted)}</td>
                <td data-none={c.offline === 0}>{count(tag, c.offline)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Ports() {
  const t = useT();
  const { store } = useLive();
  const { view, sort } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Panel
      title={t('overview.ports')}
      flush={view === 'list'}
      aside={
        <>
          {view !== 'list' && (
            <SegmentedControl
              size="xs"
              aria-label={t('sort.label')}
              value={sort ?? 'site'}
              onChange={(v) =>
                void navigate({
                  search: (s) => ({ ...s, sort: v === 'worst' ? 'worst' : undefined }),
                  replace: true,
                })
              }
              data={[
                { value: 'site', label: t('wall.bySite') },
                { value: 'worst', label: t('wall.worst') },
              ]}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label={t('wall.view')}
            value={view ?? 'wall'}
            onChange={(v) =>
              void navigate({
                search: (s) => ({ ...s, view: v === 'list' ? 'list' : undefined }),
                replace: true,
              })
            }
            data={[
              { value: 'wall', label: t('wall.wall') },
              { value: 'list', label: t('wall.list') },
            ]}
          />
        </>
      }
    >
      {!store.ready ? (
        <PortsWaiting />
      ) : view === 'list' ? (
        <ListView />
      ) : (
        <Wall worstFirst={sort === 'worst'} />
      )}
    </Panel>
  );
}

function PortsWaiting() {
  const t = useT();
  const { phase } = useLiveStatus();
  if (phase === 'waiting') return <p className={styles.waiting}>{t('wall.noFeed')}</p>;
  return <Skeleton rows={5} />;
}

const noFilter = {};

function ListView() {
  const [held, setHeld] = useState(false);
  const selection = useSelection(noFilter, held);
  return (
    <div className={styles.list}>
      <StationList selection={selection} setHeld={setHeld} />
    </div>
  );
}
