import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Rule = Schemas['RuleShape'];
export type RuleBody = Schemas['RuleBody'];
export type Fault = Schemas['Fault'];
export type Vocabulary = Schemas['Vocabulary'];
export type Past = Schemas['BacktestShape'];
export type Detector = Schemas['DetectorShape'];
export type DetectorPast = Schemas['DetectorPastShape'];
export type Draft = { scope: string; off: boolean; severity: string; values: Record<string, number> };
export type Threshold = Schemas['ThresholdShape'];
export type Silence = Schemas['SilenceShape'];
export type SilenceBody = Schemas['SilenceBody'];

export const SEVERITIES = ['S1', 'S2', 'S3', 'S4'] as const;

export const rulesQuery = () =>
  queryOptions({
    queryKey: ['rules', 'list'],
    queryFn: ({ signal }) => ok(api.GET('/rules', { signal })).then((p) => p.items),
    refetchInterval: 10_000,
  });

export const vocabularyQuery = () =>
  queryOptions({
    queryKey: ['rules', 'vocabulary'],
    queryFn: ({ signal }) => ok(api.GET('/rules/vocabulary', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const detectorsQuery = () =>
  queryOptions({
    queryKey: ['rules', 'detectors'],
    queryFn: ({ signal }) => ok(api.GET('/detectors', { signal })).then((p) => p.items),
  });

export const silencesQuery = () =>
  queryOptions({
    queryKey: ['rules', 'silences'],
    queryFn: ({ signal }) => ok(api.GET('/silences', { signal })).then((p) => p.items),
    refetchInterval: 30_000,
  });
