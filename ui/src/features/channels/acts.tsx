import { ActionIcon, Menu } from '@mantine/core';
import { useT } from '../../i18n/i18n';
import { Icon, type IconName } from '../../ui/icons';
import styles from './channels.module.css';

export type Act = { label: string; icon: IconName; run: () => void; grave?: boolean };

/** What can be done about one thing of a list. */
export function ActMenu({ of, acts }: { of: string; acts: Act[] }) {
  const t = useT();
  return (
    <Menu position="bottom-end" width={220} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('channels.menu', { of })}>
          <Icon name="more" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.map((a) => (
          <Menu.Item
            key={a.label}
            leftSection={<Icon name={a.icon} size={16} />}
            onClick={a.run}
            {...(a.grave ? { className: styles.bad } : {})}
          >
            {a.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
