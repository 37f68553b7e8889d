import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Suspense } from 'react';
import { useT } from '../../i18n/i18n';
import { later } from '../../ui/later';
import { PanelBoundary, Skeleton } from '../../ui/panel';
import { PlaybookList } from './list';
import { ModePanel } from './mode';
import styles from './playbooks.module.css';
import { Preview } from './preview';
import { TABS } from './search';
import { WatchPanel } from './watch';
import { AtWork } from './work';

const Editor = later(() => import('./editor'));
const route = getRouteApi('/inside/playbooks');

export default function PlaybooksPage() {
  const t = useT();
  const { tab, edit, copy, try: tried } = route.useSearch();
  const navigate = route.useNavigate();
  if (edit !== undefined || copy !== undefined) {
    return (
      <div className={styles.page}>
        <PanelBoundary>
          <Suspense fallback={<Skeleton rows={8} />}>
            <Editor key={`${edit} ${copy}`} edit={edit} copy={copy} />
          </Suspense>
        </PanelBoundary>
      </div>
    );
  }
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.title}>{t('nav.playbooks')}</h1>
        <p className={styles.lead}>{t('playbooks.lead')}</p>
      </header>
      <ModePanel />
      <WatchPanel />
      <Tabs
        value={tab ?? 'list'}
        keepMounted={false}
        onChange={(next) =>
          void navigate({ search: (s) => ({ ...s, tab: next === 'work' ? next : undefined }) })
        }
      >
        <Tabs.List aria-label={t('playbooks.tabs')}>
          {TABS.map((x) => (
            <Tabs.Tab key={x} value={x}>
              {t(`playbooks.tab.${x}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="list" pt="md">
          <PlaybookList />
        </Tabs.Panel>
        <Tabs.Panel value="work" pt="md">
          <AtWork />
        </Tabs.Panel>
      </Tabs>
      {tried !== undefined && <Preview key={tried} id={tried} />}
    </div>
  );
}
