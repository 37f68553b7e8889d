import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { MINUTE } from '../../format/time';

type Schemas = components['schemas'];
export type Precision = Schemas['PrecisionShape'];
export type Checklist = Schemas['ProcedureState'];
export type Step = Schemas['StepState'];
export type Procedure = Schemas['ProcedureShape'];

export const CLASSES = [
  'cableTheft',
  'intrusion',
  'cameraTampered',
  'duress',
  'fire',
  'vandalism',
  'electrical',
  'other',
] as const;
export type Class = (typeof CLASSES)[number];
export const classOf = (c: string): Class => CLASSES.find((x) => x === c) ?? 'other';

export const FALSE_REASONS = [
  'animal',
  'weather',
  'driver',
  'technician',
  'light',
  'equipment',
  'unknown',
] as const;
export type FalseReason = (typeof FALSE_REASONS)[number];

/** How often each rule was right in the last 90 days, at the sites one sees or at one. */
export const precisionQuery = (site?: string) =>
  queryOptions({
    queryKey: ['incidents', 'precision', site ?? ''],
    queryFn: ({ signal }) =>
      ok(api.GET('/incidents/precision', { params: { query: { site } }, signal })).then((p) => p.items),
    staleTime: MINUTE,
  });

export const proceduresQuery = () =>
  queryOptions({
    queryKey: ['procedures'],
    queryFn: ({ signal }) => ok(api.GET('/procedures', { signal })).then((p) => p.items),
    staleTime: MINUTE,
  });

export const closingQuery = () =>
  queryOptions({
    queryKey: ['closing'],
    queryFn: ({ signal }) => ok(api.GET('/incidents/closing', { signal })),
    staleTime: MINUTE,
  });

export type Contact = Schemas['ContactShape'];
export const ROLES = [
  'police',
  'fireBrigade',
  'guard',
  'siteHost',
  'gridOperator',
  'onCall',
  'other',
] as const;
export type Role = (typeof ROLES)[number];
export const roleOf = (r: string): Role => ROLES.find((x) => x === r) ?? 'other';

export const callListQuery = (site: string) =>
  queryOptions({
    queryKey: ['sites', site, 'calls'],
    queryFn: ({ signal }) => ok(api.GET('/sites/{site}/calls', { params: { path: { site } }, signal })),
    staleTime: MINUTE,
  });

/** Whose data a contact can be. */
export const namesQuery = () =>
  queryOptions({
    queryKey: ['people', 'names'],
    queryFn: ({ signal }) =>
      ok(api.GET('/people', { params: { query: { limit: 1000 } }, signal })).then((p) =>
        p.items.map((x) => ({ value: x.id, label: x.name })),
      ),
    staleTime: MINUTE,
  });

export type DoorMoment = Schemas['DoorMomentShape'];

/** What happened at the doors of a site in a time, oldest first. */
export const doorMomentsQuery = (site: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['doors', 'of site', site, from, to],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/sites/{site}/door-moments', {
          params: {
            path: { site },
            query: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
          },
          signal,
        }),
      ).then((p) => p.items.toReversed()),
    refetchInterval: to > Date.now() - MINUTE ? 10_000 : false,
  });
