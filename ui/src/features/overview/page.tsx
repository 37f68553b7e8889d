import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense, useMemo, useState } from 'react';
import { meQuery } from '../../api/queries';
import type { Summary } from '../../api/shapes';
import { useScope } from '../../app/view';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useFlush, useLive, useLiveStatus, useSummary } from '../../live/hooks';
import { FAMILIES, type Family, familyOf, STATUSES } from '../../live/status';
import { useTally } from '../../live/tally';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, PanelBoundary, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { familyKey, StateShape } from '../../ui/state';
import { ZoneProvider } from '../../ui/zone';
import { IncidentPanel } from '../incidents/panel';
import { FirstStation } from '../stations/first';
import { StationList, useSelection } from '../stations/list';
import { Headline } from './headline';
import { CannotCharge } from './outages';
import styles from './overview.module.css';
import { PowerPanel } from './power';
import { Wall } from './wall';

const RaidPanel = later(() => import('../raid/panel'));

const route = getRouteApi('/inside/');

export default function OverviewPage() {
  const t = useT();
  const { store } = useLive();
  const site = useScope();
  const mayIncidents = useAllowed('incidents.read');
  const { data: me } = useQuery(meQuery());
  const mayPlay = useAllowed('sites.write') && me?.demo === true;
  const sites = useSites();
  const { out } = route.useSearch();
  const navigate = route.useNavigate();
  const { summary, error } = useSummary(site);
  useFlush(1000);
  const empty = store.ready && store.size === 0 && (summary?.stations.total ?? 0) === 0;
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <div className={styles.page}>
        <h1 className="srOnly">{t('nav.overview')}</h1>
        {error ? (
          <Panel flush>
            <Failed what={t('overview.summary')} error={error} />
          </Panel>
        ) : (
          <PanelBoundary>
            <Headline site={site} summary={summary} />
          </PanelBoundary>
        )}
        {empty ? (
          <FirstStation pending={summary?.stations.pending ?? 0} />
        ) : (
          <>
            {mayPlay && (
              <Suspense fallback={<div className={styles.raid} />}>
                <RaidPanel className={styles.raid} />
              </Suspense>
            )}
            {mayIncidents && <IncidentPanel site={site} />}
            <div className={styles.pair}>
              <PowerPanel summary={summary} />
              <CannotCharge
                site={site}
                all={out === 'all'}
                showAll={(all) =>
                  void navigate({ search: (s) => ({ ...s, out: all ? 'all' : undefined }), replace: true })
                }
                nothingWrong={(summary?.ports.total ?? 0) > 0}
              />
            </div>
            <States site={site} summary={summary} />
            <Ports site={site} />
          </>
        )}
      </div>
    </ZoneProvider>
  );
}

function familyCounts(summary: Summary): Record<Family, number> {
  const counts = Object.fromEntries(FAMILIES.map((f) => [f, 0])) as Record<Family, number>;
  for (const s of STATUSES) counts[familyOf(s, true)] += summary.ports.byStatus[s] ?? 0;
  counts.offline = summary.ports.offline;
  return counts;
}

/** All states in one line; together they are all ports. */
function States({ site, summary }: { site: string | undefined; summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const tally = useTally(site);
  const fromSummary = summary ? familyCounts(summary) : undefined;
  return (
    <section className={styles.states} aria-label={t('overview.states')}>
      <ul>
        {FAMILIES.map((f, i) => {
          const n = tally ? tally.counts[i]! : fromSummary?.[f];
          return (
            <li key={f}>
              <Link to="/stations" search={{ state: f }} className={styles.state} data-none={!n}>
                <span className={`${styles.stateCount} num`}>{n === undefined ? '–' : count(tag, n)}</span>
                <span className={styles.stateWord}>
                  <StateShape family={f} size={14} />
                  {t(familyKey(f))}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Ports({ site }: { site: string | undefined }) {
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
        <ListView site={site} />
      ) : (
        <Wall worstFirst={sort === 'worst'} site={site} />
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

function ListView({ site }: { site: string | undefined }) {
  const [held, setHeld] = useState(false);
  const selection = useSelection(
    useMemo(() => ({ site }), [site]),
    held,
  );
  return (
    <div className={styles.list}>
      <StationList selection={selection} setHeld={setHeld} />
    </div>
  );
}
