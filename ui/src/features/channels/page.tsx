import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { type ComponentType, Suspense } from 'react';
import { useT } from '../../i18n/i18n';
import { later } from '../../ui/later';
import { PanelBoundary, Skeleton } from '../../ui/panel';
import styles from './page.module.css';
import { TABS, type Tab } from './search';

const route = getRouteApi('/inside/channels');

const parts: Record<Tab, ComponentType> = {
  channels: later(() => import('./channels')),
  routing: later(() => import('./routing')),
  oncall: later(() => import('./oncall')),
  deliveries: later(() => import('./deliveries')),
};

/** Who is told of what, by which way, and whether it arrived. */
export default function ChannelsPage() {
  const t = useT();
  const { tab = 'channels' } = route.useSearch();
  const navigate = route.useNavigate();
  const Part = parts[tab];
  const open = (next: string | null) => {
    const to = TABS.find((x) => x === next);
    void navigate({
      search: (s) => ({
        ...s,
        tab: to === 'channels' ? undefined : to,
        channel: undefined,
        state: undefined,
      }),
    });
  };
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.title}>{t('nav.channels')}</h1>
        <p className={styles.lead}>{t('channels.lead')}</p>
      </header>
      <Tabs value={tab} keepMounted={false} onChange={open}>
        <Tabs.List className={styles.tabs}>
          {TABS.map((x) => (
            <Tabs.Tab key={x} value={x}>
              {t(`channels.tab.${x}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} pt="md">
          <PanelBoundary key={tab}>
            <Suspense fallback={<Skeleton rows={6} />}>
              <Part />
            </Suspense>
          </PanelBoundary>
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
