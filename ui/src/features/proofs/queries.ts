import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Plan = Schemas['ProfilePlanShape'];
export type Raising = Schemas['ProfileChangeShape'];
export type Roots = Schemas['StationRootsShape'];
export type RootChange = Schemas['RootChangeShape'];
export type Proof = Schemas['StationProofShape'];
export type Made = Schemas['StationCertificateShape'];

export const planQuery = (station: string, profile: number) =>
  queryOptions({
    queryKey: ['stations', 'security', station, 'plan', profile],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/stations/{station}/security/profile', {
          params: { path: { station }, query: { profile } },
          signal,
        }),
      ),
  });

export const proofQuery = (station: string) =>
  queryOptions({
    queryKey: ['stations', 'security', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/security', { params: { path: { station } }, signal })),
  });

export const ROOTS = ['system', 'station-root'];

const moving = (c: RootChange | null) => c?.state === 'installing' || c?.state === 'removing';

export const rootsQuery = () =>
  queryOptions({
    queryKey: ROOTS,
    queryFn: ({ signal }) => ok(api.GET('/system/station-root', { signal })),
    refetchInterval: (q) => (moving(q.state.data?.change ?? null) ? 5_000 : false),
  });

export const authorityQuery = () =>
  queryOptions({
    queryKey: ['system', 'station-authority'],
    queryFn: ({ signal }) => ok(api.GET('/system/station-authority', { signal })),
  });

/** A fingerprint in pairs, as people compare it. */
export const pairs = (fingerprint: string): string =>
  (fingerprint.toUpperCase().match(/../g) ?? []).join(':');
