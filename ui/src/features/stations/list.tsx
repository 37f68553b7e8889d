import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { stationsQuery } from '../../api/queries';
import { kilowatts, NONE } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useFlush, useLayout, useLive, useStationPorts } from '../../live/hooks';
import { FAMILIES, familyCode, URGENCY } from '../../live/status';
import type { PortView, StationEntry } from '../../live/store';
import { Age } from '../../ui/figures';
import { useListKeys } from '../../ui/listkeys';
import { Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { familyKey, StateLabel, StateShape, statusKey } from '../../ui/state';
import type { StationSearch } from './filter';
import styles from './list.module.css';
import { mergeRows, type Row, selectRows } from './order';

const HEIGHT = 36;
const PHONE_HEIGHT = 64;
const PORTS_SHOWN = 4;

export type Selection = { rows: Row[]; all: number; changed: number; apply: () => void; loading: boolean };

/**
 * The rows to show. While the pointer or focus rests on the list nothing moves:
 * changes of order are counted and wait for a click.
 */
export function useSelection(filter: StationSearch, held: boolean): Selection {
  const { store } = useLive();
  const layout = useLayout();
  const siteName = useSiteNames();
  const { data: details, isPending } = useQuery(stationsQuery());
  const tick = useFlush(1000);
  // biome-ignore lint/correctness/useExhaustiveDependencies: layout says that store.stations changed
  const rows = useMemo(() => mergeRows(store.stations, details), [store, layout, details]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tick says that values in the store changed
  const fresh = useMemo(
    () => selectRows(store, rows, siteName, filter),
    [store, rows, siteName, filter, tick],
  );
  const key = JSON.stringify(filter);
  const [shown, setShown] = useState({ key, rows: fresh });
  useEffect(() => {
    if (!held) setShown({ key, rows: fresh });
  }, [held, key, fresh]);
  const useShown = held && shown.key === key;
  const current = useShown ? shown.rows : fresh;
  const changed = useShown ? difference(shown.rows, fresh) : 0;
  return {
    rows: current,
    all: rows.length,
    changed,
    apply: () => setShown({ key, rows: fresh }),
    loading: !store.ready && isPending,
  };
}

/** How many rows came, went or moved. */
function difference(a: readonly Row[], b: readonly Row[]): number {
  const before = new Map(a.map((r, i) => [r.id, i]));
  let n = 0;
  let kept = 0;
  for (let i = 0; i < b.length; i++) {
    const at = before.get(b[i]!.id);
    if (at === undefined) n++;
    else {
      kept++;
      if (at !== i) n++;
    }
  }
  return n + (a.length - kept);
}

export function StationList({
  selection,
  setHeld,
}: {
  selection: Selection;
  setHeld: (held: boolean) => void;
}) {
  const t = useT();
  const router = useRouter();
  const phone = useMediaQuery('(max-width: 767px)', false, { getInitialValueInEffect: false });
  const scroller = useRef<HTMLDivElement>(null);
  const hovered = useRef(false);
  const focused = useRef(false);
  const cursor = useRef(-1);
  const { rows, changed, apply } = selection;
  const height = phone ? PHONE_HEIGHT : HEIGHT;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (i) => rows[i]!.id,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of rows changed with the width of the page
  useEffect(() => virtual.measure(), [height]);
  const hold = () => setHeld(hovered.current || focused.current);

  const move = (next: number) => {
    // The row may have to be drawn first; the next key must not wait for that.
    cursor.current = next;
    virtual.scrollToIndex(next, { align: 'auto' });
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-row="${cursor.current}"] a`)
        ?.focus({ preventScroll: true }),
    );
  };
  useListKeys(
    {
      count: rows.length,
      at: () => cursor.current,
      move,
      open: (at) => void router.navigate({ to: '/stations/$id', params: { id: rows[at]!.id } }),
    },
    () => scroller.current,
  );

  if (selection.loading) return <Skeleton rows={8} />;
  return (
    <div className={styles.frame}>
      {changed > 0 && (
        <Button className={styles.pill} size="compact-xs" variant="default" onClick={apply}>
          {t('list.changed', { n: changed })}
        </Button>
      )}
      <div
        ref={scroller}
        className={`${styles.scroller} scroll`}
        role="table"
        aria-label={t('nav.stations')}
        aria-rowcount={rows.length + 1}
        onPointerEnter={() => {
          hovered.current = true;
          hold();
        }}
        onPointerLeave={() => {
          hovered.current = false;
          hold();
        }}
        onFocus={(e) => {
          const row = e.target.closest('[data-row]')?.getAttribute('data-row');
          if (row) cursor.current = Number(row);
          focused.current = true;
          hold();
        }}
        onBlur={(e) => {
          focused.current = e.currentTarget.contains(e.relatedTarget);
          hold();
        }}
      >
        <div role="rowgroup" className={styles.headGroup}>
          <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.head}`}>
            <span role="columnheader">{t('column.station')}</span>
            <span role="columnheader">{t('column.site')}</span>
            <span role="columnheader">{t('column.ports')}</span>
            <span role="columnheader">{t('column.state')}</span>
            <span role="columnheader" className={styles.right}>
              {t('column.power')}
            </span>
            <span role="columnheader" className={styles.right}>
              {t('column.since')}
            </span>
            <span role="columnheader">{t('column.model')}</span>
            <span role="columnheader">{t('column.protocol')}</span>
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => (
            <ListRow
              key={item.key}
              row={rows[item.index]!}
              index={item.index}
              top={item.start}
              height={height}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

type RowProps = { row: Row; index: number; top: number; height: number };

const ListRow = memo(function ListRow(props: RowProps) {
  return props.row.entry ? <LiveRow {...props} entry={props.row.entry} /> : <RowView {...props} ports={[]} />;
});

function LiveRow({ entry, ...props }: RowProps & { entry: StationEntry }) {
  return <RowView {...props} ports={useStationPorts(entry)} />;
}

/** The site stands in the next column; what tells stations of one site apart is the rest of the name. */
function withoutSite(label: string, site: string): string {
  return label.startsWith(`${site} `) ? `… ${label.slice(site.length + 1)}` : label;
}

function worst(ports: readonly PortView[]): PortView | undefined {
  return ports.reduce<PortView | undefined>(
    (a, b) => (a === undefined || URGENCY[b.family] < URGENCY[a.family] ? b : a),
    undefined,
  );
}

/** What flows at a station's ports; null when they charge and none says how much, undefined when none is in use. */
export function powerOf(ports: readonly PortView[]): number | null | undefined {
  let sum: number | null | undefined;
  for (const p of ports) {
    if (p.powerW !== null) sum = (sum ?? 0) + p.powerW;
    else if (p.family === 'charging') sum ??= null;
  }
  return sum;
}

function RowView({ row, index, top, height, ports }: RowProps & { ports: PortView[] }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const lead = worst(ports);
  const status = lead?.status ?? row.detail?.status ?? 'Unknown';
  const online = lead?.online ?? row.detail?.online ?? false;
  const powerW = powerOf(ports);
  const since = Math.max(0, ...ports.map((p) => p.statusAt)) * 1000;
  const never = row.entry === null && !row.detail?.lastFrameAt;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      className={styles.row}
      style={{ position: 'absolute', insetInline: 0, top, height }}
    >
      <span role="cell" className={styles.station}>
        <Link to="/stations/$id" params={{ id: row.id }} className={styles.link}>
          <span className="mono">{row.id}</span>
        </Link>
        {row.label && row.label !== row.id && (
          <span className={styles.label} title={row.label}>
            {withoutSite(row.label, siteName(row.site))}
          </span>
        )}
      </span>
      <span role="cell" className={styles.site}>
        {siteName(row.site)}
      </span>
      <span role="cell" className={styles.ports}>
        {ports.slice(0, PORTS_SHOWN).map((p) => (
          <span key={p.id} className={styles.port} title={`${p.port}: ${t(statusKey(p.status))}`}>
            <StateShape family={p.family} size={14} />
            <span className="srOnly">
              {t('list.port', {
                port: p.port,
                state: t(
                  FAMILIES[familyCode(0, p.online ? 1 : 0)] === 'offline'
                    ? familyKey('offline')
                    : statusKey(p.status),
                ),
              })}
            </span>
          </span>
        ))}
        {ports.length > PORTS_SHOWN && <span className="meta">+{ports.length - PORTS_SHOWN}</span>}
      </span>
      <span role="cell" className={styles.state}>
        {never ? (
          <span className="meta">{t('list.never')}</span>
        ) : (
          <StateLabel status={status} online={online} />
        )}
      </span>
      <span role="cell" className={`${styles.power} num`}>
        {powerW !== undefined && (
          <>
            {powerW === null ? NONE : kilowatts(tag, powerW)}
            <span className={styles.unit}>kW</span>
          </>
        )}
      </span>
      <span role="cell" className={`${styles.since} num`}>
        {since > 0 && <Age at={since} />}
      </span>
      <span role="cell" className={styles.model}>
        {[row.detail?.vendor, row.detail?.model].filter(Boolean).join(' ')}
      </span>
      <span role="cell" className={styles.protocol}>
        {row.detail?.protocol?.replace('ocpp', '') ?? ''}
      </span>
    </div>
  );
}
