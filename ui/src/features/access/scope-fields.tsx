import { MultiSelect } from '@mantine/core';
import { useMemo } from 'react';
import { useT } from '../../i18n/i18n';
import { useLayout, useLive } from '../../live/hooks';
import { useSites } from '../../ui/sites';
import { faultAt } from '../settings/dialog';
import { KINDS } from './told';

export type ScopeDraft = { kinds: string[]; places: string[]; sites: string[] };

/** What at a place and which places: kinds, single ones, and the sites they are at. */
export function ScopeFields({
  value,
  change,
  error,
}: {
  value: ScopeDraft;
  change: (part: Partial<ScopeDraft>) => void;
  error: unknown;
}) {
  const t = useT();
  const { store } = useLive();
  const layout = useLayout();
  const sites = useSites();
  const places = useMemo(
    () =>
      layout >= 0
        ? store.stations
            .filter((s) => value.sites.length === 0 || value.sites.includes(s.site))
            .map((s) => ({
              value: `station/${s.id}`,
              label: s.label && s.label !== s.id ? `${s.label} (${s.id})` : s.id,
            }))
        : [],
    [store, layout, value.sites],
  );
  const known = new Set(places.map((p) => p.value));
  const all = [
    ...places,
    ...value.places
      .filter((p) => !known.has(p))
      .map((p) => ({ value: p, label: p.replace(/^station\//, '') })),
  ];
  return (
    <>
      <MultiSelect
        label={t('access.whatField')}
        description={t('access.whatHint')}
        placeholder={value.kinds.length + value.places.length === 0 ? t('access.what.doors') : ''}
        data={KINDS.map((k) => ({ value: k, label: t(`access.kinds.${k}`) }))}
        value={value.kinds}
        onChange={(kinds) => change({ kinds })}
        error={faultAt(error, 'kinds')}
      />
      <MultiSelect
        label={t('access.placesField')}
        description={t('access.placesHint')}
        data={all}
        value={value.places}
        onChange={(list) => change({ places: list })}
        searchable
        limit={50}
        nothingFoundMessage={t('access.noneFound')}
        error={faultAt(error, 'places')}
      />
      <MultiSelect
        label={t('access.sitesField')}
        placeholder={value.sites.length === 0 ? t('access.everySite') : ''}
        data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
        value={value.sites}
        onChange={(list) => change({ sites: list })}
        searchable
        error={faultAt(error, 'sites')}
      />
    </>
  );
}
