import { ActionIcon, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../api/queries';
import { type MessageKey, useLocale, useT } from '../i18n/i18n';
import { LOCALES, languageNames } from '../i18n/locale';
import { useSummary } from '../live/hooks';
import { Icon, type IconName } from '../ui/icons';
import styles from './shell.module.css';
import { useSignOut } from './signout';

export function SimulatedMark() {
  const t = useT();
  const { summary } = useSummary();
  const { data: me } = useQuery(meQuery());
  const simulated = summary?.stations.simulated ?? 0;
  if (!me?.demo && simulated === 0) return null;
  const whole = me?.demo || (summary && simulated === summary.stations.total);
  return (
    <Tooltip label={t('simulated.note')} multiline maw={280}>
      <span className={styles.simulated}>
        <span className={styles.wideOnly}>
          {whole ? t('simulated.network') : t('simulated.some', { n: simulated })}
        </span>
        <span className={styles.phoneOnly} aria-hidden="true">
          {t('simulated.mark')}
        </span>
      </span>
    </Tooltip>
  );
}

export function ThemeMenu() {
  const t = useT();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes = [
    ['auto', 'auto', 'theme.auto'],
    ['dark', 'moon', 'theme.dark'],
    ['light', 'sun', 'theme.light'],
  ] as const satisfies [string, IconName, MessageKey][];
  const now = schemes.find((s) => s[0] === colorScheme) ?? schemes[0];
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('theme.label')}
          title={t('theme.label')}
        >
          <Icon name={now[1]} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(([scheme, icon, key]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon name={icon} size={16} />}
            rightSection={scheme === colorScheme ? <Icon name="check" size={14} /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {t(key)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function LanguageMenu() {
  const t = useT();
  const { locale, setLocale } = useLocale();
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('language.now', { code: locale.toUpperCase() })}
          title={t('language.label')}
          className={styles.language}
        >
          {locale.toUpperCase()}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {LOCALES.map((l) => (
          <Menu.Item
            key={l}
            lang={l}
            rightSection={l === locale ? <Icon name="check" size={14} /> : null}
            onClick={() => setLocale(l)}
          >
            {languageNames[l]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function UserMenu({ changePassword }: { changePassword: () => void }) {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('user.menu')}
          title={t('user.menu')}
        >
          <Icon name="user" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <span className={styles.userName}>{me?.name}</span>
          <span className="meta">{me?.role}</span>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="key" size={16} />} onClick={changePassword}>
          {t('user.password')}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="signout" size={16} />} onClick={() => void signOut()}>
          {t('user.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
