import '@mantine/spotlight/styles.layer.css';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { rankStations } from '../features/stations/filter';
import { worstFamily } from '../features/stations/order';
import { useT } from '../i18n/i18n';
import { useFlush, useLive } from '../live/hooks';
import { FAMILIES } from '../live/status';
import { Icon } from '../ui/icons';
import { useSiteNames } from '../ui/sites';
import { StateShape } from '../ui/state';
import styles from './search.module.css';

const [spotlightStore, spotlight] = createSpotlight();
const SHOWN = 12;

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
  const found = rankStations(store.stations, siteName, query, SHOWN);
  const q = query.trim().toLowerCase();
  const pages = [
    { name: t('nav.overview'), icon: 'overview' as const, run: () => void router.navigate({ to: '/' }) },
    {
      name: t('nav.stations'),
      icon: 'stations' as const,
      run: () => void router.navigate({ to: '/stations' }),
    },
    {
      name: t('nav.settings'),
      icon: 'settings' as const,
      run: () => void router.navigate({ to: '/settings' }),
    },
  ].filter((p) => p.name.toLowerCase().includes(q));

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
        placeholder={t('search.placeholder')}
        aria-label={t('search.placeholder')}
        leftSection={<Icon name="search" />}
      />
      <Spotlight.ActionsList>
        {found.length > 0 && (
          <Spotlight.ActionsGroup label={t('nav.stations')}>
            {found.map((s) => (
              <Spotlight.Action
                key={s.id}
                onClick={go(() => void router.navigate({ to: '/stations/$id', params: { id: s.id } }))}
              >
                <span className={styles.row}>
                  <StateShape family={FAMILIES[worstFamily(store, s)]!} />
                  <span className="mono">{s.id}</span>
                  <span className={styles.name}>{s.label}</span>
                  <span className={styles.site}>{siteName(s.site)}</span>
                </span>
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length > 0 && (
          <Spotlight.ActionsGroup label={t('search.pages')}>
            {pages.map((p) => (
              <Spotlight.Action key={p.name} onClick={go(p.run)}>
                <span className={styles.row}>
                  <Icon name={p.icon} size={16} />
                  {p.name}
                </span>
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        )}
        {found.length === 0 && pages.length === 0 && (
          <Spotlight.Empty>{t('search.nothing', { query: query.trim() })}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
