import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import styles from './settings.module.css';
import { Sites } from './sites';
import { Tokens } from './tokens';
import { Users } from './users';

const route = getRouteApi('/inside/settings');

export default function SettingsPage() {
  const t = useT();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const mayUsers = useAllowed('users.read');
  const mayTokens = useAllowed('tokens.read');
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t('nav.settings')}</h1>
      <Tabs
        value={tab ?? 'sites'}
        keepMounted={false}
        onChange={(v) => void navigate({ search: { tab: v === 'users' || v === 'tokens' ? v : undefined } })}
      >
        <Tabs.List>
          <Tabs.Tab value="sites">{t('settings.sites')}</Tabs.Tab>
          {mayUsers && <Tabs.Tab value="users">{t('settings.users')}</Tabs.Tab>}
          {mayTokens && <Tabs.Tab value="tokens">{t('settings.tokens')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="sites" className={styles.panel}>
          <Sites />
        </Tabs.Panel>
        <Tabs.Panel value="users" className={styles.panel}>
          <Users />
        </Tabs.Panel>
        <Tabs.Panel value="tokens" className={styles.panel}>
          <Tokens />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
