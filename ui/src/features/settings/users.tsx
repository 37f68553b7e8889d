import { Button, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { meQuery, usersQuery } from '../../api/queries';
import type { User } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog, faultAt, Once } from './dialog';
import { draftsOf, type GrantDraft, Grants, grantsSent, useRoleNames, useSitesOf } from './grants';
import { type Column, List } from './list';
import styles from './settings.module.css';

type Kind = 'edit' | 'reset' | 'disable' | 'enable' | 'delete';

export default function Users() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(usersQuery());
  const { data: me } = useQuery(meQuery());
  const mayWrite = useAllowed('users.write');
  const roles = useRoleNames();
  const sites = useSitesOf();
  const [adding, setAdding] = useState(false);
  const [open, setOpen] = useState<{ kind: Kind; user: User } | null>(null);
  const close = () => {
    setAdding(false);
    setOpen(null);
  };
  const changed = () => queries.invalidateQueries({ queryKey: ['users'] });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
      {t('user.add')}
    </Button>
  );
  const state = (u: User): ReactNode =>
    u.disabled ? (
      <span className={`${styles.mark} ${styles.weak}`}>
        <Icon name="close" size={14} />
        {t('user.disabled')}
      </span>
    ) : u.mustSetPassword ? (
      <span className={styles.off}>{t('user.invited')}</span>
    ) : u.sessions > 0 ? (
      t('user.signedIn', { n: u.sessions })
    ) : (
      <span className={styles.off}>{t('user.signedOut')}</span>
    );
  const columns: Column<User>[] = [
    {
      head: t('signin.name'),
      cell: (u) => (
        <>
          {u.name} {u.id === me?.id && <span className="meta">{t('user.you')}</span>}
        </>
      ),
      csv: (u) => u.name,
    },
    { head: t('user.role'), cell: (u) => roles(u.grants) || '–', csv: (u) => roles(u.grants) },
    {
      head: t('settings.sites'),
      prose: true,
      cell: (u) => sites(u.grants) || '–',
      csv: (u) => sites(u.grants),
    },
    { head: t('user.state'), cell: state, csv: (u) => (u.disabled ? t('user.disabled') : '') },
    { head: t('user.lastSignIn'), cell: (u) => <Age at={u.signedInAt} />, csv: (u) => u.signedInAt },
    { head: t('user.created'), cell: (u) => <Age at={u.createdAt} />, csv: (u) => u.createdAt },
  ];
  const path = { params: { path: { id: open?.user.id ?? '' } } };
  const able = (disabled: boolean) => ok(api.PATCH('/users/{id}', { ...path, body: { disabled } }));
  return (
    <>
      <List
        title={t('settings.users')}
        aside={add}
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(u) => u.id}
        finds={(u) => `${u.name} ${roles(u.grants)} ${sites(u.grants)}`}
        file="users"
        empty={<Empty title={t('user.none')} action={add} />}
        {...(mayWrite
          ? {
              menu: (u: User) => (
                <ActMenu
                  of={u.name}
                  acts={[
                    { label: t('user.edit'), icon: 'edit', run: () => setOpen({ kind: 'edit', user: u }) },
                    { label: t('user.reset'), icon: 'key', run: () => setOpen({ kind: 'reset', user: u }) },
                    u.disabled
                      ? {
                          label: t('user.enable'),
                          icon: 'check',
                          run: () => setOpen({ kind: 'enable', user: u }),
                        }
                      : {
                          label: t('user.disable'),
                          icon: 'close',
                          run: () => setOpen({ kind: 'disable', user: u }),
                        },
                    {
                      label: t('user.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'delete', user: u }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      {adding && <UserForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <UserForm user={open.user} close={close} changed={changed} />}
      {open?.kind === 'reset' && (
        <FormDialog
          title={t('user.resetTitle', { name: open.user.name })}
          close={close}
          send={() => ok(api.POST('/users/{id}/reset', path))}
          sent={changed}
          once={(u) => <SignInLink token={u.signInToken} />}
          action={t('user.reset')}
          failed={t('user.notChanged')}
          reauth
          grave
        >
          <Effect>{t('user.resetText', { n: open.user.sessions })}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'disable' && (
        <FormDialog
          title={t('user.disableTitle', { name: open.user.name })}
          close={close}
          send={() => able(true)}
          sent={changed}
          action={t('user.disable')}
          failed={t('user.notChanged')}
          refusals={{ 409: t('user.lastAdmin') }}
          reauth
          grave
        >
          <Effect>{t('user.disableText', { n: open.user.sessions })}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'enable' && (
        <FormDialog
          title={t('user.enableTitle', { name: open.user.name })}
          close={close}
          send={() => able(false)}
          sent={changed}
          action={t('user.enable')}
          failed={t('user.notChanged')}
          reauth
        >
          <Effect>{t('user.enableText')}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('user.deleteTitle', { name: open.user.name })}
          close={close}
          send={() => ok(api.DELETE('/users/{id}', path))}
          sent={changed}
          action={t('user.delete')}
          failed={t('user.notChanged')}
          refusals={{ 409: t('user.lastAdmin') }}
          reauth
          grave
        >
          <Effect>{t('user.deleteText', { n: open.user.sessions })}</Effect>
        </FormDialog>
      )}
    </>
  );
}

function SignInLink({ token }: { token: string }) {
  const t = useT();
  return (
    <Once
      what={t('user.link')}
      value={`${location.origin}/signin?token=${encodeURIComponent(token)}`}
      note={t('user.linkOnce')}
    />
  );
}

function UserForm({ user, close, changed }: { user?: User; close: () => void; changed: () => unknown }) {
  const t = useT();
  const [name, setName] = useState(user?.name ?? '');
  const [grants, setGrants] = useState<GrantDraft[]>(
    user && user.grants.length > 0 ? draftsOf(user.grants) : [{ role: 'operator', sites: [] }],
  );
  const body = { name: name.trim(), grants: grantsSent(grants) };
  return (
    <FormDialog<{ name: string; signInToken?: string }>
      title={user ? t('user.editTitle', { name: user.name }) : t('user.add')}
      close={close}
      send={() =>
        user
          ? ok(api.PATCH('/users/{id}', { params: { path: { id: user.id } }, body }))
          : ok(api.POST('/users', { body }))
      }
      sent={changed}
      once={(made) =>
        made.signInToken && (
          <>
            <Effect>{t('user.added', { name: made.name })}</Effect>
            <SignInLink token={made.signInToken} />
          </>
        )
      }
      action={user ? t('action.save') : t('user.add')}
      failed={user ? t('user.notChanged') : t('user.failed')}
      refusals={{ 409: user ? t('user.takenOrLast') : t('user.taken') }}
      ready={name.trim() !== ''}
      reauth
    >
      {(error) => (
        <>
          <TextInput
            label={t('signin.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            required
            maxLength={64}
            data-autofocus
            autoComplete="off"
          />
          <Grants grants={grants} change={setGrants} />
        </>
      )}
    </FormDialog>
  );
}
