import { Button, Switch } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Found, SystemEvent } from '../../api/shapes';
import { useRange, useScope } from '../../app/view';
import { type MessageKey, useT } from '../../i18n/i18n';
import { useLive, useTopic } from '../../live/hooks';
import chip from '../../ui/chip.module.css';
import { collect } from '../../ui/collect';
import { saveCsv } from '../../ui/csv';
import { Export } from '../../ui/export';
import { Icon } from '../../ui/icons';
import listPage from '../../ui/listpage.module.css';
import { LongList, listStyles as list } from '../../ui/longlist';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import { Find } from '../desk/find';
import { Details } from './details';
import styles from './events.module.css';
import { belongs, type EventsSearch, type Group, groups, parseGroups, subjectPort } from './kinds';
import { type Ask, eventsQuery, readEvents } from './queries';
import { eventWords, kindWord } from './sentence';
import { When } from './when';

const route = getRouteApi('/inside/events');
const MOST = 50_000;
/** What came over the feed and is kept; more is read again. */
const MOST_FRESH = 2000;

const groupKey: Record<Group, MessageKey> = {
  states: 'group.states',
  sessions: 'group.sessions',
  cards: 'group.cards',
  connection: 'group.connection',
  commands: 'group.commands',
  device: 'group.device',
  security: 'group.security',
  findings: 'group.findings',
  office: 'group.office',
  meter: 'group.meter',
};

export default function EventsPage() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const range = useRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<EventsSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const chosen = useMemo(() => parseGroups(search.kind), [search.kind]);
  const ask: Ask = useMemo(
    () => ({ site, subject: search.subject, chosen, range }),
    [site, search.subject, chosen, range],
  );
  const choose = (f: Found) => {
    if (f.kind === 'site') void navigate({ search: (s) => ({ ...s, site: f.id }), replace: true });
    else if (f.station) change({ subject: `station/${f.station}${f.kind === 'evse' ? `/${f.evse}` : ''}` });
  };
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <div className={listPage.page}>
        <header className={listPage.head}>
          <h1 className={listPage.title}>{t('nav.events')}</h1>
          {range.span !== null && (
            <Switch
              label={t('events.follow')}
              checked={search.follow !== 'off'}
              onChange={(e) => change({ follow: e.currentTarget.checked ? undefined : 'off' })}
            />
          )}
          <Save ask={ask} />
        </header>
        <div className={listPage.bar}>
          <div className={listPage.find}>
            <Find
              initial=""
              keep={() => {}}
              choose={choose}
              autoFocus={false}
              label={t('events.find')}
              small
            />
          </div>
          <fieldset className={styles.chips}>
            <legend className="srOnly">{t('events.kinds')}</legend>
            {groups.map((g) => (
              <button
                key={g}
                type="button"
                className={chip.chip}
                aria-pressed={chosen.includes(g)}
                onClick={() =>
                  change({
                    kind: groups.filter((x) => (x === g) !== chosen.includes(x)).join(',') || undefined,
                  })
                }
              >
                {t(groupKey[g])}
              </button>
            ))}
            {search.subject && (
              <button
                type="button"
                className={chip.chip}
                aria-pressed={true}
                onClick={() => change({ subject: undefined })}
              >
                <span className="mono">{search.subject.replace(/^station\//, '')}</span>{' '}
                <Icon name="close" size={12} />
              </button>
            )}
          </fieldset>
        </div>
        <Rows
          key={JSON.stringify([site, search.subject, search.kind, range.span ?? range])}
          ask={ask}
          follow={search.follow !== 'off'}
          chosen={search.open}
          open={(e) => change({ open: e?.seq })}
        />
      </div>
    </ZoneProvider>
  );
}

function Rows({
  ask,
  follow,
  chosen,
  open,
}: {
  ask: Ask;
  follow: boolean;
  chosen: number | undefined;
  open: (e: SystemEvent | undefined) => void;
}) {
  const t = useT();
  const { store } = useLive();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    eventsQuery(ask),
  );
  const [fresh, setFresh] = useState<SystemEvent[]>([]);
  const [waiting, setWaiting] = useState<SystemEvent[]>([]);
  const [held, setHeld] = useState(false);
  const live = ask.range.span !== null;
  const add = (events: SystemEvent[]) =>
    setFresh((before) => {
      const seen = new Set(before.map((e) => e.seq));
      return [...events.filter((e) => !seen.has(e.seq)), ...before]
        .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.seq - a.seq))
        .slice(0, MOST_FRESH);
    });
  const quiet = follow && !held;
  // Frames come one by one; the list changes a few times a second at most.
  const queue = useRef<SystemEvent[]>([]);
  const latest = useRef({ quiet, add });
  latest.current = { quiet, add };
  useTopic(live ? 'events' : null, 'event', (frame) => {
    const e = frame.data as SystemEvent;
    if (belongs(e, { ...ask, from: ask.range.from }, (id) => store.station(id)?.site)) queue.current.push(e);
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (queue.current.length === 0) return;
      const came = queue.current.splice(0);
      if (latest.current.quiet) latest.current.add(came);
      else setWaiting((w) => [...came, ...w].slice(0, MOST_FRESH));
    }, 300);
    return () => clearInterval(timer);
  }, []);
  const show = () => {
    add(waiting);
    setWaiting([]);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what waited is shown when the list is let go
  useEffect(() => {
    if (quiet && waiting.length > 0) show();
  }, [quiet]);
  const rows = useMemo(() => {
    const read = data?.pages.flatMap((p) => p.items) ?? [];
    const seen = new Set(read.map((e) => e.seq));
    return [...fresh.filter((e) => !seen.has(e.seq)), ...read];
  }, [data, fresh]);
  const detail = chosen === undefined ? undefined : rows.find((e) => e.seq === chosen);
  const failed = error && !data;
  return (
    <>
      <Panel flush className={listPage.list}>
        {failed ? (
          <Failed what={t('nav.events')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={12} />
        ) : rows.length === 0 && !hasNextPage ? (
          <Empty
            title={t('events.none')}
            action={
              <Button component={Link} to="/events" search={{ range: '7d' } as never} variant="default">
                {t('events.wider')}
              </Button>
            }
          >
            {t('events.noneText')}
          </Empty>
        ) : (
          <LongList
            label={t('nav.events')}
            rows={rows}
            rowKey={(e) => e.seq}
            className={styles.grid}
            phoneHeight={68}
            open={open}
            held={setHeld}
            pill={waiting.length > 0 ? { text: t('events.new', { n: waiting.length }), show } : null}
            more={hasNextPage ? () => void fetchNextPage() : undefined}
            loadingMore={isFetchingNextPage}
            end={t('events.end', { n: rows.length })}
            head={
              <>
                <span role="columnheader">{t('events.at')}</span>
                <span role="columnheader">{t('events.kind')}</span>
                <span role="columnheader">{t('events.subject')}</span>
                <span role="columnheader">{t('events.what')}</span>
              </>
            }
            cells={(e) => <Cells event={e} open={open} />}
          />
        )}
      </Panel>
      {detail && <Details event={detail} close={() => open(undefined)} />}
    </>
  );
}

/** A report of the past: it came long after it happened. */
const late = (e: SystemEvent): boolean => Date.parse(e.receivedAt) - Date.parse(e.at) > 120_000;

function Cells({ event: e, open }: { event: SystemEvent; open: (e: SystemEvent) => void }) {
  const t = useT();
  const port = subjectPort(e.subject);
  return (
    <>
      <span role="cell" className={styles.at}>
        <button type="button" className={list.open} onClick={() => open(e)}>
          <When at={Date.parse(e.at)} />
        </button>
        {late(e) && (
          <span className={styles.late} title={t('events.late')}>
            <Icon name="clock" size={12} />
            <span className="srOnly">{t('events.late')}</span>
          </span>
        )}
      </span>
      <span role="cell" className={`${styles.kind} ${list.quiet}`}>
        {kindWord(t, e.kind)}
      </span>
      <span role="cell" className={styles.subject}>
        {port ? (
          <Link
            to="/stations/$id"
            params={{ id: port.station }}
            search={{ port: port.evse || undefined }}
            className={`${list.above} ${styles.link} mono`}
          >
            {port.station}
            {port.evse > 0 && `/${port.evse}`}
          </Link>
        ) : (
          <span className="mono">{e.subject}</span>
        )}
      </span>
      <span role="cell" className={styles.what}>
        {eventWords(t, e)}
      </span>
    </>
  );
}

function saveJson(name: string, items: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(items, null, 1)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function Save({ ask }: { ask: Ask }) {
  const t = useT();
  const all = (progress: (n: number) => void) =>
    collect((cursor) => readEvents(ask, 1000, cursor), MOST, progress);
  return (
    <Export
      saves={[
        {
          name: t('export.csv'),
          run: async (progress) => {
            const { items, cut } = await all(progress);
            saveCsv(
              'events',
              [
                'seq',
                'at',
                'deviceAt',
                'receivedAt',
                'timeQuality',
                'origin',
                'kind',
                'subject',
                'words',
                'data',
              ],
              items.map((e) => [
                e.seq,
                e.at,
                e.deviceAt,
                e.receivedAt,
                e.timeQuality,
                e.origin,
                e.kind,
                e.subject,
                eventWords(t, e),
                JSON.stringify(e.data),
              ]),
            );
            return { count: items.length, cut };
          },
        },
        {
          name: t('events.json'),
          run: async (progress) => {
            const { items, cut } = await all(progress);
            saveJson('events', items);
            return { count: items.length, cut };
          },
        },
      ]}
    />
  );
}
