import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { tokensQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useFreshPassword } from '../../ui/reauth';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { AddButton } from './add';
import { grantOf, RoleAndSites, Roles, SitesOf } from './grants';
export function Tokens() {
  const t = useT();
  const { data, error, refetch } = useQuery(tokensQuery());
  const mayWrite = useAllowed('tokens.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.tokens')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('token.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.tokens')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : data.length === 0 ? (
          <Empty title={t('token.none')}>{t('token.noneText')}</Empty>
        ) : (
          <TableFrame label={t('settings.tokens')}>
            <thead>
              <tr>
                <th scope="col">{t('signin.name')}</th>
                <th scope="col">{t('user.role')}</th>
                <th scope="col">{t('settings.sites')}</th>
                <th scope="col">{t('user.created')}</th>
                <th scope="col">{t('token.used')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((k) => (
                <tr key={k.id}>
                  <th scope="row">{k.name}</th>
                  <td>
                    <Roles grants={k.grants} />
                  </td>
                  <td className={table.prose}>
                    <SitesOf grants={k.grants} />
                  </td>
                  <td>
                    <Age at={k.createdAt} />
                  </td>
                  <td>
                    <Age at={k.usedAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddToken close={() => setAdding(false)} />}
    </>
  );
}

function AddToken({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('viewer');
  const [sites, setSites] = useState<string[]>([]);
  const fresh = useFreshPassword();
  const add = useMutation({
    mutationFn: async () => {
      await fresh.ensure();
      return ok(api.POST('/tokens', { body: { name: name.trim(), grants: grantOf(role, sites) } }));
    },
    onError: fresh.notice,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('token.add')}
      size={560}
      closeOnClickOutside={!add.data}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {add.data ? (
        <div className={form.form}>
          <div>
            <p className={form.label}>{t('token.value')}</p>
            <CopyLine value={add.data.token} what={t('token.value')} />
            <p className="meta">{t('token.once')}</p>
          </div>
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('signin.name')}
            description={t('token.nameHint')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            required
            maxLength={120}
            data-autofocus
            autoComplete="off"
          />
          <RoleAndSites role={role} setRole={setRole} sites={sites} setSites={setSites} />
          {fresh.field}
          <FormFault what={t('token.failed')} error={add.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
              {t('token.add')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
