import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import type { Grant, User } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useFreshPassword } from '../../ui/reauth';
import styles from './welcome.module.css';

const roles = ['operator', 'technician', 'viewer', 'admin'] as const;

export function TeamStep({ people }: { people: User[] }) {
  const t = useT();
  const queries = useQueryClient();
  const fresh = useFreshPassword();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Grant['role']>('operator');
  const invite = useMutation({
    mutationFn: async () => {
      await fresh.ensure();
      return ok(api.POST('/users', { body: { name: name.trim(), grants: [{ role, sites: ['*'] }] } }));
    },
    onSuccess: async () => {
      setName('');
      await queries.invalidateQueries({ queryKey: ['users'] });
    },
    onError: fresh.notice,
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    invite.mutate();
  };
  const made = invite.data;
  return (
    <>
      {people.length > 1 && (
        <p className={styles.text}>
          {t('welcome.people', {
            names: people
              .map((p) => p.name)
              .slice(0, 8)
              .join(', '),
          })}
        </p>
      )}
      {made && (
        <div className={styles.link} role="status">
          <p>{t('welcome.invited', { name: made.name })}</p>
          <CopyLine
            value={`${location.origin}/signin?token=${made.signInToken}`}
            what={t('welcome.inviteLink')}
          />
        </div>
      )}
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('signin.name')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          required
          maxLength={64}
          autoComplete="off"
        />
        <Select
          label={t('welcome.role')}
          description={t('welcome.roleHint')}
          data={roles.map((r) => ({ value: r, label: t(`welcome.role.${r}` as MessageKey) }))}
          value={role}
          onChange={(v) => v && setRole(v as Grant['role'])}
          allowDeselect={false}
        />
        {fresh.field}
        <FormFault what={t('welcome.inviteFailed')} error={invite.error} />
        <div className={form.actions}>
          <Button type="submit" loading={invite.isPending} disabled={name.trim() === ''}>
            {t('welcome.invite')}
          </Button>
        </div>
      </form>
    </>
  );
}
