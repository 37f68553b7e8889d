import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { ownZone } from '../../ui/zone';
import { place } from './facts';
import styles from './welcome.module.css';

export function SiteStep({ sites, done }: { sites: Site[]; done: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const allowed = useAllowed('sites.write');
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [position, setPosition] = useState('');
  const [zone, setZone] = useState<string | null>(ownZone());
  const at = place(position);
  const add = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/sites', {
          body: {
            name: name.trim(),
            address: address.trim(),
            ...(at ?? {}),
            ...(zone ? { timeZone: zone } : {}),
          },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['sites'] });
      done();
    },
  });
  if (!allowed) return <p className={styles.text}>{t('welcome.notAllowed')}</p>;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (at !== null) add.mutate();
  };
  return (
    <>
      {sites.length > 0 && (
        <p className={styles.text}>
          {t('welcome.sites', {
            names: sites
              .map((s) => s.name || s.id)
              .slice(0, 5)
              .join(', '),
          })}
        </p>
      )}
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('welcome.siteName')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          required
          maxLength={100}
          autoComplete="off"
        />
        <TextInput
          label={t('welcome.siteAddress')}
          value={address}
          onChange={(e) => setAddress(e.currentTarget.value)}
          maxLength={300}
          autoComplete="off"
        />
        <TextInput
          label={t('welcome.position')}
          description={t('welcome.positionHint')}
          value={position}
          onChange={(e) => setPosition(e.currentTarget.value)}
          error={at === null ? t('welcome.positionBad') : undefined}
          autoComplete="off"
        />
        <Select
          label={t('welcome.zone')}
          data={Intl.supportedValuesOf('timeZone')}
          value={zone}
          onChange={setZone}
          searchable
        />
        <FormFault what={t('welcome.siteFailed')} error={add.error} />
        <div className={form.actions}>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
            {t('welcome.addSite')}
          </Button>
        </div>
      </form>
    </>
  );
}
