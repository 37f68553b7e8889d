import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';

export const findQuery = (q: string) =>
  queryOptions({
    queryKey: ['search', 'desk', q],
    queryFn: ({ signal }) =>
      ok(api.GET('/search', { params: { query: { q, limit: 20 } }, signal })).then((p) => p.items),
    staleTime: 30_000,
  });

export const attemptsQuery = (ask: { station?: string; evse?: number; token?: string }) =>
  queryOptions({
    queryKey: ['attempts', ask],
    queryFn: ({ signal }) =>
      ok(api.GET('/attempts', { params: { query: { ...ask, limit: ask.token ? 20 : 5 } }, signal })).then(
        (p) => p.items,
      ),
    refetchInterval: 15_000,
  });

export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id],
    queryFn: ({ signal }) => ok(api.GET('/sessions/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  });

export const stationsOfQuery = (site: string) =>
  queryOptions({
    queryKey: ['stations', 'site', site],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations', { params: { query: { site, limit: 500 } }, signal })).then((p) => p.items),
    refetchInterval: 15_000,
  });
