import { Button, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import { ACCESS, companiesQuery, groupsQuery, type Named } from './queries';

type What = 'group' | 'company';

/** Groups and companies: what policies name instead of people one by one. */
export function Names() {
  return (
    <div className={styles.pair}>
      <List what="group" />
      <List what="company" />
    </div>
  );
}

function List({ what }: { what: What }) {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('people.write');
  const { data, error, refetch } = useQuery(what === 'group' ? groupsQuery() : companiesQuery());
  const [asked, setAsked] = useState<{ kind: 'save' | 'drop'; of?: Named } | null>(null);
  const close = () => setAsked(null);
  const changed = () => queries.invalidateQueries({ queryKey: ACCESS });
  const title = t(`access.list.${what}`);
  return (
    <Panel
      title={title}
      aside={
        mayWrite && (
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => setAsked({ kind: 'save' })}
          >
            {t(`access.add.${what}`)}
          </Button>
        )
      }
    >
      {error && !data ? (
        <Failed what={title} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.length === 0 ? (
        <p className="meta">{t(`access.none.${what}`)}</p>
      ) : (
        <ul className={styles.cards}>
          {data.map((x) => (
            <li key={x.id}>
              <span className={styles.grow}>{x.name}</span>
              {mayWrite && (
                <ActMenu
                  of={x.name}
                  acts={[
                    { label: t('access.rename'), icon: 'edit', run: () => setAsked({ kind: 'save', of: x }) },
                    {
                      label: t('access.remove'),
                      icon: 'trash',
                      grave: true,
                      run: () => setAsked({ kind: 'drop', of: x }),
                    },
                  ]}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {asked?.kind === 'save' && <NameForm what={what} of={asked.of} close={close} changed={changed} />}
      {asked?.kind === 'drop' && asked.of && (
        <FormDialog
          title={t('access.removeTitle', { name: asked.of.name })}
          close={close}
          send={() => {
            const path = { params: { path: { id: asked.of?.id ?? '' } } };
            return what === 'group'
              ? ok(api.DELETE('/access/groups/{id}', path))
              : ok(api.DELETE('/companies/{id}', path));
          }}
          sent={changed}
          action={t('access.remove')}
          failed={t('access.notRemoved')}
          grave
        >
          <Effect>{t('access.removeText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function NameForm({
  what,
  of,
  close,
  changed,
}: {
  what: What;
  of: Named | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const body = { name: name.trim() };
  const path = { params: { path: { id: of?.id ?? '' } } };
  return (
    <FormDialog
      title={of ? t('access.renameTitle', { name: of.name }) : t(`access.add.${what}`)}
      close={close}
      send={() =>
        what === 'group'
          ? of
            ? ok(api.PUT('/access/groups/{id}', { ...path, body }))
            : ok(api.POST('/access/groups', { body }))
          : of
            ? ok(api.PUT('/companies/{id}', { ...path, body }))
            : ok(api.POST('/companies', { body }))
      }
      sent={changed}
      action={t('access.save')}
      failed={t('access.notSaved')}
      ready={name.trim() !== ''}
    >
      {(error) => (
        <TextInput
          label={t('access.name')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          error={faultAt(error, 'name')}
          maxLength={100}
          required
          data-autofocus
          autoComplete="off"
        />
      )}
    </FormDialog>
  );
}
