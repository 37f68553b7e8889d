import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Pack = Schemas['EvidenceShape'];
export type PackLink = Schemas['EvidenceLinkShape'];
export type Logged = Schemas['AuditShape'];

export const EVIDENCE = ['evidence'] as const;

/** Whether a pack is still on its way. */
export const going = (p: Pack): boolean => p.state === 'queued' || p.state === 'running';

/** How far a pack is, in percent; null while that is not known. */
export const progress = (p: Pack): number | null =>
  p.state === 'running' && p.totalBytes > 0 ? Math.floor((p.doneBytes / p.totalBytes) * 100) : null;

export const packsQuery = () =>
  infiniteQueryOptions({
    queryKey: [...EVIDENCE, 'packs'],
    queryFn: ({ pageParam, signal }) =>
      ok(api.GET('/evidence', { params: { query: { limit: 200, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || undefined,
    // While one is made, its progress is looked at each second.
    refetchInterval: (q) => (q.state.data?.pages.some((page) => page.items.some(going)) ? 1000 : 30_000),
  });

export const packQuery = (id: string) =>
  queryOptions({
    queryKey: [...EVIDENCE, 'pack', id],
    queryFn: ({ signal }) => ok(api.GET('/evidence/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (q) => (q.state.data && going(q.state.data) ? 1000 : 30_000),
  });

export const logQuery = (id: string) =>
  queryOptions({
    queryKey: [...EVIDENCE, 'log', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/evidence/{id}/log', { params: { path: { id } }, signal })).then((p) => p.items),
    refetchInterval: 30_000,
  });

export const keyQuery = () =>
  queryOptions({
    queryKey: [...EVIDENCE, 'key'],
    queryFn: ({ signal }) => ok(api.GET('/evidence/key', { signal })),
    refetchInterval: 60_000,
  });
