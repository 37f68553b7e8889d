import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { usersQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useFreshPassword } from '../../ui/reauth';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { AddButton } from './add';
import { grantOf, RoleAndSites, Roles, SitesOf } from './grants';
import styles from './settings.module.css';
export function Users() {
  const t = useT();
  const { data, error, refetch } = useQuery(usersQuery());
  const mayWrite = useAllowed('users.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.users')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('user.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.users')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : (
          <TableFrame label={t('settings.users')}>
            <thead>
              <tr>
                <th scope="col">{t('signin.name')}</th>
                <th scope="col">{t('user.role')}</th>
                <th scope="col">{t('settings.sites')}</th>
                <th scope="col">{t('user.created')}</th>
                <th scope="col">{t('user.seen')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((u) => (
                <tr key={u.id}>
                  <th scope="row">{u.name}</th>
                  <td>
                    <Roles grants={u.grants} />
                  </td>
                  <td className={table.prose}>
                    <SitesOf grants={u.grants} />
                  </td>
                  <td>
                    <Age at={u.createdAt} />
                  </td>
                  <td>
                    <Age at={u.seenAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddUser close={() => setAdding(false)} />}
    </>
  );
}

function AddUser({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('operator');
  const [sites, setSites] = useState<string[]>([]);
  const fresh = useFreshPassword();
  const add = useMutation({
    mutationFn: async () => {
      await fresh.ensure();
      return ok(api.POST('/users', { body: { name: name.trim(), grants: grantOf(role, sites) } }));
    },
    onError: fresh.notice,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['users'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  const link = add.data ? `${location.origin}/signin?token=${encodeURIComponent(add.data.signInToken)}` : '';
  return (
    <Modal
      opened
      onClose={close}
      title={t('user.add')}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {add.data ? (
        <div className={form.form}>
          <p className={styles.text}>{t('user.added', { name: add.data.name })}</p>
          {link && (
            <div>
              <p className={form.label}>{t('user.link')}</p>
              <CopyLine value={link} what={t('user.link')} />
              <p className="meta">{t('user.linkOnce')}</p>
            </div>
          )}
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('signin.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            required
            maxLength={120}
            data-autofocus
            autoComplete="off"
          />
          <RoleAndSites role={role} setRole={setRole} sites={sites} setSites={setSites} />
          {fresh.field}
          <FormFault what={t('user.failed')} error={add.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
              {t('user.add')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
