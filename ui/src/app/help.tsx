import { Kbd, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../api/queries';
import { type MessageKey, useT } from '../i18n/i18n';
import styles from './help.module.css';
import { placesFor } from './places';

type Row = [keys: string, what: MessageKey];

const everywhere: Row[] = [
  ['Ctrl K', 'help.search'],
  ['?', 'help.help'],
  ['/', 'help.filter'],
  ['Ctrl Z', 'help.undo'],
];

const others: { title: MessageKey; keys: Row[] }[] = [
  {
    title: 'help.lists',
    keys: [
      ['j', 'help.down'],
      ['k', 'help.up'],
      ['Enter', 'help.open'],
      ['x', 'help.pick'],
      ['Shift x', 'help.pickTo'],
    ],
  },
  {
    title: 'nav.incidents',
    keys: [
      ['a', 'help.acknowledge'],
      ['c', 'help.claim'],
      ['s', 'help.snooze'],
      ['e', 'help.escalate'],
      ['n', 'help.note'],
      ['d', 'help.dispatch'],
      ['v', 'help.verdict'],
      ['l', 'help.light'],
      ['t', 'help.talk'],
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
  const { data: me } = useQuery(meQuery());
  return (
    <Modal
      opened
      onClose={close}
      title={t('help.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.groups}>
        <Group title={t('help.everywhere')} rows={everywhere.map(([keys, what]) => [keys, t(what)])} />
        <Group
          title={t('help.go')}
          rows={placesFor(me?.permissions).flatMap((p) =>
            p.keys ? [[p.keys, t(p.key)] as [string, string]] : [],
          )}
        />
        {others.map((g) => (
          <Group key={g.title} title={t(g.title)} rows={g.keys.map(([keys, what]) => [keys, t(what)])} />
        ))}
      </div>
    </Modal>
  );
}

function Group({ title, rows }: { title: string; rows: [keys: string, what: string][] }) {
  return (
    <section>
      <h3 className={styles.title}>{title}</h3>
      <dl className={styles.keys}>
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((k) => (
                <Kbd key={k} size="xs">
                  {k}
                </Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
