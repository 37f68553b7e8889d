import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { stationsQuery } from '../../api/queries';
import { type MessageKey, useT } from '../../i18n/i18n';
import { useFlush, useLayout, useLive } from '../../live/hooks';
import { useListKeys } from '../../ui/listkeys';
import { Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { type Column, NARROW, templates, USUAL } from './columns';
import type { StationSearch } from './filter';
import { useStationLinks } from './links';
import styles from './list.module.css';
import { mergeRows, type Row, selectRows } from './order';
import { ListRow, useRowWords } from './row';
import { Slots } from './slots';

const HEIGHT = 36;
const PHONE_HEIGHT = 64;

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
  // What is held is the order; what a line says is never old.
  const kept = useMemo(() => {
    const byId = new Map(rows.map((r) => [r.id, r]));
    return shown.rows.map((r) => byId.get(r.id) ?? r);
  }, [rows, shown]);
  const current = useShown ? kept : fresh;
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

/** Rows that were picked, by station, and how to change them. */
export type Picks = { ids: ReadonlySet<string>; toggle: (ids: string[], on: boolean) => void };

const headKey: Record<Column, MessageKey> = {
  site: 'column.site',
  ports: 'column.ports',
  state: 'column.state',
  power: 'column.power',
  since: 'column.since',
  model: 'column.model',
  firmware: 'column.firmware',
  protocol: 'column.protocol',
  heard: 'column.heard',
  tags: 'column.tags',
};
export const columnKey = (c: Column): MessageKey => headKey[c];

export function StationList({
  selection,
  setHeld,
  columns = USUAL,
  picks,
}: {
  selection: Selection;
  setHeld: (held: boolean) => void;
  columns?: readonly Column[];
  picks?: Picks;
}) {
  const t = useT();
  const router = useRouter();
  const phone = useMediaQuery('(max-width: 767px)', false, { getInitialValueInEffect: false });
  const scroller = useRef<HTMLDivElement>(null);
  const hovered = useRef(false);
  const focused = useRef(false);
  const cursor = useRef(-1);
  const most = useRef(0);
  const { rows, changed, apply } = selection;
  const height = phone ? PHONE_HEIGHT : HEIGHT;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (i) => rows[i]!.id,
    rangeExtractor: useCallback((range: Range) => {
      const rows = steady(range, most.current);
      most.current = rows.length;
      return withFocus(rows, range.count, focused.current ? cursor.current : -1);
    }, []),
    overscan: 6,
  });
  const words = useRowWords();
  const links = useStationLinks();
  const slots = useRef(new Slots());
  const items = virtual.getVirtualItems();
  const places = slots.current.assign(items.map((item) => item.index));
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
  const pick = (which: number[], extend: boolean) => {
    const ids = which.map((i) => rows[i]!.id);
    picks?.toggle(ids, extend || !ids.every((id) => picks.ids.has(id)));
    if (ids.length > 0) last.current = which.at(-1)!;
  };
  const last = useRef(-1);
  const template = templates(columns, picks !== undefined);
  useListKeys(
    {
      count: rows.length,
      at: () => cursor.current,
      move,
      open: (at) => void router.navigate({ to: '/stations/$id', params: { id: rows[at]!.id } }),
      pick: picks ? pick : undefined,
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
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the click is one of the links inside, and those have their keys */}
      <div
        ref={scroller}
        className={`${styles.scroller} scroll`}
        role="table"
        aria-label={t('nav.stations')}
        aria-rowcount={rows.length + 1}
        style={{ '--wide': template.wide, '--narrow': template.narrow } as CSSProperties}
        onClick={(e) => {
          const at = e.target instanceof HTMLElement ? e.target.dataset.pick : undefined;
          if (at === undefined) {
            links.onClick(e);
            return;
          }
          const to = Number(at);
          const from = e.shiftKey && last.current >= 0 ? last.current : to;
          const [a, b] = [Math.min(from, to), Math.max(from, to)];
          pick(
            Array.from({ length: b - a + 1 }, (_, i) => a + i),
            from !== to,
          );
        }}
        onPointerOver={links.onPointerOver}
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
            {picks && (
              <span role="columnheader">
                <span className="srOnly">{t('list.picked')}</span>
              </span>
            )}
            <span role="columnheader">{t('column.station')}</span>
            {columns.map((c, k) => (
              <span
                key={c}
                role="columnheader"
                className={`${c === 'power' || c === 'since' || c === 'heard' ? styles.right : ''} ${k < NARROW ? '' : styles.extra}`}
              >
                {t(columnKey(c))}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item, k) => (
            <ListRow
              key={places[k]}
              row={rows[item.index]!}
              index={item.index}
              top={item.start}
              height={height}
              href={links.href}
              words={words}
              columns={columns}
              picked={picks?.ids.has(rows[item.index]!.id)}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

/** As many rows wherever the list stands: a row more or less in sight makes no line and drops none. */
function steady(range: Range, most: number): number[] {
  const rows = defaultRangeExtractor(range);
  for (let n = rows.length; n < most; n++) {
    const next = rows.at(-1)! + 1;
    if (next < range.count) rows.push(next);
    else if (rows[0]! > 0) rows.unshift(rows[0]! - 1);
    else break;
  }
  return rows;
}

/** The row with the focus stays, however far the list is scrolled: a focus never moves by itself. */
function withFocus(rows: number[], count: number, focus: number): number[] {
  if (focus < 0 || focus >= count || rows.includes(focus)) return rows;
  return focus < rows[0]! ? [focus, ...rows] : [...rows, focus];
}
