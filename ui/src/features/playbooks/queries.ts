import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Playbook = Schemas['PlaybookShape'];
export type Written = Schemas['Playbook'];
export type Step = Playbook['steps'][number];
export type When = Playbook['when'];
export type Limits = NonNullable<Playbook['limits']>;
export type Remedies = Schemas['RemediesShape'];
export type Decided = Schemas['ModeShape'];
export type Mode = Remedies['mode'];
export type Foreseen = Schemas['Foreseen'];

export const playbooksQuery = () =>
  queryOptions({
    queryKey: ['playbooks'],
    queryFn: ({ signal }) => ok(api.GET('/playbooks', { signal })).then((p) => p.items),
    staleTime: 30_000,
  });

export const remediesQuery = () =>
  queryOptions({
    queryKey: ['remedies'],
    queryFn: ({ signal }) => ok(api.GET('/remedies', { signal })),
    refetchInterval: 5000,
  });

export const monitoringQuery = () =>
  queryOptions({
    queryKey: ['monitoring'],
    queryFn: ({ signal }) => ok(api.GET('/monitoring', { signal })),
    staleTime: 30_000,
  });

export const profilesQuery = () =>
  queryOptions({
    queryKey: ['monitor-profiles'],
    queryFn: ({ signal }) => ok(api.GET('/monitor-profiles', { signal })).then((p) => p.items),
    staleTime: 60_000,
  });

export type Where = { station?: string; evse?: number; incident?: string; alone?: boolean };

/** What it would do now; asked again, for what is true of a port changes. */
export const previewQuery = (playbook: string, at: Where) =>
  queryOptions({
    queryKey: ['playbooks', playbook, 'preview', at],
    queryFn: ({ signal }) =>
      ok(
        api.POST('/playbooks/{id}/preview', {
          params: { path: { id: playbook } },
          body: {
            ...(at.incident ? { incident: at.incident } : { station: at.station ?? '', evse: at.evse ?? 0 }),
            byItself: at.alone ?? false,
          },
          signal,
        }),
      ).then((p) => p.items),
    enabled: Boolean(at.incident || at.station),
    refetchInterval: 5000,
    gcTime: 60_000,
  });

/** Incidents that are open, for the preview and for what was refused. */
export const openIncidentsQuery = () =>
  queryOptions({
    queryKey: ['incidents', 'active', 'remedies'],
    queryFn: ({ signal }) =>
      ok(api.GET('/incidents', { params: { query: { state: 'active', limit: 500 } }, signal })).then(
        (p) => p.items,
      ),
    refetchInterval: 10_000,
  });
