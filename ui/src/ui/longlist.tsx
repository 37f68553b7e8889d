import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { useT } from '../i18n/i18n';
import { useListKeys } from './listkeys';
import styles from './longlist.module.css';

const PHONE = '(max-width: 767px)';

/**
 * A table of any length of which only what is on screen is drawn; older rows are
 * asked for as the reader comes near. The first link or button of a row takes
 * the focus.
 */
export function LongList<T>({
  label,
  rows,
  rowKey,
  head,
  cells,
  open,
  className,
  phoneHeight = 64,
  more,
  loadingMore,
  end,
  held,
  pill,
}: {
  label: string;
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  head: ReactNode;
  cells: (row: T) => ReactNode;
  open: (row: T) => void;
  /** Sets the columns of the grid. */
  className: string | undefined;
  phoneHeight?: number;
  /** Asks for older rows; undefined when there are none. */
  more?: () => void;
  loadingMore?: boolean;
  /** What stands below the last row. */
  end?: ReactNode;
  /** Told whether the pointer or the focus rests on the list, or it is scrolled away from its top. */
  held?: (held: boolean) => void;
  /** How many rows wait above, and how to show them. */
  pill?: { text: string; show: () => void } | null;
}) {
  const t = useT();
  const phone = useMediaQuery(PHONE, false, { getInitialValueInEffect: false });
  const scroller = useRef<HTMLDivElement>(null);
  const cursor = useRef(-1);
  const rests = useRef({ hovered: false, focused: false, away: false });
  const height = phone ? phoneHeight : 36;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (i) => rowKey(rows[i]!),
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of rows changed with the width of the page
  useEffect(() => virtual.measure(), [height]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loadingMore && last >= rows.length - 30) more();
  }, [more, loadingMore, last, rows.length]);
  const tell = (part: Partial<typeof rests.current>) => {
    Object.assign(rests.current, part);
    held?.(rests.current.hovered || rests.current.focused || rests.current.away);
  };
  useListKeys(
    {
      count: rows.length,
      at: () => cursor.current,
      move: (to) => {
        cursor.current = to;
        virtual.scrollToIndex(to, { align: 'auto' });
        requestAnimationFrame(() =>
          scroller.current
            ?.querySelector<HTMLElement>(`[data-row="${cursor.current}"] :is(a, button)`)
            ?.focus({ preventScroll: true }),
        );
      },
      open: (at) => open(rows[at]!),
    },
    () => scroller.current,
  );
  return (
    <div className={styles.frame}>
      {pill && (
        <Button className={styles.pill} size="compact-xs" variant="default" onClick={pill.show}>
          {pill.text}
        </Button>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only notes where pointer and focus rest */}
      <div
        ref={scroller}
        className={`${styles.scroller} scroll`}
        onPointerEnter={(e) => e.pointerType === 'mouse' && tell({ hovered: true })}
        onPointerLeave={() => tell({ hovered: false })}
        onScroll={(e) => tell({ away: e.currentTarget.scrollTop > height })}
        onFocus={(e) => {
          const row = e.target.closest('[data-row]')?.getAttribute('data-row');
          if (row) cursor.current = Number(row);
          tell({ focused: true });
        }}
        onBlur={(e) => tell({ focused: e.currentTarget.contains(e.relatedTarget) })}
      >
        <div role="table" aria-label={label} aria-rowcount={rows.length + 1}>
          <div role="rowgroup" className={styles.headGroup}>
            <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.head} ${className ?? ''}`}>
              {head}
            </div>
          </div>
          <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                data-row={item.index}
                className={`${styles.row} ${styles.line} ${className ?? ''}`}
                style={{ top: item.start, height }}
              >
                {cells(rows[item.index]!)}
              </div>
            ))}
          </div>
        </div>
        <p className={styles.end} role="status">
          {loadingMore ? t('loading') : more ? '' : end}
        </p>
      </div>
    </div>
  );
}

export const listStyles = styles;
