// Where a station, or all stations of a site, are relayed to: fields for the forms
// that set them up.
import { MultiSelect, Select } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { stationQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { Failed, Skeleton } from '../../ui/panel';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { DIRECT, UPSTREAMS, type Upstream, upstreamsQuery } from './upstream';

const SITE = 'site';

/** The system a site's stations are relayed to; nothing where there is none to choose. */
export default function SiteRelay({
  upstream,
  observers,
  change,
}: {
  upstream: string;
  observers: string[];
  change: (upstream: string, observers: string[]) => void;
}) {
  const t = useT();
  const { data } = useQuery(upstreamsQuery());
  if (!data || data.length === 0) return null;
  return (
    <>
      <Select
        label={t('upstreams.siteLabel')}
        description={t('upstreams.siteHint')}
        data={[{ value: '', label: t('upstreams.here') }, ...choices(data)]}
        value={upstream}
        onChange={(v) => change(v ?? '', v ? observers.filter((o) => o !== v) : [])}
        allowDeselect={false}
      />
      {upstream !== '' && (
        <Observers all={data} but={upstream} value={observers} change={(o) => change(upstream, o)} />
      )}
    </>
  );
}

const choices = (all: Upstream[]) => all.map((u) => ({ value: u.id, label: `${u.name} (${u.host})` }));

function Observers({
  all,
  but,
  value,
  change,
}: {
  all: Upstream[];
  but: string;
  value: string[];
  change: (ids: string[]) => void;
}) {
  const t = useT();
  const others = all.filter((u) => u.id !== but);
  if (others.length === 0) return null;
  return (
    <MultiSelect
      label={t('upstreams.observersLabel')}
      description={t('upstreams.observersHint')}
      data={choices(others)}
      value={value}
      onChange={change}
      maxValues={4}
      clearable
    />
  );
}

/** Switches one station between us and another system; it comes again at once. */
export function StationRelay({
  id,
  close,
  changed,
}: {
  id: string;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const queries = useQueryClient();
  const station = useQuery({ ...stationQuery(id), staleTime: 0 });
  const systems = useQuery(upstreamsQuery());
  const own = station.data?.relay;
  const [picked, setPicked] = useState<string | null>(null);
  const [observers, setObservers] = useState<string[] | null>(null);
  const value = picked ?? (own?.upstream || SITE);
  const heard = observers ?? own?.observers ?? [];
  const all = systems.data;
  return (
    <FormDialog
      title={t('upstreams.stationTitle', { id })}
      close={close}
      send={() =>
        ok(
          api.PATCH('/stations/{station}', {
            params: { path: { station: id } },
            body: { upstream: value === SITE ? '' : value, observers: value === DIRECT ? [] : heard },
          }),
        )
      }
      sent={() => {
        void queries.invalidateQueries({ queryKey: UPSTREAMS });
        return changed();
      }}
      action={t('upstreams.save')}
      failed={t('upstreams.notSwitched')}
      ready={own !== undefined && all !== undefined && (picked !== null || observers !== null)}
    >
      {(error) =>
        (station.error && !own) || (systems.error && !all) ? (
          <Failed what={t('upstreams.title')} error={station.error ?? systems.error} />
        ) : !own || !all ? (
          <Skeleton rows={2} />
        ) : (
          <>
            <Effect>{t('upstreams.stationText')}</Effect>
            <Select
              label={t('upstreams.stationLabel')}
              data={[
                { value: SITE, label: t('upstreams.asSite') },
                { value: DIRECT, label: t('upstreams.here') },
                ...choices(all),
              ]}
              value={value}
              onChange={(v) => v && setPicked(v)}
              error={faultAt(error, 'upstream')}
              allowDeselect={false}
              data-autofocus
            />
            {value !== DIRECT && (
              <Observers
                all={all}
                but={value}
                value={heard.filter((o) => o !== value)}
                change={setObservers}
              />
            )}
          </>
        )
      }
    </FormDialog>
  );
}
