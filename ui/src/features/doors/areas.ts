import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { DOORS } from './feed';

type Schemas = components['schemas'];
export type Area = Schemas['AreaShape'];
export type Airlock = Schemas['AirlockShape'];
export type Inside = Schemas['InsideShape'];

export const AREAS = ['areas'] as const;

export const areasQuery = () =>
  queryOptions({
    queryKey: [...AREAS, 'areas'],
    queryFn: ({ signal }): Promise<Area[]> => ok(api.GET('/access/areas', { signal })).then((d) => d.items),
  });

export const airlocksQuery = () =>
  queryOptions({
    queryKey: [...AREAS, 'airlocks'],
    queryFn: ({ signal }): Promise<Airlock[]> =>
      ok(api.GET('/access/airlocks', { signal })).then((d) => d.items),
  });

export const insideQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: [...DOORS, 'inside', site ?? ''],
    queryFn: ({ signal }): Promise<Inside[]> =>
      ok(api.GET('/access/inside', { params: { query: { site } }, signal })).then((d) => d.items),
    refetchInterval: 15_000,
  });

/** The name of a place as areas name it: door/ID. */
export const placeOf = (door: string): string => `door/${door}`;
export const doorOf = (place: string): string => place.replace(/^door\//, '');
