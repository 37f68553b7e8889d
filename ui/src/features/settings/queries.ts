import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Security = Schemas['SecurityShape'];
export type Credential = Schemas['CredentialShape'];
export type Act = Schemas['AuditShape'];
export type Setting = Schemas['Setting'];
export type SignIn = Schemas['SignInShape'];

const PAGE = 1000;

export const ocppQuery = () =>
  queryOptions({
    queryKey: ['system', 'ocpp'],
    queryFn: ({ signal }) => ok(api.GET('/system/ocpp', { signal })),
  });

export const securityQuery = () =>
  queryOptions({
    queryKey: ['stations', 'security'],
    queryFn: async ({ signal }) => {
      const items: Security[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(
          api.GET('/system/station-security', { params: { query: { limit: PAGE, cursor } }, signal }),
        );
        items.push(...page.items);
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return items;
    },
  });

export const settingsQuery = () =>
  queryOptions({
    queryKey: ['system', 'configuration'],
    queryFn: ({ signal }) => ok(api.GET('/system/configuration', { signal })).then((p) => p.items),
    staleTime: 60_000,
  });

export const signinsQuery = () =>
  queryOptions({
    queryKey: ['me', 'sessions'],
    queryFn: ({ signal }) => ok(api.GET('/me/sessions', { signal })).then((p) => p.items),
  });

export const credentialsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ['credentials', q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET('/credentials', {
          params: { query: { limit: 200, q: q || undefined, cursor: pageParam || undefined } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || null,
  });

export const auditQuery = () =>
  infiniteQueryOptions({
    queryKey: ['audit'],
    queryFn: ({ pageParam, signal }) =>
      ok(api.GET('/audit', { params: { query: { limit: 500, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || null,
  });

export type Kept = Schemas['StorageClass'];

export const storageQuery = () =>
  queryOptions({
    queryKey: ['system', 'storage'],
    queryFn: ({ signal }) => ok(api.GET('/system/storage', { signal })),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });
