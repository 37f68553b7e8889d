import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './calls.module.css';
import { Lines, nextKey } from './lines';
import { type Contact, namesQuery, ROLES, type Role, roleOf } from './queries';

type Draft = Contact & { key: number };

const MOST = 30;
const PHONE = /^\+?[0-9][0-9 ()/.-]{1,28}$/;

/** Whom to call about a site, in order. */
export function CallForm({
  site,
  list,
  close,
  changed,
}: {
  site: string;
  list: components['schemas']['CallListShape'];
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const mayPeople = useAllowed('people.read');
  const { data: people = [] } = useQuery({ ...namesQuery(), enabled: mayPeople });
  const [rows, setRows] = useState<Draft[]>(() => list.contacts.map((c, key) => ({ ...c, key })));
  return (
    <FormDialog
      title={t('response.calls')}
      close={close}
      wide
      ready={rows.every((r) => r.name.trim() !== '' && PHONE.test(r.phone.trim()))}
      send={() =>
        ok(
          api.PUT('/sites/{site}/calls', {
            params: { path: { site } },
            body: { contacts: rows.map(({ key: _, ...c }) => ({ ...c, phone: c.phone.trim() })) },
          }),
        )
      }
      sent={changed}
      action={t('response.saveCalls')}
      failed={t('response.notSaved')}
    >
      {(error) => (
        <div className={styles.form}>
          <p className="meta">{t('response.callsText')}</p>
          <Lines rows={rows} change={setRows}>
            {(c, set, n) => (
              <div className={styles.contact}>
                <Select
                  label={t('response.role')}
                  data={ROLES.map((r) => ({ value: r as string, label: t(`response.role.${r}`) }))}
                  value={roleOf(c.role)}
                  onChange={(v) => set({ role: roleOf(v ?? '') as Role })}
                  allowDeselect={false}
                />
                <TextInput
                  label={t('response.name')}
                  value={c.name}
                  onChange={(e) => set({ name: e.currentTarget.value })}
                  maxLength={100}
                  error={faultAt(error, `contacts.${n - 1}.name`)}
                  required
                />
                <TextInput
                  label={t('response.phone')}
                  value={c.phone}
                  onChange={(e) => set({ phone: e.currentTarget.value })}
                  type="tel"
                  maxLength={30}
                  error={
                    (c.phone.trim() !== '' && !PHONE.test(c.phone.trim()) && t('response.noPhone')) ||
                    faultAt(error, `contacts.${n - 1}.phone`)
                  }
                  required
                />
                <TextInput
                  label={t('response.hours')}
                  value={c.hours ?? ''}
                  onChange={(e) => set({ hours: e.currentTarget.value })}
                  maxLength={100}
                />
                <TextInput
                  label={t('response.contactNote')}
                  value={c.note ?? ''}
                  onChange={(e) => set({ note: e.currentTarget.value })}
                  maxLength={300}
                />
                {mayPeople && (
                  <Select
                    label={t('response.person')}
                    description={t('response.personText')}
                    data={people}
                    value={c.personId || null}
                    onChange={(v) => set({ personId: v ?? '' })}
                    clearable
                    searchable
                  />
                )}
              </div>
            )}
          </Lines>
          {rows.length < MOST && (
            <Button
              variant="default"
              className={styles.add}
              leftSection={<Icon name="plus" size={14} />}
              onClick={() =>
                setRows((all) => [...all, { key: nextKey(all), role: 'guard', name: '', phone: '' }])
              }
            >
              {t('response.addContact')}
            </Button>
          )}
        </div>
      )}
    </FormDialog>
  );
}
