// Walls that people put together: which cameras, in which order, which of them large.
import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { Camera, WallSearch } from './camera';

export type SavedWall = components['schemas']['WallShape'];
export type Placed = { camera: string; large: boolean };

/** What a browser plays beside each other without falling behind. */
export const MOST_TILES = 12;
/** The value of `wall` in the address that means every camera. */
export const ALL = 'all';

export const wallsQuery = () =>
  queryOptions({
    queryKey: ['walls'],
    queryFn: ({ signal }) => ok(api.GET('/walls', { signal })).then((p) => p.items),
    staleTime: 60_000,
  });

/** The saved wall that is shown: the one that was asked for, else the first of the site. */
export function wallOf(
  saved: readonly SavedWall[],
  search: Pick<WallSearch, 'wall' | 'cams'>,
  site: string | undefined,
): SavedWall | undefined {
  if (search.wall === ALL) return undefined;
  if (search.wall !== undefined) return saved.find((w) => w.id === search.wall);
  if (search.cams !== undefined) return undefined;
  return saved.find((w) => w.firstOf.includes(site ?? ''));
}

/** What stands on the wall: what the address says, else what was saved; undefined: every camera. */
export function placedOf(
  saved: SavedWall | undefined,
  search: Pick<WallSearch, 'cams' | 'big'>,
  known: ReadonlyMap<string, Camera>,
): Placed[] | undefined {
  const all =
    search.cams !== undefined
      ? search.cams
          .split(',')
          .map((camera) => ({ camera, large: (search.big?.split(',') ?? []).includes(camera) }))
      : saved?.tiles.map((t) => ({ camera: t.camera, large: t.large ?? false }));
  return all?.filter((p) => known.has(p.camera)).slice(0, MOST_TILES);
}

/** The address of what stands on a wall. */
export function placedSearch(placed: readonly Placed[]): Pick<WallSearch, 'cams' | 'big'> {
  const big = placed.filter((p) => p.large).map((p) => p.camera);
  return {
    cams: placed.map((p) => p.camera).join(',') || undefined,
    big: big.join(',') || undefined,
  };
}

/** One camera in the place of another. */
export function moved(placed: readonly Placed[], from: number, to: number): Placed[] {
  const out = [...placed];
  const [it] = out.splice(from, 1);
  if (!it) return out;
  out.splice(Math.max(0, Math.min(out.length, to)), 0, it);
  return out;
}

/** How many columns hold so many tiles, a large one being four, in about the proportions of a screen. */
export function columnsOf(placed: readonly Pick<Placed, 'large'>[]): number {
  const fields = placed.reduce((n, p) => n + (p.large ? 4 : 1), 0);
  if (fields <= 1) return 1;
  if (fields <= 4) return 2;
  return fields <= 9 ? 3 : fields <= 16 ? 4 : 5;
}

export const sameWall = (a: readonly Placed[], b: readonly Placed[]): boolean =>
  a.length === b.length && a.every((p, i) => p.camera === b[i]!.camera && p.large === b[i]!.large);
