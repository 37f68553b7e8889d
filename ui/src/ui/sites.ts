import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { sitesQuery } from '../api/queries';
import type { Site } from '../api/shapes';
import { useT } from '../i18n/i18n';

export function useSites(): Map<string, Site> {
  const { data } = useQuery(sitesQuery());
  return useMemo(() => new Map((data ?? []).map((s) => [s.id, s])), [data]);
}

/** The name of a site; its id until the names are loaded; words for stations that belong to none. */
export function useSiteNames(): (id: string) => string {
  const t = useT();
  const sites = useSites();
  return useCallback((id: string) => (id === '' ? t('site.none') : (sites.get(id)?.name ?? id)), [sites, t]);
}
