import { Button, Select } from '@mantine/core';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Found, Session } from '../../api/shapes';
import { useRange, useScope } from '../../app/view';
import { kilowatts, sessionEnergy } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import chip from '../../ui/chip.module.css';
import { collect } from '../../ui/collect';
import { saveCsv } from '../../ui/csv';
import { Export } from '../../ui/export';
import { Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import listPage from '../../ui/listpage.module.css';
import { LongList, listStyles as list } from '../../ui/longlist';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames, useSites } from '../../ui/sites';
import { StateShape } from '../../ui/state';
import { PartZone, useZone, ZoneProvider } from '../../ui/zone';
import { Find } from '../desk/find';
import { When } from '../events/when';
import { flagWords, stopWords } from '../station/session-words';
import { Details } from './details';
import { meanW, type SessionsSearch } from './filter';
import { type Ask, newestQuery, readSessions, sessionsQuery } from './queries';
import styles from './sessions.module.css';

const route = getRouteApi('/inside/sessions');
const MOST = 50_000;

export default function SessionsPage() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const range = useRange();
  const { open, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<SessionsSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const ask: Ask = {
    site,
    range,
    station: filter.station,
    token: filter.token,
    state: filter.state,
    flagged: filter.flagged,
  };
  const choose = (f: Found) => {
    if (f.kind === 'token') change({ token: f.id });
    else if (f.kind === 'session') change({ open: f.id });
    else if (f.kind === 'site') void navigate({ search: (s) => ({ ...s, site: f.id }), replace: true });
    else change({ station: f.station });
  };
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <div className={listPage.page}>
        <header className={listPage.head}>
          <h1 className={listPage.title}>{t('nav.sessions')}</h1>
          <Save ask={ask} />
        </header>
        <div className={listPage.bar}>
          <div className={listPage.find}>
            <Find
              initial=""
              keep={() => {}}
              choose={choose}
              autoFocus={false}
              label={t('session.find')}
              small
            />
          </div>
          <Select
            className={styles.select}
            aria-label={t('session.state')}
            data={[
              { value: 'all', label: t('session.all') },
              { value: 'active', label: t('session.onlyActive') },
              { value: 'ended', label: t('session.onlyEnded') },
            ]}
            value={filter.state ?? 'all'}
            allowDeselect={false}
            onChange={(v) => change({ state: v === 'active' || v === 'ended' ? v : undefined })}
          />
          <button
            type="button"
            className={chip.chip}
            aria-pressed={filter.flagged === true}
            onClick={() => change({ flagged: filter.flagged ? undefined : true })}
          >
            <Icon name="warn" size={14} /> {t('session.flagged')}
          </button>
          {filter.station && (
            <Drop
              text={t('session.atStation', { id: filter.station })}
              drop={() => change({ station: undefined })}
            />
          )}
          {filter.token && <Drop text={t('session.withCard')} drop={() => change({ token: undefined })} />}
        </div>
        <Rows ask={ask} open={(id) => change({ open: id })} />
        {open && <Details id={open} close={() => change({ open: undefined })} />}
      </div>
    </ZoneProvider>
  );
}

/** A filter that came from elsewhere, to be taken off. */
function Drop({ text, drop }: { text: string; drop: () => void }) {
  return (
    <button type="button" className={chip.chip} aria-pressed={true} onClick={drop}>
      {text} <Icon name="close" size={12} />
    </button>
  );
}

function Rows({ ask, open }: { ask: Ask; open: (id: string) => void }) {
  const t = useT();
  const queries = useQueryClient();
  const query = sessionsQuery(ask);
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(query);
  const { data: newest } = useQuery(newestQuery(ask));
  const [held, setHeld] = useState(false);
  const rows = useMemo(() => data?.pages.flatMap((p) => p.items) ?? [], [data]);
  // What changed since stands in place; what came waits above.
  const { current, fresh } = useMemo(() => {
    const byId = new Map((newest ?? []).map((s) => [s.id, s]));
    const known = new Set(rows.map((s) => s.id));
    return {
      current: rows.map((s) => byId.get(s.id) ?? s),
      fresh: (newest ?? []).filter((s) => !known.has(s.id)),
    };
  }, [rows, newest]);
  const show = () => void queries.resetQueries({ queryKey: query.queryKey, exact: true });
  const shown = held || fresh.length === 0 ? current : [...fresh, ...current];
  if (error && !data) {
    return (
      <Panel flush>
        <Failed what={t('nav.sessions')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  }
  return (
    <Panel flush className={listPage.list}>
      {!data ? (
        <Skeleton rows={10} />
      ) : shown.length === 0 && !hasNextPage ? (
        <Empty
          title={t('session.nothing')}
          action={
            <Button component={Link} to="/sessions" search={{ range: '30d' } as never} variant="default">
              {t('session.wider')}
            </Button>
          }
        >
          {t('session.nothingText')}
        </Empty>
      ) : (
        <LongList
          label={t('nav.sessions')}
          rows={shown}
          rowKey={(s) => s.id}
          className={styles.grid}
          phoneHeight={68}
          open={(s) => open(s.id)}
          held={setHeld}
          pill={held && fresh.length > 0 ? { text: t('session.new', { n: fresh.length }), show } : null}
          more={hasNextPage ? () => void fetchNextPage() : undefined}
          loadingMore={isFetchingNextPage}
          end={t('session.last', { n: shown.length })}
          head={<Head />}
          cells={(s) => <Cells session={s} open={open} />}
        />
      )}
    </Panel>
  );
}

function Head() {
  const t = useT();
  return (
    <>
      <span role="columnheader">{t('session.began')}</span>
      <span role="columnheader">{t('session.site')}</span>
      <span role="columnheader">{t('column.station')}</span>
      <span role="columnheader">{t('session.card')}</span>
      <span role="columnheader" className={list.right}>
        {t('session.energy')}
      </span>
      <span role="columnheader" className={list.right}>
        {t('session.time')}
      </span>
      <span role="columnheader" className={list.right}>
        {t('session.mean')}
      </span>
      <span role="columnheader" className={list.right}>
        {t('session.peakPower')}
      </span>
      <span role="columnheader" className={list.right}>
        {t('session.soc')}
      </span>
      <span role="columnheader">{t('session.how')}</span>
    </>
  );
}

function Cells({ session: s, open }: { session: Session; open: (id: string) => void }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const sites = useSites();
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const start = Date.parse(s.startedAt);
  const ms = (s.endedAt ? Date.parse(s.endedAt) : now) - start;
  const mean = meanW(s.energyWh, ms);
  const round = (v: number | null) => (v === null ? '' : String(Math.round(v)));
  return (
    <PartZone value={sites.get(s.siteId)?.timeZone || undefined}>
      <span role="cell" className={styles.began}>
        <button type="button" className={`${list.open} num`} onClick={() => open(s.id)}>
          <When at={start} />
        </button>
      </span>
      <span role="cell" className={`${styles.site} ${list.quiet}`}>
        {siteName(s.siteId)}
      </span>
      <span role="cell" className={`${styles.port} mono`}>
        {s.station}/{s.evse}
      </span>
      <span role="cell" className={`${styles.card} ${list.quiet} mono`}>
        {s.idToken || '–'}
      </span>
      <span role="cell" className={`${styles.energy} ${list.right}`}>
        <Figure q={sessionEnergy(tag, s.energyWh)} className={styles.small} />
      </span>
      <span role="cell" className={`${styles.time} ${list.right} num`}>
        {span(ms)}
      </span>
      <span role="cell" className={`${styles.mean} ${list.right} num`}>
        {mean === null ? (
          '–'
        ) : (
          <Figure q={{ value: kilowatts(tag, mean), unit: 'kW' }} className={styles.small} />
        )}
      </span>
      <span role="cell" className={`${styles.peak} ${list.right} num`}>
        {s.peakPowerW > 0 ? (
          <Figure q={{ value: kilowatts(tag, s.peakPowerW), unit: 'kW' }} className={styles.small} />
        ) : (
          '–'
        )}
      </span>
      <span role="cell" className={`${styles.soc} ${list.right} num`}>
        {s.socEndPercent === null ? '–' : `${round(s.socStartPercent)} → ${round(s.socEndPercent)} %`}
      </span>
      <span role="cell" className={styles.how}>
        {s.state === 'active' ? (
          <span className={styles.running}>
            <StateShape
              family={s.chargingState.startsWith('Suspended') ? 'suspended' : 'charging'}
              size={14}
            />
            {t('session.runs')}
          </span>
        ) : (
          stopWords(t, s)
        )}
        {s.flags.length > 0 && (
          <span className={styles.doubt} title={s.flags.map((f) => flagWords(t, f)).join('\n')}>
            <Icon name="warn" size={14} />
            <span className="srOnly">{s.flags.map((f) => flagWords(t, f)).join(' ')}</span>
          </span>
        )}
      </span>
    </PartZone>
  );
}

function Save({ ask }: { ask: Ask }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const siteName = useSiteNames();
  return (
    <Export
      saves={[
        {
          name: t('export.csv'),
          run: async (progress) => {
            const { items, cut } = await collect((cursor) => readSessions(ask, 1000, cursor), MOST, progress);
            saveCsv(
              'sessions',
              [
                'id',
                'startedAt',
                'endedAt',
                'started',
                'site',
                'station',
                'evse',
                'connector',
                'transactionId',
                'idToken',
                'energyWh',
                'durationSeconds',
                'meanPowerW',
                'peakPowerW',
                'socStartPercent',
                'socEndPercent',
                'meterStartWh',
                'meterStopWh',
                'state',
                'stopReason',
                'flags',
              ],
              items.map((s) => {
                const ms = (s.endedAt ? Date.parse(s.endedAt) : Date.now()) - Date.parse(s.startedAt);
                const mean = meanW(s.energyWh, ms);
                return [
                  s.id,
                  s.startedAt,
                  s.endedAt,
                  exact(tag, Date.parse(s.startedAt), zone),
                  siteName(s.siteId),
                  s.station,
                  s.evse,
                  s.connector,
                  s.transactionId,
                  s.idToken,
                  s.energyWh,
                  Math.round(ms / 1000),
                  mean === null ? null : Math.round(mean),
                  s.peakPowerW,
                  s.socStartPercent,
                  s.socEndPercent,
                  s.meterStartWh,
                  s.meterStopWh,
                  s.state,
                  s.stopReason,
                  s.flags.join(' '),
                ];
              }),
            );
            return { count: items.length, cut };
          },
        },
      ]}
    />
  );
}
