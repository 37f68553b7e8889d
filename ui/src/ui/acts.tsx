import { ActionIcon, Menu } from '@mantine/core';
import { useT } from '../i18n/i18n';
import styles from './acts.module.css';
import { Icon, type IconName } from './icons';

export type Act = { label: string; icon: IconName; run: () => void; grave?: boolean };

/** What can be done about one thing of a list; nothing where nothing can. */
export function ActMenu({ of, acts }: { of: string; acts: (Act | false)[] }) {
  const t = useT();
  const some = acts.filter((a) => a !== false);
  if (some.length === 0) return null;
  return (
    <Menu position="bottom-end" width={240} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('list.menu', { of })}>
          <Icon name="more" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {some.map((a) => (
          <Menu.Item
            key={a.label}
            leftSection={<Icon name={a.icon} size={16} />}
            onClick={a.run}
            {...(a.grave ? { className: styles.grave } : {})}
          >
            {a.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
