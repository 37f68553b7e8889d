import { Button, Menu, Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { useSiteNames } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { byName, type Camera, type WallSearch } from './camera';
import styles from './wall.module.css';
import { ALL, MOST_TILES, type Placed, type SavedWall, sameWall, wallsQuery } from './walls';
import { SaveWall } from './wallsave';

/** Which wall is shown, and what may be done about it. */
export function WallBar({
  saved,
  shown,
  placed,
  change,
  arranging,
  arrange,
}: {
  saved: readonly SavedWall[];
  shown: SavedWall | undefined;
  placed: readonly Placed[] | undefined;
  change: (part: Partial<WallSearch>) => void;
  arranging: boolean;
  arrange: (on: boolean) => void;
}) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const scope = useScope();
  const siteName = useSiteNames();
  const maySet = useAllowed('cameras.write');
  const [saving, setSaving] = useState(false);
  const tiles = shown?.tiles.map((x) => ({ camera: x.camera, large: x.large ?? false }));
  const changed = placed !== undefined && (!tiles || !sameWall(placed, tiles));
  const first = scope !== undefined && shown?.firstOf.includes(scope);
  const option = (w: SavedWall) => ({ value: w.id, label: w.name });
  const groups = [
    { group: t('video.wall.mine'), items: saved.filter((w) => w.mine).map(option) },
    { group: t('video.wall.shared'), items: saved.filter((w) => !w.mine).map(option) },
  ].filter((g) => g.items.length > 0);
  const again = () => queries.invalidateQueries({ queryKey: wallsQuery().queryKey });
  const remove = async (w: SavedWall) => {
    try {
      await ok(api.DELETE('/walls/{id}', { params: { path: { id: w.id } } }));
      await again();
      change({ wall: undefined, cams: undefined, big: undefined });
      toast({ text: t('video.wall.removed', { name: w.name }) });
    } catch {
      toast({ text: t('video.wall.notRemoved', { name: w.name }), tone: 'bad' });
    }
  };
  const putFirst = async (site: string, wall: string) => {
    try {
      await ok(api.PUT('/sites/{site}/wall', { params: { path: { site } }, body: { wall } }));
      await again();
      toast({
        text: t(wall ? 'video.wall.isFirst' : 'video.wall.isNotFirst', { site: siteName(site) }),
        tone: 'good',
      });
    } catch {
      toast({ text: t('video.wall.notFirst'), tone: 'bad' });
    }
  };
  const mayFirst = maySet && scope !== undefined && shown?.shared === true && !changed;
  return (
    <div className={styles.walls}>
      <Select
        size="xs"
        w={210}
        aria-label={t('video.wall')}
        value={placed === undefined ? ALL : (shown?.id ?? null)}
        placeholder={t('video.wall.unsaved')}
        onChange={(v) => {
          arrange(false);
          const usual = saved.some((w) => w.firstOf.includes(scope ?? ''));
          change({
            wall: v === ALL ? (usual ? ALL : undefined) : (v ?? undefined),
            cams: undefined,
            big: undefined,
            focus: undefined,
            page: undefined,
          });
        }}
        data={[{ value: ALL, label: t('video.wall.all') }, ...groups]}
        allowDeselect={false}
      />
      {changed && <span className="meta">{t('video.wall.changed')}</span>}
      <Button
        size="compact-sm"
        variant={arranging ? 'filled' : 'default'}
        onClick={() => arrange(!arranging)}
      >
        {t(arranging ? 'video.wall.done' : 'video.wall.arrange')}
      </Button>
      {placed && placed.length > 0 && changed && (
        <Button size="compact-sm" variant="default" onClick={() => setSaving(true)}>
          {t('video.wall.save')}
        </Button>
      )}
      {shown && (shown.mayDelete || mayFirst) && !changed && (
        <Menu position="bottom-start" width={280}>
          <Menu.Target>
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              aria-label={t('video.wall.menu', { name: shown.name })}
            >
              <Icon name="more" size={16} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {mayFirst && (
              <Menu.Item onClick={() => void putFirst(scope, first ? '' : shown.id)}>
                {t(first ? 'video.wall.unfirst' : 'video.wall.first', { site: siteName(scope) })}
              </Menu.Item>
            )}
            {shown.mine && <Menu.Item onClick={() => setSaving(true)}>{t('video.wall.share')}</Menu.Item>}
            {shown.mayDelete && (
              <Menu.Item leftSection={<Icon name="trash" size={16} />} onClick={() => void remove(shown)}>
                {t('video.wall.remove', { name: shown.name })}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {saving && placed && (
        <SaveWall
          placed={placed}
          from={shown}
          close={() => setSaving(false)}
          saved={(w) => {
            setSaving(false);
            arrange(false);
            change({ wall: w.id, cams: undefined, big: undefined });
          }}
        />
      )}
    </div>
  );
}

/** Puts another camera on the wall, as long as there is room. */
export function AddCamera({
  cameras,
  placed,
  put,
}: {
  cameras: readonly Camera[];
  placed: readonly Placed[];
  put: (next: readonly Placed[]) => void;
}) {
  const t = useT();
  const siteName = useSiteNames();
  if (placed.length >= MOST_TILES)
    return <span className="meta">{t('video.wall.full', { most: MOST_TILES })}</span>;
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const c of [...cameras].sort(byName)) {
    if (placed.some((p) => p.camera === c.id)) continue;
    const name = siteName(c.siteId);
    groups.set(name, [...(groups.get(name) ?? []), { value: c.id, label: c.label || c.id }]);
  }
  return (
    <>
      {groups.size > 0 && (
        <Select
          size="xs"
          w={200}
          searchable
          aria-label={t('video.review.add')}
          placeholder={t('video.review.add')}
          value={null}
          onChange={(v) => v && put([...placed, { camera: v, large: false }])}
          data={[...groups].map(([group, items]) => ({ group, items }))}
        />
      )}
      <span className="meta">{t('video.wall.room', { n: placed.length, most: MOST_TILES })}</span>
    </>
  );
}
