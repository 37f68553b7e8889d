import { Button, Select, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { exact } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useLayout, useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import { useZone, ZoneNote, ZoneProvider } from '../../ui/zone';
import { credentialsQuery } from '../settings/queries';
import styles from './access.module.css';
import { checkQuery, doorsQuery, findPeopleQuery, personQuery, whoQuery } from './queries';
import type { AccessSearch } from './search';
import { useReason } from './told';

const route = getRouteApi('/inside/access');

/** Would somebody open or charge there then, and who would; nothing is opened by asking. */
export function Check() {
  const search = route.useSearch();
  const sites = useSites();
  const { data: doors } = useQuery(doorsQuery());
  const { store } = useLive();
  const layout = useLayout();
  const site = useMemo(() => {
    const [kind, station] = search.place?.split('/') ?? [];
    if (kind === 'door') return doors?.find((d) => d.id === station)?.siteId;
    return layout >= 0 && station ? store.station(station)?.site : undefined;
  }, [store, layout, search.place, doors]);
  return (
    <ZoneProvider value={(site && sites.get(site)?.timeZone) || undefined}>
      <Ask />
    </ZoneProvider>
  );
}

function Ask() {
  const t = useT();
  const zone = useZone();
  const { client } = useLive();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<AccessSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true, resetScroll: false });
  // Without a time it is asked of the moment the page was opened, not of each one after.
  const [opened] = useState(() => Date.now() + client.clockOffset);
  const shown = search.at ?? toClock(opened, zone);
  const ms = search.at ? fromClock(search.at, zone) : opened;
  const at = Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  return (
    <div className={styles.parts}>
      <Panel title={t('access.wouldTitle')} aside={<ZoneNote />}>
        <div className={styles.ask}>
          <Shower value={search.who ?? null} change={(who) => change({ who: who ?? undefined })} />
          <PlaceField
            value={search.place ?? null}
            change={(place) => change({ place: place ?? undefined })}
          />
          <TextInput
            type="datetime-local"
            label={t('access.at')}
            value={shown}
            onChange={(e) => change({ at: e.currentTarget.value || undefined })}
          />
          <div>
            <Button
              variant="default"
              onClick={() => change({ at: toClock(Date.now() + client.clockOffset, zone) })}
            >
              {t('access.now')}
            </Button>
          </div>
        </div>
        {search.who && search.place && at ? (
          <Verdict who={search.who} place={search.place} at={at} />
        ) : (
          <div className={styles.answer}>
            <p className="meta">{t('access.askText')}</p>
          </div>
        )}
      </Panel>
      <Panel title={t('access.whoTitle')} flush>
        {search.place && at ? (
          <Who place={search.place} at={at} />
        ) : (
          <Empty title={t('access.whoNone')}>{t('access.whoNoneText')}</Empty>
        )}
      </Panel>
    </div>
  );
}

/** Chooses a person, or a single credential, by what is typed. */
function Shower({ value, change }: { value: string | null; change: (v: string | null) => void }) {
  const t = useT();
  const [text, setText] = useState('');
  const q = useDeferredValue(text.trim());
  const { data: people } = useQuery({ ...findPeopleQuery(q), placeholderData: keepPreviousData });
  const { data: cards } = useInfiniteQuery({
    ...credentialsQuery(q),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
  });
  const person = value?.startsWith('p:') ? value.slice(2) : '';
  const { data: chosen } = useQuery({ ...personQuery(person), enabled: person !== '' });
  const found = (people ?? []).map((p) => ({ value: `p:${p.id}`, label: p.name }));
  const tokens = (q.length >= 2 ? (cards?.pages[0]?.items ?? []) : []).slice(0, 20).map((c) => ({
    value: `c:${c.id}`,
    label: c.label ? `${c.idToken} · ${c.label}` : c.idToken || c.id,
  }));
  const have = [...found, ...tokens].some((o) => o.value === value);
  const data = [
    { group: t('access.tab.people'), items: found },
    { group: t('access.credentials'), items: tokens },
    {
      group: t('access.chosen'),
      items: value && !have ? [{ value, label: chosen?.name ?? value.slice(2) }] : [],
    },
  ].filter((g) => g.items.length > 0);
  return (
    <Select
      label={t('access.who')}
      placeholder={t('access.whoPlaceholder')}
      data={data}
      value={value}
      onChange={change}
      searchable
      searchValue={text}
      onSearchChange={setText}
      // The server looked already; a token is found by parts that its label does not show.
      filter={({ options }) => options}
      nothingFoundMessage={t('access.noneFound')}
      clearable
      clearButtonProps={{ 'aria-label': t('filter.clear') }}
    />
  );
}

function PlaceField({ value, change }: { value: string | null; change: (v: string | null) => void }) {
  const t = useT();
  const { data: doors } = useQuery(doorsQuery());
  const { store } = useLive();
  const layout = useLayout();
  const data = useMemo(
    () =>
      layout >= 0
        ? store.stations.flatMap((s) =>
            s.ports.flatMap((i) => {
              const port = store.port(i);
              if (!port) return [];
              const id = `${s.id}/${port.port}`;
              const name = s.label && s.label !== s.id ? `${s.label} · ${id}` : id;
              return [{ value: `station/${id}`, label: name }];
            }),
          )
        : [],
    [store, layout],
  );
  const open = (doors ?? []).map((d) => ({ value: `door/${d.id}`, label: d.label || d.id }));
  const both = [...open, ...data];
  const all = [
    { group: t('access.doorGroup'), items: open },
    { group: t('access.portGroup'), items: data },
    {
      group: t('access.chosen'),
      items: value && !both.some((d) => d.value === value) ? [{ value, label: value }] : [],
    },
  ].filter((g) => g.items.length > 0);
  return (
    <Select
      label={t('access.placeField')}
      placeholder={t('access.placePlaceholder')}
      data={all}
      value={value}
      onChange={change}
      searchable
      limit={50}
      nothingFoundMessage={t('access.noneFound')}
      clearable
      clearButtonProps={{ 'aria-label': t('filter.clear') }}
    />
  );
}

function Verdict({ who, place, at }: { who: string; place: string; at: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const reason = useReason();
  const { data: d, error, refetch } = useQuery(checkQuery(who, place, at));
  if (error && !d) return <Failed what={t('access.answer')} error={error} retry={() => void refetch()} />;
  if (!d) return <Skeleton rows={2} />;
  const yes = d.decision === 'allow';
  return (
    <div className={styles.answer} role="status">
      <span className={yes ? undefined : styles.bad}>
        <Icon name={yes ? 'check' : 'close'} size={28} />
      </span>
      <div>
        <p className={styles.verdict}>{t(yes ? 'access.yes' : 'access.no')}</p>
        <p>{reason(d)}</p>
        <p className="meta">{exact(tag, Date.parse(d.at), zone)}</p>
      </div>
    </div>
  );
}

function Who({ place, at }: { place: string; at: string }) {
  const t = useT();
  const navigate = route.useNavigate();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    whoQuery(place, at),
  );
  const rows = data?.pages.flatMap((p) => p.items);
  if (error && !rows)
    return <Failed what={t('access.whoTitle')} error={error} retry={() => void refetch()} />;
  if (!rows) return <Skeleton rows={4} />;
  if (rows.length === 0) return <Empty title={t('access.nobody')}>{t('access.nobodyText')}</Empty>;
  return (
    <>
      <TableFrame label={t('access.whoTitle')}>
        <thead>
          <tr>
            <th scope="col">{t('access.who')}</th>
            <th scope="col">{t('access.allowedBy')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((a) => (
            <tr key={a.credentialId}>
              <th scope="row">
                {a.personId ? (
                  <button
                    type="button"
                    className={styles.link}
                    onClick={() =>
                      void navigate({
                        search: (s) => ({ ...s, tab: 'people', person: a.personId, q: undefined }),
                      })
                    }
                  >
                    {a.name}
                  </button>
                ) : (
                  a.name || <span className="mono">{a.credentialId}</span>
                )}
              </th>
              <td>{a.policyName || t('access.freeVend')}</td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {hasNextPage && (
        <div className={styles.more}>
          <Button
            variant="subtle"
            color="gray"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t('access.more')}
          </Button>
        </div>
      )}
    </>
  );
}
