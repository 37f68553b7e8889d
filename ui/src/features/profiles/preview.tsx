// What a profile would do if it were kept as it stands in the form.
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { stationsQuery } from '../../api/queries';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { SettingsTable } from './difference';
import type { Standing } from './profile';
import styles from './profiles.module.css';

type Body = Omit<components['schemas']['PreviewProfileInputBody'], '$schema'>;

export function Preview({ of }: { of: Body }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const [station, setStation] = useState<string | null>(null);
  const { data: stations } = useQuery(stationsQuery());
  const choices = useMemo(
    () =>
      (stations ?? [])
        .filter((s) => s.protocol !== '')
        .map((s) => ({
          value: s.id,
          label: [s.id, s.model, siteName(s.siteId)].filter(Boolean).join(' · '),
        })),
    [stations, siteName],
  );
  // Mending and restarts change nothing of what is shown.
  const text = JSON.stringify({
    profile: of.profile,
    sites: of.sites,
    vendor: of.vendor,
    model: of.model,
    protocols: of.protocols,
    settings: of.settings,
    ...(station && { station }),
  });
  const [asked] = useDebouncedValue(text, 400);
  const { data, error } = useQuery({
    queryKey: ['configuration-preview', asked],
    queryFn: ({ signal }) =>
      ok(api.POST('/configuration-profiles/preview', { body: JSON.parse(asked) as Body, signal })),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 5000,
  });
  return (
    <section className={styles.preview} aria-label={t('profiles.preview')}>
      <h3>{t('profiles.preview')}</h3>
      {error ? (
        <FormFault what={t('profiles.noPreview')} error={error} />
      ) : !data ? (
        <Skeleton rows={1} />
      ) : (
        <p className="num" aria-live="polite">
          {t('profiles.wouldHold', { n: data.stations })}{' '}
          {t('profiles.wouldChange', { n: data.changes, count: count(tag, data.changes) })}
        </p>
      )}
      <Select
        label={t('profiles.previewAt')}
        placeholder={t('profiles.pickStation')}
        data={choices}
        value={station}
        onChange={setStation}
        searchable
        clearable
        limit={50}
      />
      {station && data?.station && !error && <Would standing={data.station} />}
    </section>
  );
}

function Would({ standing: x }: { standing: Standing }) {
  const t = useT();
  if (x.state === 'none' || x.state === 'foreign')
    return <p className={styles.means}>{t(`diff.all.${x.state}`)}</p>;
  const n = x.settings.filter((s) => s.state === 'differs').length;
  const unread = x.settings.filter((s) => s.state === 'unread').length;
  return (
    <>
      <p className={styles.means}>
        {t('profiles.wouldSet', { n })} {unread > 0 && t('profiles.wouldAsk', { n: unread })}
      </p>
      <SettingsTable standing={x} />
    </>
  );
}
