import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Rule = Schemas['RetentionRule'];
export type Retention = Schemas['RetentionShapeAll'];
export type KeptCamera = Schemas['CameraKept'];

const PAGE = 1000;

export const retentionQuery = () =>
  queryOptions({
    queryKey: ['video', 'retention'],
    queryFn: ({ signal }) => ok(api.GET('/video/retention', { signal })),
    refetchInterval: 60_000,
  });

export const keptQuery = () =>
  queryOptions({
    queryKey: ['video', 'kept'],
    queryFn: async ({ signal }) => {
      const items: KeptCamera[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(api.GET('/video/kept', { params: { query: { limit: PAGE, cursor } }, signal }));
        items.push(...page.items);
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return items;
    },
    refetchInterval: 60_000,
  });

export type Place = Schemas['PlaceShape'];
export type Copy = Schemas['CopyShape'];

export const placeQuery = () =>
  queryOptions({
    queryKey: ['video', 'place'],
    queryFn: ({ signal }) => ok(api.GET('/video/second-place', { signal })),
    refetchInterval: 15_000,
  });

export const copiesQuery = () =>
  queryOptions({
    queryKey: ['video', 'copies'],
    queryFn: ({ signal }) =>
      ok(api.GET('/video/copies', { params: { query: { limit: 100 } }, signal })).then((p) => p.items),
    refetchInterval: 15_000,
  });
