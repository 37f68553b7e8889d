import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import styles from './access.module.css';
import { Check } from './check';
import { Lockdowns, OnAir } from './lockdowns';
import { People } from './people';
import { Policies } from './policies';
import { TABS, type Tab } from './search';

const route = getRouteApi('/inside/access');

/** Who there is, what they may do where and when, and why. */
export default function AccessPage() {
  const t = useT();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const policies = useAllowed('policies.read');
  const open = TABS.filter((x) => x === 'people' || policies);
  const chosen: Tab = open.find((x) => x === tab) ?? 'people';
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.title}>{t('nav.access')}</h1>
        <p className={styles.lead}>{t('access.lead')}</p>
      </header>
      {policies && <OnAir />}
      <Tabs
        value={chosen}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            search: (s) => ({ ...s, tab: TABS.find((x) => x === next), person: undefined }),
          })
        }
      >
        <Tabs.List>
          {open.map((x) => (
            <Tabs.Tab key={x} value={x}>
              {t(`access.tab.${x}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="people" pt="md">
          <People />
        </Tabs.Panel>
        <Tabs.Panel value="policies" pt="md">
          <Policies />
        </Tabs.Panel>
        <Tabs.Panel value="lockdowns" pt="md">
          <Lockdowns />
        </Tabs.Panel>
        <Tabs.Panel value="check" pt="md">
          <Check />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
