import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { meQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Empty, Panel, PanelBoundary, Skeleton } from '../../ui/panel';
import { groups, type Section } from './sections';
import styles from './settings.module.css';

const route = getRouteApi('/inside/settings');

export default function SettingsPage() {
  const t = useT();
  const { tab } = route.useSearch();
  const { data: me } = useQuery(meQuery());
  const [sought, setSought] = useState('');
  const may = (s: Section) => !s.needs || (me?.permissions.includes(s.needs) ?? false);
  const allowed = groups.flatMap((g) => g.sections).filter(may);
  const asked = tab && groups.flatMap((g) => g.sections).find((s) => s.tab === tab);
  const open = asked ?? allowed[0];
  const words = sought.trim().toLowerCase();
  const matches = (s: Section) => `${t(s.title)} ${t(s.finds)}`.toLowerCase().includes(words);
  const shown = groups
    .map((g) => ({ ...g, sections: g.sections.filter((s) => may(s) && matches(s)) }))
    .filter((g) => g.sections.length > 0);
  return (
    <div className={styles.page} data-open={tab !== undefined}>
      <nav className={styles.list} aria-label={t('nav.settings')}>
        <h1 className={styles.title}>{t('nav.settings')}</h1>
        <TextInput
          className={styles.search}
          aria-label={t('settings.search')}
          placeholder={t('settings.search')}
          leftSection={<Icon name="search" size={16} />}
          value={sought}
          onChange={(e) => setSought(e.currentTarget.value)}
          data-filter-field
        />
        {shown.map((g) => (
          <div key={g.title}>
            <h2 className={styles.group}>{t(g.title)}</h2>
            <ul className={styles.sections}>
              {g.sections.map((s) => (
                <li key={s.tab}>
                  <Link
                    from="/settings"
                    search={{ tab: s.tab, q: undefined }}
                    className={styles.section}
                    aria-current={s === open ? 'page' : undefined}
                  >
                    <Icon name={s.icon} size={18} />
                    {t(s.title)}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
        {shown.length === 0 && <p className="meta">{t('search.nothing', { query: sought })}</p>}
      </nav>
      <div className={styles.part}>
        <Link from="/settings" search={{ tab: undefined, q: undefined }} className={styles.back}>
          <Icon name="left" size={16} />
          {t('nav.settings')}
        </Link>
        {open && may(open) ? (
          <PanelBoundary key={open.tab}>
            <Suspense fallback={<Skeleton rows={6} />}>
              <open.part />
            </Suspense>
          </PanelBoundary>
        ) : (
          me && (
            <Panel>
              <Empty title={t('failed.forbidden')}>{t('settings.forbidden')}</Empty>
            </Panel>
          )
        )}
      </div>
    </div>
  );
}
