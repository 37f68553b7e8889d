import { MultiSelect, Select, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import { companiesQuery, groupsQuery, type Person } from './queries';

/** Adds somebody, or changes who they are. */
export function PersonForm({
  of,
  close,
  saved,
}: {
  of?: Person;
  close: () => void;
  saved: (p: Person) => unknown;
}) {
  const t = useT();
  const { data: groups } = useQuery(groupsQuery());
  const { data: companies } = useQuery(companiesQuery());
  const [name, setName] = useState(of?.name ?? '');
  const [company, setCompany] = useState<string | null>(of?.company || null);
  const [of_, setGroups] = useState<string[]>(of?.groups ?? []);
  const [mail, setMail] = useState(of?.mail ?? '');
  const [phone, setPhone] = useState(of?.phone ?? '');
  const [until, setUntil] = useState(of?.until?.slice(0, 10) ?? '');
  const [note, setNote] = useState(of?.note ?? '');
  const body = {
    name: name.trim(),
    ...(company ? { company } : {}),
    groups: of_,
    mail: mail.trim(),
    phone: phone.trim(),
    note: note.trim(),
    suspended: of?.suspended ?? false,
    // The last day counts.
    ...(until ? { until: new Date(`${until}T23:59:59`).toISOString() } : {}),
  };
  return (
    <FormDialog
      title={of ? t('access.editPerson', { name: of.name }) : t('access.addPerson')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/people/{id}', { params: { path: { id: of.id } }, body }))
          : ok(api.POST('/people', { body }))
      }
      sent={saved}
      action={of ? t('access.save') : t('access.addPerson')}
      failed={t('access.notSaved')}
      ready={name.trim() !== ''}
    >
      {(error) => (
        <>
          <TextInput
            label={t('access.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={200}
            required
            data-autofocus
            autoComplete="off"
          />
          <div className={styles.pair}>
            <Select
              label={t('access.company')}
              placeholder={t('access.noCompany')}
              data={(companies ?? []).map((c) => ({ value: c.id ?? '', label: c.name }))}
              value={company}
              onChange={setCompany}
              error={faultAt(error, 'company')}
              searchable
              clearable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
            <TextInput
              type="date"
              label={t('access.until')}
              description={t('access.untilHint')}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              value={until}
              onChange={(e) => setUntil(e.currentTarget.value)}
              error={faultAt(error, 'until')}
            />
          </div>
          <MultiSelect
            label={t('access.groups')}
            placeholder={of_.length === 0 ? t('access.noGroups') : ''}
            data={(groups ?? []).map((g) => ({ value: g.id ?? '', label: g.name }))}
            value={of_}
            onChange={setGroups}
            searchable
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
          <div className={styles.pair}>
            <TextInput
              label={t('access.mail')}
              type="email"
              value={mail}
              onChange={(e) => setMail(e.currentTarget.value)}
              error={faultAt(error, 'mail')}
              maxLength={200}
              autoComplete="off"
            />
            <TextInput
              label={t('access.phone')}
              type="tel"
              value={phone}
              onChange={(e) => setPhone(e.currentTarget.value)}
              error={faultAt(error, 'phone')}
              maxLength={200}
              autoComplete="off"
            />
          </div>
          <Textarea
            label={t('access.note')}
            value={note}
            onChange={(e) => setNote(e.currentTarget.value)}
            error={faultAt(error, 'note')}
            maxLength={2000}
            autosize
            minRows={2}
            maxRows={6}
          />
        </>
      )}
    </FormDialog>
  );
}
