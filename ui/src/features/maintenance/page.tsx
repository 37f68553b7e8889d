// What people have to do at the sites: the jobs by where they stand, what should
// be looked at before it fails, and how well each port is.
import { Button, SegmentedControl, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import { Board } from './board';
import { Create } from './create';
import styles from './maintenance.module.css';
import { OrderDrawer } from './order';
import { closedQuery, ordersQuery } from './queries';
import { Inspect, Scores } from './scores';
import { type MaintenanceSearch, TABS } from './search';

const route = getRouteApi('/inside/maintenance');

export default function MaintenancePage() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useAllowed('workorders.write');
  const assigns = useAllowed('workorders.assign');
  const change = (part: Partial<MaintenanceSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  // Who works on site sees their own first; who plans sees all.
  const mine = (search.mine ?? (assigns ? 'all' : 'mine')) === 'mine';
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <div className={styles.page}>
        <header className={styles.head}>
          <h1 className={styles.title}>{t('nav.maintenance')}</h1>
          {search.tab === undefined && (
            <SegmentedControl
              aria-label={t('maintenance.whose')}
              value={mine ? 'mine' : 'all'}
              onChange={(v) => change({ mine: v === 'mine' ? 'mine' : 'all' })}
              data={[
                { value: 'all', label: t('maintenance.whose.all') },
                { value: 'mine', label: t('maintenance.whose.mine') },
              ]}
            />
          )}
          {mayWrite && (
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => change({ create: true })}>
              {t('maintenance.create')}
            </Button>
          )}
        </header>
        <Tabs
          className={styles.tabs}
          value={search.tab ?? 'board'}
          keepMounted={false}
          onChange={(v) => change({ tab: v === 'inspect' || v === 'scores' ? v : undefined })}
        >
          <Tabs.List>
            {TABS.map((x) => (
              <Tabs.Tab key={x} value={x}>
                {t(`maintenance.tab.${x}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="board" className={styles.panel}>
            <Orders
              site={site}
              mine={mine}
              open={(id) => change({ order: id })}
              all={() => change({ mine: 'all' })}
            />
          </Tabs.Panel>
          <Tabs.Panel value="inspect" className={styles.panel}>
            <Inspect site={site} create={mayWrite ? (incident) => change({ incident }) : undefined} />
          </Tabs.Panel>
          <Tabs.Panel value="scores" className={styles.panel}>
            <Scores site={site} />
          </Tabs.Panel>
        </Tabs>
        {mayWrite && (search.incident !== undefined || search.create) && (
          <Create
            key={search.incident ?? ''}
            incident={search.incident}
            station={search.station}
            close={(order) =>
              change({
                incident: undefined,
                create: undefined,
                station: undefined,
                ...(order ? { order, tab: undefined } : {}),
              })
            }
          />
        )}
        {search.order !== undefined && (
          <OrderDrawer key={search.order} id={search.order} close={() => change({ order: undefined })} />
        )}
      </div>
    </ZoneProvider>
  );
}

function Orders({
  site,
  mine,
  open,
  all,
}: {
  site: string | undefined;
  mine: boolean;
  open: (id: string) => void;
  all: () => void;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(ordersQuery(site));
  const { data: closed } = useQuery(closedQuery(site));
  if (error && !data)
    return (
      <Panel>
        <Failed what={t('maintenance.tab.board')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel>
        <Skeleton rows={8} />
      </Panel>
    );
  return <Board orders={data.items} closed={closed?.items ?? []} mine={mine} open={open} all={all} />;
}
