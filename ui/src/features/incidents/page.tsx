// The inbox: what waits for people, worst first, and beside it the one that was
// chosen.
import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useMatches, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useScope } from '../../app/view';
import { count } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import chip from '../../ui/chip.module.css';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import listPage from '../../ui/listpage.module.css';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import { Actor, useActor } from './actor';
import { useIncidents } from './feed';
import { countsOf, type Filter, filterOf, heldRows, passes, tabOf } from './filter';
import { IncidentList, type Picks } from './list';
import { useServerNow } from './now';
import styles from './page.module.css';
import { closedQuery, HISTORY } from './queries';
import { FAMILIES, type IncidentsSearch, type Mine, severitiesOf, TABS, type Tab } from './search';
import { SeverityShape, severityKey } from './severity';
import { type Incident, SEVERITIES } from './shape';
import { useMe } from './who';

const route = getRouteApi('/inside/incidents');

/** Who decides about rules sees them. */
const RULES = 'silences.write';

const tabKey = (tab: Tab): MessageKey => `incident.tab.${tab}`;

export default function IncidentsPage() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const chosen = useMatches({
    select: (all) => (all.at(-1)?.params as { id?: string } | undefined)?.id,
  });
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <Actor>
        <div className={styles.page} data-chosen={chosen !== undefined}>
          <section className={styles.left} aria-label={t('incident.list')}>
            <Inbox chosen={chosen} />
          </section>
          {chosen !== undefined && (
            <div className={styles.right}>
              <Outlet />
            </div>
          )}
        </div>
      </Actor>
    </ZoneProvider>
  );
}

function Inbox({ chosen }: { chosen: string | undefined }) {
  const t = useT();
  const tag = useTag();
  const site = useScope();
  const search = route.useSearch();
  const navigate = useNavigate();
  const now = useServerNow();
  const live = useIncidents();
  const counts = useMemo(() => countsOf(live.rows, site, now), [live.rows, site, now]);
  const tab: Tab = search.tab ?? 'inbox';
  const mayRead = useAllowed('notes.read');
  const change = (part: Partial<IncidentsSearch>) =>
    void navigate({ to: '.', search: (s: object) => ({ ...s, ...part }), replace: true } as never);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const picks: Picks = {
    ids: picked,
    toggle: (ids, on) =>
      setPicked((was) => {
        const next = new Set(was);
        for (const id of ids) on ? next.add(id) : next.delete(id);
        return next;
      }),
  };
  return (
    <>
      <header className={styles.head}>
        <h1 className={listPage.title}>{t('nav.incidents')}</h1>
        <div className={styles.tabs} role="tablist" aria-label={t('incident.tabs')}>
          {TABS.map((x) => (
            <button
              key={x}
              type="button"
              role="tab"
              aria-selected={x === tab}
              className={styles.tab}
              title={t(`incident.tab.note.${x}`)}
              onClick={() => {
                setPicked(new Set());
                change({ tab: x === 'inbox' ? undefined : x });
              }}
            >
              {t(tabKey(x))}
              {x in counts && live.ready && (
                <span className={`${styles.tabCount} num`}>
                  {count(tag, counts[x as 'inbox' | 'snoozed' | 'verifying'])}
                </span>
              )}
            </button>
          ))}
        </div>
        <Link to="/incidents/figures" search={{}} className={styles.figures}>
          <Icon name="health" size={16} />
          {t('incident.figures')}
        </Link>
        {mayRead && (
          <Link to="/incidents/handover" search={{}} className={styles.figures}>
            <Icon name="team" size={16} />
            {t('incident.handover')}
          </Link>
        )}
      </header>
      <Bar search={search} change={change} bySeverity={tab === 'inbox' ? counts.bySeverity : null} />
      {picked.size > 0 && <Bulk picked={picked} rows={live.rows} clear={() => setPicked(new Set())} />}
      {tab === 'closed' || tab === 'unproven' ? (
        <Past key={tab} tab={tab} search={search} chosen={chosen} picks={picks} change={change} />
      ) : (
        <Present key={tab} tab={tab} search={search} chosen={chosen} picks={picks} change={change} />
      )}
    </>
  );
}

function Bar({
  search,
  change,
  bySeverity,
}: {
  search: IncidentsSearch;
  change: (part: Partial<IncidentsSearch>) => void;
  bySeverity: readonly number[] | null;
}) {
  const t = useT();
  const tag = useTag();
  const chosen = severitiesOf(search.sev);
  return (
    <div className={styles.bar}>
      <Find value={search.q ?? ''} set={(q) => change({ q: q || undefined })} />
      <fieldset className={styles.severities}>
        <legend className="srOnly">{t('incident.severities')}</legend>
        {SEVERITIES.map((s, k) => (
          <button
            key={s}
            type="button"
            className={chip.chip}
            aria-pressed={chosen.includes(s)}
            onClick={() =>
              change({
                sev: SEVERITIES.filter((x) => (x === s) !== chosen.includes(x)).join(',') || undefined,
              })
            }
          >
            <SeverityShape severity={s} size={12} />
            <span>{s}</span>
            <span className={styles.chipWord}>{t(severityKey(s))}</span>
            {bySeverity && <span className="num">{count(tag, bySeverity[k]!)}</span>}
          </button>
        ))}
      </fieldset>
      <SegmentedControl
        size="xs"
        className={styles.who}
        aria-label={t('incident.who')}
        value={search.who ?? 'all'}
        onChange={(v) => change({ who: v === 'all' ? undefined : (v as Mine) })}
        data={(['all', 'mine', 'free'] as const).map((v) => ({ value: v, label: t(`incident.who.${v}`) }))}
      />
      <Select
        size="xs"
        className={styles.about}
        aria-label={t('incident.about')}
        placeholder={t('incident.about')}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
        value={search.about ?? null}
        onChange={(v) => change({ about: v ?? undefined })}
        data={FAMILIES.map((f) => ({ value: f, label: t(`incident.family.${f}`) }))}
      />
    </div>
  );
}

/** Typing is answered at once; the address follows when the hand rests. */
function Find({ value, set }: { value: string; set: (q: string) => void }) {
  const t = useT();
  const [text, setText] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  const latest = useRef(set);
  latest.current = set;
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      latest.current(text);
    }, 200);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <TextInput
      size="xs"
      className={styles.find}
      data-filter-field=""
      aria-label={t('incident.find')}
      placeholder={t('incident.find')}
      leftSection={<Icon name="search" size={14} />}
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      onKeyDown={(e) => e.key === 'Escape' && e.currentTarget.blur()}
    />
  );
}

function Bulk({
  picked,
  rows,
  clear,
}: {
  picked: ReadonlySet<string>;
  rows: readonly Incident[];
  clear: () => void;
}) {
  const t = useT();
  const { act } = useActor();
  const list = rows.filter((r) => picked.has(r.id));
  return (
    <div className={styles.bulk}>
      <strong className="num">{t('incident.selected', { n: list.length })}</strong>
      {(['acknowledge', 'claim', 'snooze', 'close'] as const).map((a) => (
        <Button
          key={a}
          size="compact-sm"
          variant={a === 'acknowledge' ? 'filled' : 'default'}
          disabled={list.length === 0}
          onClick={() => act(a, list)}
        >
          {t(`incident.act.${a}`)}
        </Button>
      ))}
      <Button size="compact-sm" variant="subtle" color="gray" onClick={clear} ml="auto">
        {t('incident.clear')}
      </Button>
    </div>
  );
}

type ListProps = {
  tab: Tab;
  search: IncidentsSearch;
  chosen: string | undefined;
  picks: Picks;
  change: (part: Partial<IncidentsSearch>) => void;
};

function useFilter(search: IncidentsSearch): Filter {
  const site = useScope();
  const me = useMe();
  return useMemo(() => filterOf(search, site, me), [search, site, me]);
}

/** Those that are not over, live. What lies under the pointer or the focus stays where it is. */
function Present({ tab, search, chosen, picks, change }: ListProps) {
  const t = useT();
  const now = useServerNow();
  const live = useIncidents();
  const filter = useFilter(search);
  const open = useOpen();
  const inTab = useMemo(
    () =>
      live.rows.filter(
        (i) => tabOf(i, now) === tab && (filter.site === undefined || i.siteId === filter.site),
      ),
    [live.rows, tab, now, filter.site],
  );
  const fresh = useMemo(() => inTab.filter((i) => passes(i, filter, now)), [inTab, filter, now]);
  const [held, setHeld] = useState<{ rows: readonly Incident[]; filter: Filter } | null>(null);
  const latest = useRef({ fresh, filter });
  latest.current = { fresh, filter };
  const hold = (on: boolean) =>
    setHeld((was) => (on ? (was ?? { rows: latest.current.fresh, filter: latest.current.filter }) : null));
  // Another filter is another list.
  const still = held !== null && held.filter === filter ? held : null;
  const shown = useMemo(() => {
    if (!still) return { rows: fresh, came: 0, moved: false };
    const known = new Map(live.rows.map((i) => [i.id, i]));
    return heldRows(still.rows, fresh, (id) => known.get(id));
  }, [still, fresh, live.rows]);
  const show = () => setHeld({ rows: latest.current.fresh, filter: latest.current.filter });

  if (live.error && !live.ready)
    return (
      <Panel flush className={listPage.list}>
        <Failed what={t('nav.incidents')} error={live.error} retry={live.again} />
      </Panel>
    );
  if (!live.ready)
    return (
      <Panel flush className={listPage.list}>
        <Skeleton rows={12} />
      </Panel>
    );
  return (
    <Panel flush className={listPage.list}>
      {shown.rows.length === 0 ? (
        <Nothing tab={tab} hidden={inTab.length} change={change} />
      ) : (
        <IncidentList
          rows={shown.rows}
          chosen={chosen}
          open={open}
          picks={picks}
          held={hold}
          pill={
            shown.came > 0
              ? { text: t('incident.came', { n: shown.came }), show }
              : shown.moved
                ? { text: t('incident.reorder'), show }
                : null
          }
          end={live.reading ? t('loading') : t('incident.end', { n: shown.rows.length })}
        />
      )}
    </Panel>
  );
}

/** Those that are over, page by page. */
function Past({ tab, search, chosen, picks, change }: ListProps) {
  const t = useT();
  const now = useServerNow();
  const filter = useFilter(search);
  const open = useOpen();
  const [from] = useState(() => Math.floor((Date.now() - HISTORY) / 60_000) * 60_000);
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetching, isFetchingNextPage } =
    useInfiniteQuery(closedQuery(filter, from, tab === 'unproven' ? true : undefined));
  const inTab = useMemo(
    () =>
      (data?.pages.flatMap((p) => p.items) ?? []).filter(
        (i) => i.parentId === null && (tab === 'closed' || tabOf(i, now) === tab),
      ),
    [data, tab, now],
  );
  const rows = useMemo(() => inTab.filter((i) => passes(i, filter, now)), [inTab, filter, now]);
  // Few of many may be wanted: the next page is asked for until the screen is full.
  useEffect(() => {
    if (hasNextPage && !isFetching && rows.length < 40) void fetchNextPage();
  }, [hasNextPage, isFetching, rows.length, fetchNextPage]);
  return (
    <Panel flush className={listPage.list}>
      {error && !data ? (
        <Failed what={t('nav.incidents')} error={error} retry={() => void refetch()} />
      ) : !data || (rows.length === 0 && hasNextPage) ? (
        <Skeleton rows={12} />
      ) : rows.length === 0 ? (
        <Nothing tab={tab} hidden={inTab.length} change={change} />
      ) : (
        <IncidentList
          rows={rows}
          groups={false}
          chosen={chosen}
          open={open}
          picks={picks}
          held={() => {}}
          pill={null}
          more={hasNextPage && !isFetchingNextPage ? () => void fetchNextPage() : undefined}
          end={isFetchingNextPage ? t('loading') : hasNextPage ? '' : t('incident.end', { n: rows.length })}
        />
      )}
    </Panel>
  );
}

function useOpen(): (i: Incident) => void {
  const navigate = route.useNavigate();
  return (i) => void navigate({ to: '/incidents/$id', params: { id: i.id }, search: true });
}

function Nothing({
  tab,
  hidden,
  change,
}: {
  tab: Tab;
  hidden: number;
  change: (part: Partial<IncidentsSearch>) => void;
}) {
  const t = useT();
  const site = useScope();
  if (hidden > 0)
    return (
      <Empty
        title={t('incident.noMatch')}
        action={
          <Button
            variant="default"
            onClick={() => change({ sev: undefined, about: undefined, who: undefined, q: undefined })}
          >
            {t('incident.unfilter')}
          </Button>
        }
      >
        {t('incident.noMatchText', { n: hidden })}
      </Empty>
    );
  if (tab !== 'inbox') return <Empty title={t(`incident.none.${tab}`)}>{t('incident.noneText')}</Empty>;
  return <Quiet site={site} />;
}

/** Nothing waits: since when, and where to look next. */
function Quiet({ site }: { site: string | undefined }) {
  const t = useT();
  const mayRules = useAllowed(RULES);
  const [from] = useState(() => Math.floor((Date.now() - HISTORY) / 60_000) * 60_000);
  const { data } = useInfiniteQuery(closedQuery({ site, severities: [] }, from));
  const last = data?.pages[0]?.items.reduce((a, i) => Math.max(a, Date.parse(i.closedAt ?? '') || 0), 0) ?? 0;
  return (
    <Empty
      title={
        <>
          {t('incident.quiet')}
          {last > 0 && (
            <span className={styles.since}>
              <Age at={last} />
            </span>
          )}
        </>
      }
      action={
        <div className={styles.next}>
          <Button component={Link} to="/incidents" search={{ tab: 'closed' } as never} variant="default">
            {t('incident.seeClosed')}
          </Button>
          {mayRules && (
            <Button component={Link} to="/rules" variant="default">
              {t('incident.toRules')}
            </Button>
          )}
        </div>
      }
    >
      {t(site === undefined ? 'incident.quietText' : 'incident.quietSite')}
    </Empty>
  );
}
