import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { MessageKey, Translate } from '../../i18n/i18n';
import type words from './words/en.json';

type Schemas = components['schemas'];
export type Profile = Schemas['ConfigurationProfileShape'];
export type Wish = Schemas['ProfileSettingShape'];
export type Standing = Schemas['ConfigurationStandingShape'];
export type Difference = Schemas['SettingDifferenceShape'];

export const PROFILES = ['configuration-profiles'];

export const profilesQuery = () =>
  queryOptions({
    queryKey: PROFILES,
    queryFn: async ({ signal }) =>
      (await ok(api.GET('/configuration-profiles', { params: { query: { limit: 1000 } }, signal }))).items,
    refetchInterval: 10_000,
  });

export const fleetQuery = () =>
  queryOptions({
    queryKey: [...PROFILES, 'fleet'],
    queryFn: ({ signal }) => ok(api.GET('/configuration-fleet', { signal })),
    refetchInterval: 5_000,
  });

export const knownQuery = () =>
  queryOptions({
    queryKey: [...PROFILES, 'known'],
    queryFn: async ({ signal }) => (await ok(api.GET('/configuration-settings', { signal }))).items ?? [],
    staleTime: Number.POSITIVE_INFINITY,
  });

export const differenceQuery = (station: string) =>
  queryOptions({
    queryKey: ['configuration-difference', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/configuration/difference', { params: { path: { station } }, signal })),
    refetchInterval: 3_000,
  });

type Means = Extract<keyof typeof words, `profiles.means.${string}`> & MessageKey;

/** What a setting does; nothing of one that only its maker knows. */
export const meaning = (t: Translate, name: string, known: Wish[] | undefined): string =>
  known?.some((k) => k.name === name) ? t(`profiles.means.${name}` as Means) : '';

/** A long list of measurands as people read it. */
export const spaced = (text: string): string => text.split(',').join(', ');
