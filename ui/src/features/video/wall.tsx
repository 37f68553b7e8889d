import { SegmentedControl } from '@mantine/core';
import { useEffect } from 'react';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useSiteNames } from '../../ui/sites';
import { type Camera, GRID_SIZES, GRIDS, type Grid, type WallSearch, wallPage } from './camera';
import { Tile } from './tile';
import styles from './wall.module.css';

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
  const siteName = useSiteNames();
  const { shown, pages, page } = wallPage(cameras, search);
  const grid = search.grid ?? 9;
  const focus = search.focus === undefined ? undefined : cameras.find((c) => c.id === search.focus);

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target instanceof HTMLElement && e.target.closest('input, textarea, select, [role="dialog"]'))
        return;
      const order = shown.map((c) => c.id);
      const at = search.focus === undefined ? -1 : order.indexOf(search.focus);
      if (e.key === 'Escape' && search.focus !== undefined) change({ focus: undefined });
      else if (e.key === 'ArrowRight' && at >= 0 && at + 1 < order.length) change({ focus: order[at + 1] });
      else if (e.key === 'ArrowLeft' && at > 0) change({ focus: order[at - 1] });
      else if (e.key === ']' && page + 1 < pages) change({ page: page + 1, focus: undefined });
      else if (e.key === '[' && page > 0) change({ page: page - 1 || undefined, focus: undefined });
      else if (/^[1-9]$/.test(e.key) && shown[Number(e.key) - 1])
        change({ focus: shown[Number(e.key) - 1]!.id });
      else return;
      e.preventDefault();
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  });

  return (
    <div className={styles.wall}>
      <div className={styles.bar}>
        <SegmentedControl
          size="xs"
          aria-label={t('video.grid')}
          value={String(grid)}
          onChange={(v) =>
            change({ grid: Number(v) === 9 ? undefined : (Number(v) as Grid), page: undefined })
          }
          data={GRID_SIZES.map((n) => ({ value: String(n), label: String(n) }))}
        />
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
      {focus ? (
        <div className={styles.focus}>
          <Tile
            key={`large:${focus.id}`}
            camera={focus}
            site={siteName(focus.siteId)}
            stream="main"
            large
            onOpen={() => change({ focus: undefined })}
          />
          <div className={styles.side}>
            {shown
              .filter((c) => c.id !== focus.id)
              .slice(0, 5)
              .map((c) => (
                <Tile
                  key={c.id}
                  camera={c}
                  site={siteName(c.siteId)}
                  stream={c.sub ? 'sub' : 'main'}
                  onOpen={(id) => change({ focus: id })}
                />
              ))}
          </div>
        </div>
      ) : (
        <div className={styles.grid} style={{ '--columns': GRIDS[grid] } as React.CSSProperties}>
          {shown.map((c) => (
            <Tile
              key={c.id}
              camera={c}
              site={siteName(c.siteId)}
              stream={c.sub ? 'sub' : 'main'}
              onOpen={(id) => change({ focus: id })}
            />
          ))}
        </div>
      )}
    </div>
  );
}
