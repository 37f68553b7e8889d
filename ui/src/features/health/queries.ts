import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Health = Schemas['HealthShape'];
export type Verdict = Schemas['Verdict'];
export type Reading = Schemas['Reading'];

export const healthQuery = () =>
  queryOptions({
    queryKey: ['system', 'health'],
    queryFn: ({ signal }) => ok(api.GET('/system/health', { signal })),
    refetchInterval: 5000,
  });

export const hourQuery = () =>
  queryOptions({
    queryKey: ['system', 'health', 'history'],
    queryFn: ({ signal }) => ok(api.GET('/system/health/history', { signal })).then((p) => p.items),
    staleTime: Number.POSITIVE_INFINITY,
  });
