import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Why = Schemas['CampaignWhy'];
export type Campaign = Omit<Schemas['CampaignShape'], 'why' | '$schema'> & { why: Why | null };
export type Counts = Schemas['CampaignCounts'];
export type Outcome = Schemas['CampaignCode']['state'];
export type StationResult = Schemas['CampaignStationShape'];
export type Plan = Omit<Schemas['CampaignPlan'], '$schema'>;
export type Cohort = Schemas['CampaignCohort'];
export type Preview = Omit<Schemas['CampaignPreview'], '$schema'>;
export type LeftOut = Schemas['CampaignLeftOut'];
export type Estimate = Schemas['EstimateShape'];
export type Measure = Omit<Schemas['ComparisonMeasure'], 'needs'> & {
  needs: Schemas['ComparisonNeed'] | null;
};
export type Comparison = Omit<Schemas['ComparisonShape'], 'measures' | '$schema'> & { measures: Measure[] };

export const CAMPAIGNS = ['campaigns'] as const;

/** Whether nothing more will happen. */
export const settled = (c: Campaign): boolean =>
  (c.state === 'stopped' || c.state === 'finished') && c.counts.working === 0;

// While something is under way the screen asks every two seconds.
const POLL = 2000;

export const campaignsQuery = () =>
  queryOptions({
    queryKey: [...CAMPAIGNS, 'list'],
    queryFn: ({ signal }) =>
      ok(api.GET('/campaigns', { params: { query: { limit: 50 } }, signal })).then(
        (r) => r.items as Campaign[],
      ),
    refetchInterval: (q) => (q.state.data?.some((c) => !settled(c)) ? POLL : false),
  });

export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: [...CAMPAIGNS, 'one', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/campaigns/{id}', { params: { path: { id } }, signal })) as Promise<Campaign>,
    refetchInterval: (q) => (q.state.data && settled(q.state.data) ? false : POLL),
  });

// A comparison is made again after some minutes, and asked for until it is made.
export const comparisonQuery = (id: string) =>
  queryOptions({
    queryKey: [...CAMPAIGNS, 'comparison', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/campaigns/{id}/comparison', { params: { path: { id } }, signal })) as Promise<Comparison>,
    refetchInterval: (q) => (q.state.data?.ready ? 5 * 60_000 : q.state.error ? false : POLL),
  });

export const PAGE = 200;

export const resultsQuery = (id: string, state: Outcome | undefined, live: boolean) =>
  queryOptions({
    // Once it is over all is asked for anew: the last changes came with the end.
    queryKey: [...CAMPAIGNS, 'results', id, state ?? 'all', live],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/campaigns/{id}/stations', {
          params: { path: { id }, query: { limit: PAGE, ...(state && { state }) } },
          signal,
        }),
      ),
    refetchInterval: live ? POLL : false,
    placeholderData: keepPreviousData,
  });

export const previewQuery = (plan: Plan | null) =>
  queryOptions({
    queryKey: [...CAMPAIGNS, 'preview', plan],
    queryFn: ({ signal }) => ok(api.POST('/campaigns/preview', { body: plan!, signal })) as Promise<Preview>,
    enabled: plan !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 5000,
  });
