import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { MINUTE } from '../../format/time';

export type Handover = components['schemas']['HandoverShape'];

/** Since when, in hours; the last hand-over decides where nothing is chosen. */
export const SINCE = { last: 0, '8h': 8, '12h': 12, '24h': 24 } as const;
export type Since = keyof typeof SINCE;

export type HandoverSearch = { since?: Exclude<Since, 'last'> };

export function parseHandover(s: Record<string, unknown>): HandoverSearch {
  return {
    since: (Object.keys(SINCE) as Since[]).find(
      (x): x is Exclude<Since, 'last'> => x !== 'last' && x === s.since,
    ),
  };
}

export const handoverQuery = (from: number | undefined, site: string | undefined) =>
  queryOptions({
    queryKey: ['handover', from ?? 0, site ?? ''],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/handover', {
          params: { query: { since: from ? new Date(from).toISOString() : undefined, site } },
          signal,
        }),
      ),
    refetchInterval: MINUTE,
  });

export const pastShiftsQuery = () =>
  queryOptions({
    queryKey: ['handover', 'past'],
    queryFn: ({ signal }) =>
      ok(api.GET('/handover/past', { params: { query: { limit: 10 } }, signal })).then((p) => p.items),
    staleTime: MINUTE,
  });
