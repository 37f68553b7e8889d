// The frame of the place "Analytics": its heading, its tabs, and the part that
// was opened. A print has the part alone.
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { Suspense } from 'react';
import { meQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import listPage from '../../ui/listpage.module.css';
import { Panel, PanelBoundary, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import styles from './shell.module.css';
import { type Tab, tabs } from './tabs';

export default function Analytics() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const { data: me } = useQuery(meQuery());
  const open = tabs.filter(({ permission }: Tab) => !permission || me?.permissions.includes(permission));
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <div className={styles.page}>
        <header className={styles.head}>
          <h1 className={listPage.title}>{t('nav.analytics')}</h1>
          {open.length > 1 && (
            <nav className={styles.tabs} aria-label={t('analytics.parts')}>
              {open.map(({ to, tab }) => (
                <Link
                  key={tab}
                  to={to}
                  activeOptions={{ exact: true, includeSearch: false }}
                  activeProps={{ 'aria-current': 'page' }}
                  className={styles.tab}
                >
                  {t(`analytics.tab.${tab}`)}
                </Link>
              ))}
            </nav>
          )}
        </header>
        <PanelBoundary>
          <Suspense
            fallback={
              <Panel>
                <Skeleton rows={8} />
              </Panel>
            }
          >
            <Outlet />
          </Suspense>
        </PanelBoundary>
      </div>
    </ZoneProvider>
  );
}
