import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { State } from './search';

type Schemas = components['schemas'];
export type Person = Schemas['PersonShape'];
export type PersonDetail = Schemas['PersonDetail'];
export type PersonBody = Schemas['PersonBody'];
export type Credential = Schemas['CredentialShape'];
export type Named = Schemas['NamedShape'];
export type Policy = Schemas['PolicyShape'];
export type Principal = Schemas['Principal'];
export type Schedule = Schemas['AccessScheduleShape'];
export type Hours = Schemas['AccessHours'];
export type Holidays = Schemas['HolidaysShape'];
export type Lockdown = Schemas['LockdownShape'];
export type Forbid = Schemas['ForbidShape'];
export type Decision = Schemas['AccessDecisionShape'];
export type Answer = Schemas['AccessAnswer'];

/** All that is asked about access; a change of one may change what another says. */
export const ACCESS = ['access'] as const;

export type Filter = {
  q?: string | undefined;
  group?: string | undefined;
  company?: string | undefined;
  status?: State | undefined;
};

export const peopleQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: [...ACCESS, 'people', filter],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET('/people', {
          params: { query: { ...filter, limit: 200, cursor: pageParam || undefined } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || null,
  });

export const findPeopleQuery = (q: string) =>
  queryOptions({
    queryKey: [...ACCESS, 'find', q],
    queryFn: ({ signal }) =>
      ok(api.GET('/people', { params: { query: { q: q || undefined, limit: 20 } }, signal })).then(
        (p) => p.items,
      ),
  });

export const personQuery = (id: string) =>
  queryOptions({
    queryKey: [...ACCESS, 'person', id],
    queryFn: ({ signal }) => ok(api.GET('/people/{id}', { params: { path: { id } }, signal })),
    retry: false,
  });

export const groupsQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'groups'],
    queryFn: ({ signal }) => ok(api.GET('/access/groups', { signal })).then((p) => p.items),
  });

export const companiesQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'companies'],
    queryFn: ({ signal }) => ok(api.GET('/companies', { signal })).then((p) => p.items),
  });

export const policiesQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'policies'],
    queryFn: ({ signal }) => ok(api.GET('/policies', { signal })).then((p) => p.items),
  });

export const schedulesQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'schedules'],
    queryFn: ({ signal }) => ok(api.GET('/access/schedules', { signal })).then((p) => p.items),
  });

export const holidaysQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'holidays'],
    queryFn: ({ signal }) => ok(api.GET('/access/holidays', { signal })).then((p) => p.items),
  });

export const lockdownsQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'lockdowns'],
    queryFn: ({ signal }) => ok(api.GET('/access/lockdowns', { signal })).then((p) => p.items),
    refetchInterval: 10_000,
  });

export const forbidsQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'forbids'],
    queryFn: ({ signal }) => ok(api.GET('/access/forbids', { signal })).then((p) => p.items),
  });

export const doorsQuery = () =>
  queryOptions({
    queryKey: [...ACCESS, 'doors'],
    queryFn: ({ signal }) => ok(api.GET('/doors', { signal })).then((p) => p.items),
    retry: false,
  });

export const attemptsQuery = (token: string) =>
  queryOptions({
    queryKey: [...ACCESS, 'attempts', token],
    queryFn: ({ signal }) =>
      ok(api.GET('/attempts', { params: { query: { token, limit: 5 } }, signal })).then((p) => p.items),
  });

export const checkQuery = (who: string, place: string, at: string) =>
  queryOptions({
    queryKey: [...ACCESS, 'check', who, place, at],
    queryFn: ({ signal }) => {
      const id = who.slice(2);
      return ok(
        api.POST('/access/check', {
          body: { ...(who.startsWith('c:') ? { credential: id } : { person: id }), place, at },
          signal,
        }),
      );
    },
    retry: false,
  });

export const whoQuery = (place: string, at: string) =>
  infiniteQueryOptions({
    queryKey: [...ACCESS, 'who', place, at],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET('/access/who', {
          params: { query: { place, at, limit: 100, cursor: pageParam || undefined } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || null,
  });
