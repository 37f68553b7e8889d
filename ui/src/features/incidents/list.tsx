// The incidents as a list of any length of which only what is on screen is drawn:
// headings by severity, keys, and rows that can be picked.
import { Button } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { useT } from '../../i18n/i18n';
import { useListKeys } from '../../ui/listkeys';
import { useActor } from './actor';
import { KEYS } from './acts';
import { grouped } from './filter';
import styles from './list.module.css';
import { useServerNow } from './now';
import { Row } from './row';
import { SeverityLabel } from './severity';
import type { Incident } from './shape';
import { useMe } from './who';

const WIDE = 40;
const NARROW = 60;
const TOUCH = 76;
const HEAD = 32;
/** Below this width a row has two lines. */
const NARROW_BELOW = 720;

export type Picks = { ids: ReadonlySet<string>; toggle: (ids: string[], on: boolean) => void };

export function IncidentList({
  rows,
  chosen,
  open,
  picks,
  held,
  pill,
  more,
  end,
  groups = true,
}: {
  rows: readonly Incident[];
  chosen: string | undefined;
  open: (i: Incident) => void;
  picks: Picks;
  held: (held: boolean) => void;
  pill: { text: string; show: () => void } | null;
  /** Asks for older rows; undefined when there are none. */
  more?: (() => void) | undefined;
  end: ReactNode;
  groups?: boolean;
}) {
  const t = useT();
  const me = useMe();
  const { may, act } = useActor();
  const now = useServerNow();
  const { ref: sizer, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const cursor = useRef(-1);
  const last = useRef(-1);
  const rests = useRef({ hovered: false, focused: false });
  const narrow = width > 0 && width < NARROW_BELOW;
  const height = narrow ? (matchMedia('(pointer: coarse)').matches ? TOUCH : NARROW) : WIDE;
  const lines = useMemo(
    () => (groups ? grouped(rows) : rows.map((incident) => ({ incident }))),
    [rows, groups],
  );
  // Where each row stands among the lines, and which row a line shows.
  const places = useMemo(() => {
    const lineOf: number[] = [];
    const rowOf: number[] = [];
    lines.forEach((l, k) => {
      rowOf.push('incident' in l ? lineOf.length : -1);
      if ('incident' in l) lineOf.push(k);
    });
    return { lineOf, rowOf };
  }, [lines]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (k) => ('group' in lines[k]! ? HEAD : height),
    getItemKey: (k) => {
      const l = lines[k]!;
      return 'group' in l ? l.group : l.incident.id;
    },
    overscan: 10,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: headings and heights moved
  useEffect(() => virtual.measure(), [height, lines.length, groups]);
  const items = virtual.getVirtualItems();
  const lastLine = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && lastLine >= lines.length - 20) more();
  }, [more, lastLine, lines.length]);

  const tell = (part: Partial<typeof rests.current>) => {
    Object.assign(rests.current, part);
    held(rests.current.hovered || rests.current.focused);
  };
  const pick = (which: number[], extend: boolean) => {
    const ids = which.map((k) => rows[k]!.id);
    picks.toggle(ids, extend || !ids.every((id) => picks.ids.has(id)));
    last.current = which.at(-1) ?? -1;
  };
  const inside = () => scroller.current?.contains(document.activeElement) ?? false;
  /** The row that keys mean: the focused one, else the one that is open. */
  const at = () => {
    if (cursor.current >= 0 && cursor.current < rows.length && (inside() || chosen === undefined))
      return cursor.current;
    return chosen === undefined ? -1 : rows.findIndex((r) => r.id === chosen);
  };
  useListKeys(
    {
      count: rows.length,
      at,
      move: (to) => {
        cursor.current = to;
        virtual.scrollToIndex(places.lineOf[to]!, { align: 'auto' });
        requestAnimationFrame(() =>
          scroller.current
            ?.querySelector<HTMLElement>(`[data-row="${cursor.current}"] a`)
            ?.focus({ preventScroll: true }),
        );
      },
      open: (k) => open(rows[k]!),
      pick: may ? pick : undefined,
      acts: Object.fromEntries(
        Object.entries(KEYS).map(([key, kind]) => [
          key,
          (k: number) => {
            const chosenRows = rows.filter((r) => picks.ids.has(r.id));
            act(kind, chosenRows.length > 0 ? chosenRows : [rows[k]!]);
          },
        ]),
      ),
    },
    () => scroller.current,
  );
  return (
    <div className={styles.frame} ref={sizer} data-narrow={narrow} data-may={may}>
      {pill && (
        <Button className={styles.pill} size="compact-xs" variant="default" onClick={pill.show}>
          {pill.text}
        </Button>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only notes where pointer and focus rest */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the click is one of the boxes inside; x is their key */}
      <div
        ref={scroller}
        className={`${styles.scroller} scroll`}
        data-incident-list=""
        onPointerEnter={(e) => e.pointerType === 'mouse' && tell({ hovered: true })}
        onPointerLeave={() => tell({ hovered: false })}
        onFocus={(e) => {
          const row = e.target.closest('[data-row]')?.getAttribute('data-row');
          if (row) cursor.current = Number(row);
          tell({ focused: true });
        }}
        onBlur={(e) => tell({ focused: e.currentTarget.contains(e.relatedTarget) })}
        onClick={(e) => {
          if (!(e.target instanceof HTMLElement) || e.target.dataset.pick === undefined) return;
          const to = Number(e.target.closest('[data-row]')?.getAttribute('data-row'));
          const from = e.shiftKey && last.current >= 0 ? last.current : to;
          const [a, b] = [Math.min(from, to), Math.max(from, to)];
          pick(
            Array.from({ length: b - a + 1 }, (_, k) => a + k),
            from !== to,
          );
        }}
      >
        <ul
          className={styles.lines}
          aria-label={t('incident.list')}
          style={{ height: virtual.getTotalSize() }}
        >
          {items.map((item) => {
            const line = lines[item.index]!;
            return (
              <li
                key={item.key}
                className={styles.line}
                style={{ top: item.start, height: item.size }}
                data-row={'incident' in line ? places.rowOf[item.index] : undefined}
              >
                {'group' in line ? (
                  <div className={styles.group}>
                    <SeverityLabel severity={line.group} />
                    <span className="num">{line.n}</span>
                  </div>
                ) : (
                  <Row
                    incident={line.incident}
                    chosen={line.incident.id === chosen}
                    picked={picks.ids.has(line.incident.id)}
                    me={me}
                    now={now}
                  />
                )}
              </li>
            );
          })}
        </ul>
        <p className={styles.end}>{end}</p>
      </div>
    </div>
  );
}
