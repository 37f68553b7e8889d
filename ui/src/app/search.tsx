import '@mantine/spotlight/styles.layer.css';
import { useMantineColorScheme } from '@mantine/core';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { meQuery } from '../api/queries';
import { rankStations } from '../features/stations/filter';
import { worstFamily } from '../features/stations/order';
import { type MessageKey, useLocale, useT } from '../i18n/i18n';
import { LOCALES, languageNames } from '../i18n/locale';
import { useFlush, useLive } from '../live/hooks';
import { FAMILIES } from '../live/status';
import { Icon, type IconName } from '../ui/icons';
import { useSiteNames, useSites } from '../ui/sites';
import { StateShape } from '../ui/state';
import { type Hit, useLookup } from './lookup';
import { placesFor } from './places';
import { useCopyLink, useTimed } from './range';
import styles from './search.module.css';
import { DEFAULT_SPAN, SPANS, type Span, useScope, useSetView } from './view';

const [spotlightStore, spotlight] = createSpotlight();
const SHOWN = 12;
const FEW = 6;

type Entry = { id: string; name: string; icon: IconName; note?: string; run: () => void };

/** Every word that was typed must occur. */
const fits = (query: string, name: string): boolean => {
  const n = name.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((w) => n.includes(w));
};

const hitIcons: Record<Hit['kind'], IconName> = {
  station: 'stations',
  evse: 'stations',
  site: 'site',
  token: 'key',
  session: 'session',
};

export default function Search({ close }: { close: () => void }) {
  const t = useT();
  const router = useRouter();
  const { store } = useLive();
  const siteName = useSiteNames();
  const [query, setQuery] = useState('');
  useFlush(2000);
  useEffect(() => spotlight.open(), []);

  const go = (run: () => void) => () => {
    spotlight.close();
    run();
  };
  const q = query.trim();
  const found = rankStations(store.stations, siteName, query, SHOWN);
  const here = new Set(found.map((s) => s.id));
  const asked = useLookup(query).filter(
    (h) => h.station !== '' && h.kind !== 'site' && !(h.kind === 'station' && here.has(h.id)),
  );
  const pages = usePages().filter((p) => fits(q, p.name));
  const sites = useSiteActions(q);
  const actions = useActions().filter((a) => q !== '' && fits(q, a.name));
  const openHit = (h: Hit) => () =>
    void (h.kind === 'token'
      ? router.navigate({ to: '/desk', search: { token: h.id } })
      : router.navigate({
          to: '/stations/$id',
          params: { id: h.station || h.id },
          search: { port: h.evse || undefined },
        }));
  const nothing = found.length + asked.length + pages.length + sites.length + actions.length === 0;

  return (
    <Spotlight.Root
      store={spotlightStore}
      query={query}
      onQueryChange={setQuery}
      onSpotlightClose={close}
      shortcut={null}
      size={600}
      transitionProps={{ duration: 120 }}
      overlayProps={{ blur: 0, backgroundOpacity: 0.5 }}
      classNames={{
        content: styles.content,
        search: styles.field,
        action: styles.action,
        actionsGroup: styles.group,
      }}
      scrollable
      maxHeight={440}
    >
      <Spotlight.Search
        placeholder={t('search.hint')}
        aria-label={t('search.hint')}
        leftSection={<Icon name="search" />}
      />
      <Spotlight.ActionsList>
        {found.length > 0 && (
          <Spotlight.ActionsGroup label={t('nav.stations')}>
            {found.map((s) => (
              <Row
                key={s.id}
                icon={<StateShape family={FAMILIES[worstFamily(store, s)]!} />}
                id={s.id}
                name={s.label}
                note={siteName(s.site)}
                run={go(() => void router.navigate({ to: '/stations/$id', params: { id: s.id } }))}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {asked.length > 0 && (
          <Spotlight.ActionsGroup label={t('search.more')}>
            {asked.slice(0, SHOWN).map((h) => (
              <Row
                key={`${h.kind}/${h.id}/${h.evse}`}
                icon={<Icon name={hitIcons[h.kind]} size={16} />}
                id={h.label || h.id}
                name={h.station === h.label ? '' : h.station}
                note={siteName(h.site)}
                run={go(openHit(h))}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        <Group label={t('search.pages')} entries={pages} go={go} />
        <Group label={t('search.sites')} entries={sites} go={go} />
        <Group label={t('search.actions')} entries={actions} go={go} />
        {nothing && <Spotlight.Empty>{t('search.nothing', { query: q })}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function Group({
  label,
  entries,
  go,
}: {
  label: string;
  entries: Entry[];
  go: (run: () => void) => () => void;
}) {
  if (entries.length === 0) return null;
  return (
    <Spotlight.ActionsGroup label={label}>
      {entries.map((e) => (
        <Row key={e.id} icon={<Icon name={e.icon} size={16} />} name={e.name} note={e.note} run={go(e.run)} />
      ))}
    </Spotlight.ActionsGroup>
  );
}

function Row({
  icon,
  id,
  name,
  note,
  run,
}: {
  icon: ReactNode;
  id?: string;
  name: string;
  note?: string;
  run: () => void;
}) {
  return (
    <Spotlight.Action onClick={run}>
      <span className={styles.row}>
        {icon}
        {id && <span className="mono">{id}</span>}
        <span className={styles.name}>{name}</span>
        {note && <span className={styles.site}>{note}</span>}
      </span>
    </Spotlight.Action>
  );
}

function usePages(): Entry[] {
  const t = useT();
  const router = useRouter();
  const { data: me } = useQuery(meQuery());
  return placesFor(me?.permissions).map((p) => ({
    id: p.to,
    name: t(p.key),
    icon: p.icon,
    note: p.keys,
    run: () => void router.navigate({ to: p.to }),
  }));
}

/** Sites that fit, to limit all pages to. */
function useSiteActions(q: string): Entry[] {
  const t = useT();
  const sites = useSites();
  const scope = useScope();
  const set = useSetView();
  if (q === '') return [];
  const all: Entry[] = [...sites.values()]
    .filter((s) => s.id !== scope && fits(q, `${s.name} ${s.id}`))
    .slice(0, FEW)
    .map((s) => ({
      id: `site/${s.id}`,
      name: s.name || s.id,
      icon: 'site',
      note: t('search.scope'),
      run: () => set({ site: s.id }),
    }));
  if (scope !== undefined && fits(q, t('scope.all'))) {
    all.push({ id: 'site/', name: t('scope.all'), icon: 'site', run: () => set({ site: undefined }) });
  }
  return all;
}

function useActions(): Entry[] {
  const t = useT();
  const set = useSetView();
  const copy = useCopyLink();
  const timed = useTimed();
  const { setColorScheme } = useMantineColorScheme();
  const { setLocale } = useLocale();
  const themes = [
    ['auto', 'auto', 'theme.auto'],
    ['dark', 'moon', 'theme.dark'],
    ['light', 'sun', 'theme.light'],
  ] as const satisfies [string, IconName, MessageKey][];
  const list: Entry[] = [
    { id: 'copy', name: t('range.copy'), icon: 'link', run: () => void copy() },
    {
      id: 'kiosk',
      name: t('search.kiosk'),
      icon: 'screen',
      note: '/kiosk',
      run: () => set({ kiosk: 1, rotate: 30 }),
    },
    ...themes.map(([scheme, icon, key]) => ({
      id: `theme/${scheme}`,
      name: `${t('theme.label')}: ${t(key)}`,
      icon,
      run: () => setColorScheme(scheme),
    })),
    ...LOCALES.map((l) => ({
      id: `language/${l}`,
      name: `${t('language.label')}: ${languageNames[l]}`,
      icon: 'globe' as const,
      run: () => setLocale(l),
    })),
  ];
  if (timed) {
    for (const s of Object.keys(SPANS) as Span[]) {
      list.push({
        id: `range/${s}`,
        name: `${t('range.label')}: ${t(`range.${s}`)}`,
        icon: 'clock',
        run: () => set({ range: s === DEFAULT_SPAN ? undefined : s }),
      });
    }
  }
  return list;
}
