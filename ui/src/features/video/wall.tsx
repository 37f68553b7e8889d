import { Button, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useScope, useView } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Empty } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { type Camera, GRID_SIZES, GRIDS, type Grid, type WallSearch, wallPage } from './camera';
import { Tile } from './tile';
import styles from './wall.module.css';
import { AddCamera, WallBar } from './wallbar';
import { ALL, columnsOf, moved, type Placed, placedOf, placedSearch, wallOf, wallsQuery } from './walls';

/** Cameras side by side, at most twelve at once; one of them large when it is chosen. */
export function Wall({
  cameras,
  search,
  change,
}: {
  cameras: readonly Camera[];
  search: WallSearch;
  change: (part: Partial<WallSearch>) => void;
}) {
  const t = useT();
  const scope = useScope();
  const { kiosk } = useView();
  const siteName = useSiteNames();
  const walls = useQuery(wallsQuery());
  const known = useMemo(() => new Map(cameras.map((c) => [c.id, c])), [cameras]);
  const saved = wallOf(walls.data ?? [], search, scope);
  const placed = placedOf(saved, search, known);
  const paged = wallPage(cameras, search);
  const [arranging, setArranging] = useState(false);
  const shown: Placed[] = placed ?? paged.shown.map((c) => ({ camera: c.id, large: false }));
  const pages = placed ? 1 : paged.pages;
  const page = placed ? 0 : paged.page;
  const grid = search.grid ?? 9;
  const focus = search.focus === undefined ? undefined : known.get(search.focus);
  const edit = arranging && placed !== undefined && !kiosk;
  const put = (next: readonly Placed[]) =>
    change({ ...placedSearch(next), focus: undefined, page: undefined });

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
      if (
        e.target instanceof HTMLElement &&
        e.target.closest('input, textarea, select, [role="dialog"], [role="menu"]')
      )
        return;
      const order = shown.map((p) => p.camera);
      const at = search.focus === undefined ? -1 : order.indexOf(search.focus);
      if (e.key === 'Escape' && search.focus !== undefined) change({ focus: undefined });
      else if (e.key === 'ArrowRight' && at >= 0 && at + 1 < order.length) change({ focus: order[at + 1] });
      else if (e.key === 'ArrowLeft' && at > 0) change({ focus: order[at - 1] });
      else if (e.key === ']' && page + 1 < pages) change({ page: page + 1, focus: undefined });
      else if (e.key === '[' && page > 0) change({ page: page - 1 || undefined, focus: undefined });
      else if (/^[1-9]$/.test(e.key) && order[Number(e.key) - 1])
        change({ focus: order[Number(e.key) - 1]! });
      else return;
      e.preventDefault();
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  });

  const tile = (c: Camera, more?: { large?: boolean; whole?: boolean }) => (
    <Tile
      key={more?.large ? `large:${c.id}` : c.id}
      camera={c}
      site={siteName(c.siteId)}
      stream={more?.large || more?.whole || !c.sub ? 'main' : 'sub'}
      large={more?.large ?? false}
      onOpen={(id) => change({ focus: more?.large ? undefined : id })}
    />
  );
  return (
    <div className={styles.wall}>
      {!kiosk && (
        <div className={styles.bar}>
          <WallBar
            saved={walls.data ?? []}
            shown={saved}
            placed={placed}
            change={change}
            arranging={edit}
            arrange={(on) => {
              // All cameras become a wall of one's own with those that are on the screen.
              if (on && !placed)
                change({ ...placedSearch(shown), wall: undefined, focus: undefined, page: undefined });
              setArranging(on);
            }}
          />
          {!placed && (
            <SegmentedControl
              size="xs"
              aria-label={t('video.grid')}
              value={String(grid)}
              onChange={(v) =>
                change({ grid: Number(v) === 9 ? undefined : (Number(v) as Grid), page: undefined })
              }
              data={GRID_SIZES.map((n) => ({ value: String(n), label: String(n) }))}
            />
          )}
          {edit && <AddCamera cameras={cameras} placed={placed} put={put} />}
          {pages > 1 && (
            <div className={styles.pages}>
              <button
                type="button"
                className={styles.step}
                disabled={page === 0}
                onClick={() => change({ page: page - 1 || undefined })}
                aria-label={t('video.page.before')}
              >
                <Icon name="left" size={16} />
              </button>
              <span className="num">{t('video.page', { n: page + 1, all: pages })}</span>
              <button
                type="button"
                className={styles.step}
                disabled={page + 1 >= pages}
                onClick={() => change({ page: page + 1 })}
                aria-label={t('video.page.after')}
              >
                <Icon name="right" size={16} />
              </button>
            </div>
          )}
        </div>
      )}
      {search.wall !== undefined && search.wall !== ALL && walls.data && !saved && !search.cams ? (
        <Empty
          title={t('video.wall.gone')}
          action={
            <Button variant="default" onClick={() => change({ wall: undefined })}>
              {t('video.wall.all')}
            </Button>
          }
        >
          {t('video.wall.gone.text')}
        </Empty>
      ) : placed?.length === 0 ? (
        <Empty title={t('video.wall.empty')}>{t('video.wall.empty.text')}</Empty>
      ) : focus ? (
        <div className={styles.focus}>
          {tile(focus, { large: true })}
          <div className={styles.side}>
            {shown
              .filter((p) => p.camera !== focus.id)
              .slice(0, 5)
              .map((p) => tile(known.get(p.camera)!))}
          </div>
        </div>
      ) : (
        <div
          className={styles.grid}
          data-edit={edit}
          style={{ '--columns': placed ? columnsOf(placed) : GRIDS[grid] } as React.CSSProperties}
        >
          {shown.map((p, i) => (
            <div key={p.camera} className={styles.place} data-large={p.large}>
              {tile(known.get(p.camera)!, { whole: p.large })}
              {edit && <Handles placed={placed} at={i} name={nameOf(known.get(p.camera)!)} put={put} />}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

const nameOf = (c: Camera) => c.label || c.id;

/** Moves, enlarges or takes away a tile; the tile can be dragged as well. */
function Handles({
  placed,
  at,
  name,
  put,
}: {
  placed: readonly Placed[];
  at: number;
  name: string;
  put: (next: readonly Placed[]) => void;
}) {
  const t = useT();
  const [over, setOver] = useState(false);
  const here = placed[at]!;
  return (
    <div
      className={styles.handles}
      role="group"
      aria-label={name}
      data-over={over}
      draggable
      onDragStart={(e) => {
        e.dataTransfer.setData('text/plain', String(at));
        e.dataTransfer.effectAllowed = 'move';
      }}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        const from = Number(e.dataTransfer.getData('text/plain'));
        if (Number.isInteger(from) && from !== at && placed[from]) put(moved(placed, from, at));
      }}
    >
      <Button.Group>
        <Button
          size="compact-sm"
          variant="default"
          disabled={at === 0}
          aria-label={t('video.wall.before', { name })}
          onClick={() => put(moved(placed, at, at - 1))}
        >
          <Icon name="left" size={16} />
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          aria-pressed={here.large}
          aria-label={t('video.wall.large', { name })}
          onClick={() => put(placed.map((p, i) => (i === at ? { ...p, large: !p.large } : p)))}
        >
          {t(here.large ? 'video.wall.small' : 'video.wall.big')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={t('video.wall.drop', { name })}
          onClick={() => put(placed.filter((_, i) => i !== at))}
        >
          <Icon name="close" size={14} />
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          disabled={at === placed.length - 1}
          aria-label={t('video.wall.after', { name })}
          onClick={() => put(moved(placed, at, at + 1))}
        >
          <Icon name="right" size={16} />
        </Button>
      </Button.Group>
    </div>
  );
}
