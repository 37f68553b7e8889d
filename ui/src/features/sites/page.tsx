import { Button, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { sitesQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { count, kilowatts, rated } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useTallies } from '../../live/tally';
import { saveCsv } from '../../ui/csv';
import { Icon } from '../../ui/icons';
import { useListKeys } from '../../ui/listkeys';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { type SiteRow, selectSites, siteRow } from './rows';
import type { SortBy } from './search';
import styles from './sites.module.css';

const route = getRouteApi('/inside/sites');
const HEIGHT = 52;
const PHONE_HEIGHT = 92;

export default function SitesPage() {
  const t = useT();
  const { q, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const only = useScope();
  // The address follows what is typed; going back changes what is typed.
  const [typed, setTyped] = useState(q ?? '');
  useEffect(() => setTyped(q ?? ''), [q]);
  const { data, error, refetch } = useQuery({ ...sitesQuery(), refetchInterval: 5000 });
  const tallies = useTallies();
  const mayWrite = useAllowed('sites.write');
  const rows = useMemo(
    () => (data ?? []).map((s) => siteRow(s, tallies.get(s.id), Date.now())),
    [data, tallies],
  );
  const fresh = useMemo(() => selectSites(rows, { q, sort }, only), [rows, q, sort, only]);
  // Nothing changes place under the pointer or the focus; figures go on.
  const [held, setHeld] = useState<string[] | null>(null);
  const shown = useMemo(() => {
    if (!held) return fresh;
    const byId = new Map(fresh.map((r) => [r.id, r]));
    const kept = held.flatMap((id) => byId.get(id) ?? []);
    return kept.length === fresh.length ? kept : fresh;
  }, [held, fresh]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t('nav.sites')}</h1>
        {data && data.length > 0 && <span className="meta">{t('sites.count', { n: fresh.length })}</span>}
        <div className={styles.tools}>
          <TextInput
            size="xs"
            aria-label={t('sites.filter')}
            placeholder={t('sites.filter')}
            value={typed}
            data-filter-field
            leftSection={<Icon name="search" size={14} />}
            onChange={(e) => {
              const v = e.currentTarget.value;
              setTyped(v);
              void navigate({ search: (s) => ({ ...s, q: v || undefined }), replace: true });
            }}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="download" size={14} />}
            disabled={fresh.length === 0}
            onClick={() => exportSites(fresh)}
          >
            {t('export.csv')}
          </Button>
          {mayWrite && (
            <Button
              size="xs"
              leftSection={<Icon name="plus" size={14} />}
              onClick={() => void navigate({ to: '/settings', search: { tab: 'sites' } })}
            >
              {t('sites.add')}
            </Button>
          )}
        </div>
      </header>
      <Panel flush className={styles.panel}>
        {error && !data ? (
          <Failed what={t('sites.what')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={8} height={HEIGHT} />
        ) : data.length === 0 ? (
          <Empty
            title={t('sites.none')}
            action={
              mayWrite ? (
                <Button component={Link} to="/settings" search={{ tab: 'sites' } as never}>
                  {t('sites.add')}
                </Button>
              ) : undefined
            }
          >
            <p>{t('sites.noneText')}</p>
          </Empty>
        ) : fresh.length === 0 ? (
          <Empty
            title={t('sites.nothing')}
            action={
              <Button
                variant="default"
                onClick={() =>
                  void navigate({ search: (s) => ({ ...s, q: undefined, site: undefined }) as never })
                }
              >
                {t('sites.all')}
              </Button>
            }
          />
        ) : (
          <Table
            rows={shown}
            sort={sort ?? 'name'}
            sortBy={(by) =>
              void navigate({
                search: (s) => ({ ...s, sort: by === 'name' ? undefined : by }),
                replace: true,
              })
            }
            hold={(on) => setHeld(on ? fresh.map((r) => r.id) : null)}
          />
        )}
      </Panel>
    </div>
  );
}

function exportSites(rows: SiteRow[]): void {
  saveCsv(
    'sites',
    [
      'id',
      'name',
      'address',
      'ports',
      'free',
      'faulted',
      'offline',
      'powerW',
      'gridLimitW',
      'sessions',
      'latitude',
      'longitude',
      'timeZone',
    ],
    rows.map((r) => [
      r.id,
      r.name,
      r.address,
      r.total,
      r.free,
      r.faulted,
      r.offline,
      Math.round(r.powerW),
      r.limitW || null,
      r.sessions,
      r.site.latitude,
      r.site.longitude,
      r.site.timeZone,
    ]),
  );
}

function Table({
  rows,
  sort,
  sortBy,
  hold,
}: {
  rows: SiteRow[];
  sort: SortBy;
  sortBy: (by: SortBy) => void;
  hold: (on: boolean) => void;
}) {
  const t = useT();
  const router = useRouter();
  const phone = useMediaQuery('(max-width: 767px)', false, { getInitialValueInEffect: false });
  const height = phone ? PHONE_HEIGHT : HEIGHT;
  const scroller = useRef<HTMLDivElement>(null);
  const cursor = useRef(-1);
  const over = useRef({ pointer: false, focus: false });
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (i) => rows[i]!.id,
    overscan: 8,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of rows changed with the width of the page
  useEffect(() => virtual.measure(), [height]);
  useListKeys(
    {
      count: rows.length,
      at: () => cursor.current,
      move: (next) => {
        cursor.current = next;
        virtual.scrollToIndex(next, { align: 'auto' });
        requestAnimationFrame(() =>
          scroller.current
            ?.querySelector<HTMLElement>(`[data-row="${next}"] a`)
            ?.focus({ preventScroll: true }),
        );
      },
      open: (at) => void router.navigate({ to: '/sites/$id', params: { id: rows[at]!.id } }),
    },
    () => scroller.current,
  );
  const told = (part: 'pointer' | 'focus', on: boolean) => {
    const before = over.current.pointer || over.current.focus;
    over.current[part] = on;
    const now = over.current.pointer || over.current.focus;
    if (now !== before) hold(now);
  };
  const head = (by: SortBy, text: string, right = false) => (
    <span
      role="columnheader"
      className={right ? styles.right : undefined}
      aria-sort={sort === by ? (by === 'name' || by === 'free' ? 'ascending' : 'descending') : 'none'}
    >
      <button type="button" className={styles.sort} data-on={sort === by} onClick={() => sortBy(by)}>
        {text}
        {sort === by && <Icon name="down" size={12} />}
      </button>
    </span>
  );
  return (
    <div
      ref={scroller}
      className={`${styles.scroller} scroll`}
      role="table"
      aria-label={t('nav.sites')}
      aria-rowcount={rows.length + 1}
      onPointerEnter={() => told('pointer', true)}
      onPointerLeave={() => told('pointer', false)}
      onFocus={(e) => {
        const row = e.target.closest('[data-row]')?.getAttribute('data-row');
        if (row) cursor.current = Number(row);
        told('focus', true);
      }}
      onBlur={(e) => told('focus', e.currentTarget.contains(e.relatedTarget))}
    >
      <div role="rowgroup" className={styles.headGroup}>
        <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.header}`}>
          {head('name', t('sites.site'))}
          {head('free', t('overview.free'))}
          {head('power', t('sites.load'))}
          {head('sessions', t('sites.sessions'), true)}
          {head('faulted', t('family.faulted'), true)}
          {head('offline', t('family.offline'), true)}
          <span role="columnheader">{t('sites.notices')}</span>
        </div>
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => (
          <Row key={item.key} row={rows[item.index]!} index={item.index} top={item.start} height={height} />
        ))}
      </div>
    </div>
  );
}

function Row({ row: r, index, top, height }: { row: SiteRow; index: number; top: number; height: number }) {
  const t = useT();
  const tag = useTag();
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      className={styles.row}
      style={{ position: 'absolute', insetInline: 0, top, height }}
    >
      <span role="cell" className={styles.name}>
        <Link to="/sites/$id" params={{ id: r.id }} className={styles.link}>
          {r.name}
        </Link>
        <span className={styles.address}>{r.address || '\u00a0'}</span>
      </span>
      <span role="cell" className={styles.free}>
        <span className={`${styles.freeCount} num`} data-none={r.free === 0}>
          {count(tag, r.free)}
          <span className={styles.of}>{t('overview.of', { total: count(tag, r.total) })}</span>
        </span>
        <span className={styles.classes}>
          {r.site.ports.byPowerClass.map((c) => (
            <span key={c.class} className="num">
              {t(`class.${c.class}`)} {count(tag, c.free)}/{count(tag, c.total)}
            </span>
          ))}
        </span>
      </span>
      <span role="cell" className={styles.load}>
        <span className="num">
          {kilowatts(tag, r.powerW)}
          <span className={styles.of}>
            {r.limitW > 0 ? t('sites.ofLimit', { kw: rated(tag, r.limitW) }) : t('sites.kw')}
          </span>
        </span>
        {r.load !== null && <LoadBar share={r.load} />}
      </span>
      <span role="cell" className={`${styles.right} ${styles.sessions} num`} data-none={r.sessions === 0}>
        {count(tag, r.sessions)}
      </span>
      <span role="cell" className={`${styles.right} ${styles.faulted} num`} data-none={r.faulted === 0}>
        {r.faulted > 0 && <StateShape family="faulted" size={12} />}
        {count(tag, r.faulted)}
        <span className={styles.phoneWord}>{t('family.faulted')}</span>
      </span>
      <span role="cell" className={`${styles.right} ${styles.offline} num`} data-none={r.offline === 0}>
        {r.offline > 0 && <StateShape family="offline" size={12} />}
        {count(tag, r.offline)}
        <span className={styles.phoneWord}>{t('family.offline')}</span>
      </span>
      <span role="cell" className={styles.notices} data-none={r.notices === 0}>
        {r.notices > 0 ? t('sites.noticeCount', { n: r.notices }) : '–'}
      </span>
    </div>
  );
}

/** How much of the grid connection is in use; the word is beside it. */
function LoadBar({ share }: { share: number }) {
  const t = useT();
  const percent = Math.round(share * 100);
  return (
    <span
      className={styles.bar}
      role="meter"
      aria-label={t('sites.share')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, percent)}
      aria-valuetext={`${percent} %`}
      title={`${percent} %`}
      data-high={share >= 0.9}
    >
      <span style={{ width: `${Math.min(100, percent)}%` }} />
    </span>
  );
}
