import { Button, Modal, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../api/client';
import { meQuery } from '../api/queries';
import { useT } from '../i18n/i18n';
import { FormFault } from '../ui/form';
import form from '../ui/form.module.css';

export const MIN_PASSWORD = 10;

export default function ChangePassword({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const change = useMutation({
    mutationFn: () => ok(api.POST('/me/password', { body: { password, ...(current ? { current } : {}) } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: meQuery().queryKey }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    change.mutate();
  };
  const show = { 'aria-label': t('signin.show') };
  return (
    <Modal
      opened
      onClose={close}
      title={t('user.password')}
      size={480}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {change.isSuccess ? (
        <div className={form.form}>
          <p role="status">{t('user.passwordDone')}</p>
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <PasswordInput
            label={t('user.current')}
            description={t('user.currentHint')}
            value={current}
            onChange={(e) => setCurrent(e.currentTarget.value)}
            autoComplete="current-password"
            visibilityToggleButtonProps={show}
            data-autofocus
          />
          <PasswordInput
            label={t('signin.newPassword')}
            description={t('signin.rule', { n: MIN_PASSWORD })}
            value={password}
            onChange={(e) => setPassword(e.currentTarget.value)}
            autoComplete="new-password"
            visibilityToggleButtonProps={show}
            minLength={MIN_PASSWORD}
            required
          />
          <FormFault what={t('user.passwordFailed')} error={change.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={change.isPending} disabled={password.length < MIN_PASSWORD}>
              {t('user.password')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
