import { Button, Modal, PasswordInput, Radio, Select, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useSites } from '../../ui/sites';
import { StationAddress } from './address';

type Auth = 'generate' | 'password' | 'none';

/** Makes a station known before it connects. A generated password is shown once and kept nowhere readable. */
export function Enrol({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const sites = useSites();
  const [id, setId] = useState('');
  const [site, setSite] = useState<string | null>(null);
  const [auth, setAuth] = useState<Auth>('generate');
  const [password, setPassword] = useState('');
  const enrol = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/stations', {
          body: {
            id: id.trim(),
            ...(site ? { siteId: site } : {}),
            auth:
              auth === 'generate'
                ? { profile: 1, generate: true }
                : auth === 'password'
                  ? { profile: 1, password }
                  : { profile: 0 },
          },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['stations'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enrol.mutate();
  };
  const done = enrol.data;
  return (
    <Modal
      opened
      onClose={close}
      title={done ? t('enrol.done', { id: done.id }) : t('enrol.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      closeOnClickOutside={!done}
      size={560}
    >
      {done ? (
        <div className={form.form}>
          <div>
            <p className={form.label}>{t('first.address')}</p>
            <StationAddress identity={done.id} />
          </div>
          {done.auth?.password && (
            <div>
              <p className={form.label}>{t('enrol.password')}</p>
              <CopyLine value={done.auth.password} what={t('enrol.password')} />
              <p className="meta">{t('enrol.once')}</p>
            </div>
          )}
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('enrol.id')}
            description={t('enrol.idHint')}
            value={id}
            onChange={(e) => setId(e.currentTarget.value)}
            required
            maxLength={48}
            data-autofocus
            autoComplete="off"
          />
          <Select
            label={t('filter.site')}
            placeholder={t('site.none')}
            data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={setSite}
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
          <Radio.Group label={t('enrol.auth')} value={auth} onChange={(v) => setAuth(v as Auth)}>
            <div className={form.options}>
              <Radio value="generate" label={t('enrol.generate')} />
              <Radio value="password" label={t('enrol.own')} />
              <Radio value="none" label={t('enrol.none')} />
            </div>
          </Radio.Group>
          {auth === 'password' && (
            <PasswordInput
              label={t('enrol.password')}
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              required
              minLength={16}
              maxLength={40}
              description={t('enrol.passwordHint')}
              autoComplete="new-password"
            />
          )}
          <FormFault what={t('enrol.failed')} error={enrol.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={enrol.isPending} disabled={id.trim() === ''}>
              {t('enrol.submit')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
