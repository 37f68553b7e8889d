import { Tabs } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { Problem } from '../../api/problem';
import { commandsQuery, conformanceQuery, notesQuery, sessionsQuery, stationQuery } from '../../api/queries';
import type { Command, StationDetail } from '../../api/shapes';
import { useT, words } from '../../i18n/i18n';
import { useTopic } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import { StationIncidents } from '../incidents/panel';
import { StationAddress } from '../stations/address';
import { Refused } from '../stations/pending';
import { Commands } from './commands';
import { Configuration } from './configuration';
import { ConformanceList } from './conformance';
import { Firmware } from './firmware';
import { Header } from './header';
import { LocalList } from './local-list';
import { mergeCommand } from './merge';
import { Messages } from './messages';
import { Monitors } from './monitors';
import { Notes } from './notes';
import { Ports } from './ports';
import { stationTabs } from './search';
import { Sessions } from './sessions';
import styles from './station.module.css';
import { Timeline } from './timeline';

const route = getRouteApi('/inside/stations/$id');

const Difference = later(async () => {
  const [difference] = await Promise.all([import('../profiles/difference'), words.need('profiles')]);
  return difference;
});

export default function StationPage() {
  const { id } = route.useParams();
  // Another station is another page: nothing of the last one may linger.
  return <Station key={id} id={id} />;
}

function Station({ id }: { id: string }) {
  const t = useT();
  const queries = useQueryClient();
  const sites = useSites();
  const { data: station, error, refetch } = useQuery(stationQuery(id));
  useTopic(`station/${id}`, 'station', (frame) => {
    if (frame.data.id !== id) return;
    const before = queries.getQueryData(stationQuery(id).queryKey);
    queries.setQueryData(stationQuery(id).queryKey, frame.data);
    const open = (s: StationDetail | undefined) => s?.evses.map((e) => e.sessionId ?? '').join();
    if (open(before) !== open(frame.data))
      void queries.invalidateQueries({ queryKey: sessionsQuery(id).queryKey });
  });
  useTopic('commands', 'command', (frame) => {
    if (frame.data.station !== id) return;
    queries.setQueryData(commandsQuery(id).queryKey, (list: Command[] | undefined) =>
      list ? mergeCommand(list, frame.data) : list,
    );
  });
  return (
    <ZoneProvider value={sites.get(station?.siteId ?? '')?.timeZone || undefined}>
      <div className={styles.page}>
        <nav className={styles.crumbs} aria-label={t('station.path')}>
          <Link to="/stations">{t('nav.stations')}</Link>
          <Icon name="right" size={12} />
          <span className="mono" aria-current="page">
            {id}
          </span>
        </nav>
        {station ? (
          <Loaded station={station} />
        ) : error instanceof Problem && error.status === 404 ? (
          <Unheard id={id} />
        ) : error ? (
          <Panel flush>
            <Failed what={t('station.one', { id })} error={error} retry={() => void refetch()} />
          </Panel>
        ) : (
          <Panel flush>
            <Skeleton rows={6} />
          </Panel>
        )}
      </div>
    </ZoneProvider>
  );
}

function Unheard({ id }: { id: string }) {
  const t = useT();
  const mayRefused = useAllowed('handshakes.read');
  return (
    <>
      <Panel flush>
        <Empty title={t('station.unknown', { id })} action={<StationAddress identity={id} />}>
          {t('station.unknownText')}
        </Empty>
      </Panel>
      {mayRefused && (
        <Panel title={t('refused.title')} flush>
          <Refused />
        </Panel>
      )}
    </>
  );
}

function Loaded({ station }: { station: StationDetail }) {
  const t = useT();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const mayCommand = useAllowed('stations.command');
  const mayRead = useAllowed('messages.read');
  const mayIncidents = useAllowed('incidents.read');
  const mayNotes = useAllowed('notes.read');
  const mayRefused = useAllowed('handshakes.read');
  const { data: notes } = useQuery({ ...notesQuery(station.id), enabled: mayNotes });
  const { data: findings } = useQuery(conformanceQuery(station.id));
  return (
    <>
      <Header station={station} />
      {mayIncidents && <StationIncidents station={station.id} />}
      {station.lastFrameAt === null && (
        <>
          <Panel flush>
            <Empty title={t('station.never')} action={<StationAddress identity={station.id} />}>
              {t('station.neverText')}
            </Empty>
          </Panel>
          {mayRefused && (
            <Panel title={t('station.refused')} flush>
              <Refused identity={station.id} />
            </Panel>
          )}
        </>
      )}
      <Tabs
        value={tab ?? 'live'}
        keepMounted={false}
        onChange={(v) =>
          void navigate({
            search: (s) => ({
              ...s,
              tab: stationTabs.find((x) => x === v),
              prepare: undefined,
              compare: undefined,
            }),
          })
        }
      >
        <Tabs.List>
          <Tabs.Tab value="live">{t('tab.live')}</Tabs.Tab>
          {mayRead && <Tabs.Tab value="messages">{t('tab.messages')}</Tabs.Tab>}
          {mayCommand && <Tabs.Tab value="commands">{t('tab.commands')}</Tabs.Tab>}
          <Tabs.Tab value="configuration">{t('tab.configuration')}</Tabs.Tab>
          <Tabs.Tab value="firmware">{t('tab.firmware')}</Tabs.Tab>
          {station.protocol.startsWith('ocpp2') && <Tabs.Tab value="monitors">{t('tab.monitors')}</Tabs.Tab>}
          {mayNotes && (
            <Tabs.Tab
              value="notes"
              rightSection={
                notes && notes.length > 0 ? <span className={styles.badge}>{notes.length}</span> : null
              }
            >
              {t('tab.notes')}
            </Tabs.Tab>
          )}
          <Tabs.Tab
            value="conformance"
            rightSection={
              findings && findings.length > 0 ? <span className={styles.badge}>{findings.length}</span> : null
            }
          >
            {t('tab.conformance')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="live" className={styles.panels}>
          <Ports station={station} />
          <Timeline station={station} />
          <Sessions station={station} />
        </Tabs.Panel>
        {mayRead && (
          <Tabs.Panel value="messages" className={styles.panels}>
            <Messages station={station.id} />
          </Tabs.Panel>
        )}
        {mayCommand && (
          <Tabs.Panel value="commands" className={styles.panels}>
            <div className={styles.context}>
              <Ports station={station} />
            </div>
            <Commands station={station} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="configuration" className={styles.panels}>
          <LocalList station={station.id} />
          <Suspense fallback={null}>
            <Difference station={station} />
          </Suspense>
          <Configuration station={station} />
        </Tabs.Panel>
        <Tabs.Panel value="firmware" className={styles.panels}>
          <Firmware station={station} />
        </Tabs.Panel>
        <Tabs.Panel value="monitors" className={styles.panels}>
          <Monitors station={station} />
        </Tabs.Panel>
        {mayNotes && (
          <Tabs.Panel value="notes" className={styles.panels}>
            <Notes station={station.id} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="conformance" className={styles.panels}>
          <ConformanceList station={station.id} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
