import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { MINUTE, SECOND } from '../../format/time';
import type { Target } from './search';

type Schemas = components['schemas'];
export type Answer = Schemas['ForecastAnswer'];
export type Skill = Schemas['SkillShape'];
export type Free = Schemas['FreeAnswer'];

export const forecastQuery = (site: string, target: Target) =>
  queryOptions({
    queryKey: ['forecast', site, target],
    queryFn: ({ signal }) =>
      ok(api.GET('/analytics/forecast', { params: { query: { site, target } }, signal })),
    staleTime: 5 * MINUTE,
    refetchInterval: ({ state }) => (state.data && state.data.counting > 0 ? 4 * SECOND : 10 * MINUTE),
  });

export const freeQuery = (site: string) =>
  queryOptions({
    queryKey: ['forecast', site, 'free'],
    queryFn: ({ signal }) => ok(api.GET('/analytics/forecast/free', { params: { query: { site } }, signal })),
    refetchInterval: MINUTE,
  });
