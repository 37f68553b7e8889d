import { Kbd, Modal } from '@mantine/core';
import { type MessageKey, useT } from '../i18n/i18n';
import styles from './help.module.css';

const groups: { title: MessageKey; keys: [string, MessageKey][] }[] = [
  {
    title: 'help.everywhere',
    keys: [
      ['Ctrl K', 'help.search'],
      ['g o', 'help.overview'],
      ['g s', 'help.stations'],
      ['g ,', 'help.settings'],
      ['?', 'help.help'],
    ],
  },
  {
    title: 'help.lists',
    keys: [
      ['/', 'help.filter'],
      ['j', 'help.down'],
      ['k', 'help.up'],
      ['Enter', 'help.open'],
    ],
  },
  {
    title: 'help.wall',
    keys: [
      ['← ↑ ↓ →', 'help.arrows'],
      ['Home', 'help.home'],
      ['End', 'help.end'],
      ['Enter', 'help.open'],
    ],
  },
];

export default function Help({ close }: { close: () => void }) {
  const t = useT();
  return (
    <Modal
      opened
      onClose={close}
      title={t('help.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.groups}>
        {groups.map((g) => (
          <section key={g.title}>
            <h3 className={styles.title}>{t(g.title)}</h3>
            <dl className={styles.keys}>
              {g.keys.map(([keys, what]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map((k) => (
                      <Kbd key={k} size="xs">
                        {k}
                      </Kbd>
                    ))}
                  </dt>
                  <dd>{t(what)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
