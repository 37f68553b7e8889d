import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { Detectors } from './detectors';
import { RuleList } from './list';
import styles from './rules.module.css';
import { Silences } from './silences';
import { TABS, type Tab } from './tabs';

const route = getRouteApi('/inside/rules');

/** What is looked for, what people look for beside it, and what nobody wants to hear of. */
export default function RulesPage() {
  const t = useT();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const rules = useAllowed('rules.read');
  const open = TABS.filter((x) => x === 'silences' || rules);
  const chosen: Tab = open.find((x) => x === tab) ?? open[0] ?? 'silences';
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.title}>{t('nav.rules')}</h1>
        <p className={styles.lead}>{t('rules.lead')}</p>
      </header>
      <Tabs
        value={chosen}
        keepMounted={false}
        onChange={(next) =>
          void navigate({ search: (s) => ({ ...s, tab: TABS.find((x) => x === next), edit: undefined }) })
        }
      >
        <Tabs.List>
          {open.map((x) => (
            <Tabs.Tab key={x} value={x}>
              {t(`rules.tab.${x}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="rules" pt="md">
          <RuleList />
        </Tabs.Panel>
        <Tabs.Panel value="detectors" pt="md">
          <Detectors />
        </Tabs.Panel>
        <Tabs.Panel value="silences" pt="md">
          <Silences />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
