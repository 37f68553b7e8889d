import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { MINUTE, SECOND } from '../../format/time';
import type { Step } from './occupancy';
import type { Measure } from './search';
import {
  type HeatAnswer,
  type KpisAnswer,
  type Occupancy,
  type PeaksAnswer,
  type UptimeAnswer,
  waiting,
} from './shapes';

/** Whose use, of when, and by whose clock. */
export type Asked = { site: string | undefined; from: number; to: number; zone: string };

const of = ({ site, from, to, zone }: Asked) => ({
  site,
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  zone,
});

// While the past is still being counted, as after a first start, an answer is
// soon out of date.
const often = {
  staleTime: MINUTE,
  refetchInterval: (query: { state: { data: unknown } }) =>
    waiting(query.state.data as object | undefined) > 0 ? 4 * SECOND : 5 * MINUTE,
};

export const occupancyQuery = (asked: Asked, step: Step) =>
  queryOptions({
    queryKey: ['analytics', 'occupancy', asked, step],
    queryFn: ({ signal }): Promise<Occupancy> =>
      ok(api.GET('/analytics/occupancy', { params: { query: { ...of(asked), step } }, signal })),
    ...often,
  });

export const heatQuery = (asked: Asked, measure: Measure) =>
  queryOptions({
    queryKey: ['analytics', 'heatmap', asked, measure],
    queryFn: ({ signal }): Promise<HeatAnswer> =>
      ok(api.GET('/analytics/heatmap', { params: { query: { ...of(asked), measure } }, signal })),
    ...often,
  });

export const kpisQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ['analytics', 'kpis', asked],
    queryFn: ({ signal }): Promise<KpisAnswer> =>
      ok(api.GET('/analytics/kpis', { params: { query: of(asked) }, signal })),
    ...often,
  });

export const peaksQuery = (asked: Asked, rate: number | undefined) =>
  queryOptions({
    queryKey: ['analytics', 'peaks', asked, rate ?? null],
    queryFn: ({ signal }): Promise<PeaksAnswer> =>
      ok(api.GET('/analytics/peaks', { params: { query: { ...of(asked), rate } }, signal })),
    ...often,
  });

export const uptimeQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ['analytics', 'uptime', asked],
    queryFn: ({ signal }): Promise<UptimeAnswer> =>
      ok(api.GET('/analytics/uptime', { params: { query: of(asked) }, signal })),
    ...often,
  });
