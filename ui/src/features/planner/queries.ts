import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { MINUTE } from '../../format/time';

type Schemas = components['schemas'];
export type Interval = Schemas['ExpansionInterval'];
export type Question = Schemas['ExpansionQuestion'];
export type Scenario = Schemas['ExpansionScenario'];
export type QuickAnswer = Schemas['ExpansionQuickAnswer'];

type Nullable<T, K extends keyof T> = Omit<T, K> & { [P in K]: T[P] | null };
export type Outcome = Nullable<
  Schemas['ExpansionOutcome'],
  'moreServedPerWeek' | 'moreKwhPerWeek' | 'revenuePerMonth' | 'gainPerMonth' | 'gainPerPortMonth' | 'payback'
>;
export type Trigger = Schemas['ExpansionTrigger'];
export type Result = Omit<
  Nullable<Schemas['ExpansionResult'], 'needs' | 'trigger'>,
  'outcomes' | '$schema'
> & { outcomes: Outcome[] };
export type Plan = Omit<Schemas['ExpansionShape'], 'result' | '$schema'> & { result: Result | null };
export type Quick = Nullable<Schemas['QuickShape'], 'now' | 'then'>;
export type Place = Nullable<Schemas['RankShape'], 'trigger' | 'needs'>;
export type Ranking = Omit<Schemas['RankingAnswer'], 'items'> & { items: Place[] };

export const over = (p: Plan | undefined): boolean =>
  p === undefined || (p.state !== 'queued' && p.state !== 'running');

const follow = (p: Plan | undefined) => (over(p) ? false : 700);

/** The newest plan of a site; the usual one is made where there is none. */
export const newestQuery = (site: string) =>
  queryOptions({
    queryKey: ['plans', 'newest', site],
    queryFn: ({ signal }) =>
      ok(api.GET('/analytics/plan', { params: { query: { site, wait: '0s' } }, signal })) as Promise<Plan>,
    refetchInterval: (q) => follow(q.state.data),
    staleTime: MINUTE,
  });

export const planQuery = (id: string) =>
  queryOptions({
    queryKey: ['plans', 'one', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/analytics/plans/{id}', { params: { path: { id } }, signal })) as Promise<Plan>,
    refetchInterval: (q) => follow(q.state.data),
    staleTime: MINUTE,
  });

export const plansQuery = (site: string) =>
  queryOptions({
    queryKey: ['plans', 'list', site],
    queryFn: ({ signal }) =>
      ok(api.GET('/analytics/plans', { params: { query: { site, limit: 50 } }, signal })).then(
        (r) => r.items as Plan[],
      ),
    refetchInterval: (q) => (q.state.data?.some((p) => !over(p)) ? 1500 : false),
    staleTime: MINUTE,
  });

export type Sliders = { addPorts: number; patience: number; growth: number; cap: number; promise: number };

export const quickQuery = (site: string, s: Sliders) =>
  queryOptions({
    queryKey: ['plans', 'quick', site, s],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/analytics/plan/quick', {
          params: {
            query: {
              site,
              addPorts: s.addPorts,
              patienceMinutes: s.patience,
              promiseMinutes: s.promise,
              growthPercent: s.growth,
              capKw: s.cap,
            },
          },
          signal,
        }),
      ) as Promise<Quick>,
    staleTime: 5 * MINUTE,
    placeholderData: keepPreviousData,
  });

export const rankingQuery = () =>
  queryOptions({
    queryKey: ['plans', 'ranking'],
    queryFn: ({ signal }) =>
      ok(api.GET('/analytics/ranking', { params: { query: { wait: '2s' } }, signal })) as Promise<Ranking>,
    refetchInterval: (q) => ((q.state.data?.pending ?? 0) > 0 ? 1000 : false),
    staleTime: 5 * MINUTE,
  });
