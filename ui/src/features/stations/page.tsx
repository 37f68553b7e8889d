import { Button, Checkbox, Popover, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense, useCallback, useMemo, useState } from 'react';
import { handshakesQuery, pendingQuery, stationsQuery } from '../../api/queries';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useLayout, useLive } from '../../live/hooks';
import { saveCsv } from '../../ui/csv';
import { Export } from '../../ui/export';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { COLUMNS, type Column, columnsText, parseColumns, USUAL } from './columns';
import { Enrol } from './enrol';
import type { StationSearch } from './filter';
import { Filters } from './filters';
import { FirstStation } from './first';
import { columnKey, type Picks, type Selection, StationList, useSelection } from './list';
import styles from './page.module.css';
import { Pending, Refused } from './pending';
import { PickedBar } from './tags';
import { Views } from './views';

const Campaigns = later(() => import('../campaigns/tab'));

const route = getRouteApi('/inside/stations');

export default function StationsPage() {
  const t = useT();
  const tag = useTag();
  const { tab, campaign } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: pending } = useQuery(pendingQuery());
  const mayRefused = useAllowed('handshakes.read');
  const { data: refused } = useQuery({ ...handshakesQuery(), enabled: mayRefused });
  const [enrolling, setEnrolling] = useState(false);
  const mayEnrol = useAllowed('stations.write');
  const mayCommand = useAllowed('stations.command');
  // Stations that were picked to work on; null: nobody begins anything.
  const [work, setWork] = useState<string[] | null>(null);
  const badge = (n: number | undefined) => (n ? <span className={styles.badge}>{count(tag, n)}</span> : null);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t('nav.stations')}</h1>
        {mayEnrol && (
          <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setEnrolling(true)}>
            {t('enrol.open')}
          </Button>
        )}
      </header>
      <Tabs
        className={styles.tabs}
        value={tab ?? 'all'}
        keepMounted={false}
        onChange={(v) =>
          void navigate({
            search: (s) => ({
              ...s,
              tab: v === 'pending' || v === 'refused' || v === 'campaigns' ? v : undefined,
              campaign: undefined,
            }),
          })
        }
      >
        <Tabs.List>
          <Tabs.Tab value="all">{t('stations.all')}</Tabs.Tab>
          <Tabs.Tab value="pending" rightSection={badge(pending?.length)}>
            {t('pending.title')}
          </Tabs.Tab>
          {mayRefused && (
            <Tabs.Tab value="refused" rightSection={badge(refused?.length)}>
              {t('refused.title')}
            </Tabs.Tab>
          )}
          {mayCommand && <Tabs.Tab value="campaigns">{t('stations.campaigns')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="all" className={styles.all}>
          <All
            work={
              mayCommand
                ? (ids) => {
                    setWork(ids);
                    void navigate({ search: (s) => ({ ...s, tab: 'campaigns', campaign: undefined }) });
                  }
                : undefined
            }
          />
        </Tabs.Panel>
        <Tabs.Panel value="pending" className={styles.other}>
          <Panel flush>
            <Pending />
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="refused" className={styles.other}>
          <Panel flush>
            <Refused />
          </Panel>
        </Tabs.Panel>
        {mayCommand && (
          <Tabs.Panel value="campaigns" className={styles.other}>
            <Suspense fallback={<Skeleton rows={6} />}>
              <Campaigns
                id={campaign}
                show={(id) => void navigate({ search: (s) => ({ ...s, campaign: id }) })}
                work={work}
                setWork={setWork}
              />
            </Suspense>
          </Tabs.Panel>
        )}
      </Tabs>
      {enrolling && <Enrol close={() => setEnrolling(false)} />}
    </div>
  );
}

function All({ work }: { work: ((ids: string[]) => void) | undefined }) {
  const t = useT();
  const tag = useTag();
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const { store } = useLive();
  useLayout();
  const { error, refetch } = useQuery(stationsQuery());
  const [held, setHeld] = useState(false);
  const mayTag = useAllowed('stations.write');
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const picks: Picks = useMemo(
    () => ({
      ids,
      toggle: (which, on) =>
        setIds((before) => {
          const next = new Set(before);
          for (const id of which)
            if (on) next.add(id);
            else next.delete(id);
          return next;
        }),
    }),
    [ids],
  );
  const columns = useMemo(() => parseColumns(filter.cols) ?? USUAL, [filter.cols]);
  const selection = useSelection(filter, held);
  const change = useCallback(
    (part: Partial<StationSearch>) => void navigate({ search: (s) => ({ ...s, ...part }), replace: true }),
    [navigate],
  );
  const filtered = Boolean(filter.q || filter.site || filter.state || filter.tag);
  if (!filtered && store.ready && !selection.loading && selection.all === 0)
    return <FirstStation pending={0} />;
  return (
    <>
      <Filters filter={filter} change={change}>
        <Views />
        <Choice columns={columns} change={(c) => change({ cols: columnsText(c) })} />
        <Save selection={selection} />
      </Filters>
      {ids.size > 0 && (
        <PickedBar ids={[...ids]} clear={() => setIds(new Set())} mayTag={mayTag} work={work} />
      )}
      {error ? (
        <Panel flush>
          <Failed what={t('stations.details')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : null}
      <Panel flush className={styles.list}>
        <div className={styles.listBody}>
          <p className={`${styles.count} meta`} aria-live="polite">
            {filtered
              ? t('stations.some', { n: count(tag, selection.rows.length), all: count(tag, selection.all) })
              : t('stations.count', { n: selection.all })}
          </p>
          {selection.rows.length === 0 && !selection.loading ? (
            <Empty
              title={t('stations.nothing')}
              action={
                <Button component={Link} to="/stations" variant="default">
                  {t('stations.clear')}
                </Button>
              }
            >
              {t('stations.nothingText')}
            </Empty>
          ) : (
            <StationList
              selection={selection}
              setHeld={setHeld}
              columns={columns}
              picks={mayTag || work ? picks : undefined}
            />
          )}
        </div>
      </Panel>
    </>
  );
}

/** Which columns are shown; the choice is in the address. */
function Choice({ columns, change }: { columns: readonly Column[]; change: (c: Column[]) => void }) {
  const t = useT();
  return (
    <Popover position="bottom-end" width={220} trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" className={styles.wideOnly}>
          {t('columns.title')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('columns.title')}>
        <div className={styles.choice}>
          {COLUMNS.map((c) => (
            <Checkbox
              key={c}
              size="xs"
              label={t(columnKey(c))}
              checked={columns.includes(c)}
              onChange={(e) =>
                change(COLUMNS.filter((x) => (x === c ? e.currentTarget.checked : columns.includes(x))))
              }
            />
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function Save({ selection }: { selection: Selection }) {
  const t = useT();
  const siteName = useSiteNames();
  const { store } = useLive();
  return (
    <Export
      saves={[
        {
          name: t('export.csv'),
          run: async () => {
            saveCsv(
              'stations',
              [
                'id',
                'label',
                'site',
                'online',
                'ports',
                'states',
                'vendor',
                'model',
                'serial',
                'firmware',
                'protocol',
                'lastFrameAt',
                'tags',
              ],
              selection.rows.map((r) => {
                const ports = r.entry?.ports.flatMap((i) => store.port(i) ?? []) ?? [];
                return [
                  r.id,
                  r.label,
                  siteName(r.site),
                  ports[0]?.online ?? r.detail?.online ?? false,
                  ports.length,
                  ports.map((p) => p.status).join(' '),
                  r.detail?.vendor,
                  r.detail?.model,
                  r.detail?.serial,
                  r.detail?.firmware,
                  r.detail?.protocol,
                  r.detail?.lastFrameAt,
                  r.detail?.tags.join(','),
                ];
              }),
            );
            return { count: selection.rows.length, cut: false };
          },
        },
      ]}
    />
  );
}
