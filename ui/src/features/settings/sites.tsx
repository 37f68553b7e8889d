import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery } from '../../api/queries';
import { count, rated } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { AddButton } from './add';

export function Sites() {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(sitesQuery());
  const mayWrite = useAllowed('sites.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.sites')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('site.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.sites')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : data.length === 0 ? (
          <Empty title={t('site.noneYet')}>{t('site.noneText')}</Empty>
        ) : (
          <TableFrame label={t('settings.sites')}>
            <thead>
              <tr>
                <th scope="col">{t('site.name')}</th>
                <th scope="col">{t('site.address')}</th>
                <th scope="col">{t('site.zone')}</th>
                <th scope="col" className={table.end}>
                  {t('overview.free')}
                </th>
                <th scope="col" className={table.end}>
                  {t('family.faulted')}
                </th>
                <th scope="col" className={table.end}>
                  {t('family.offline')}
                </th>
                <th scope="col" className={table.end}>
                  {t('site.limit')}
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((s) => (
                <tr key={s.id}>
                  <th scope="row">
                    {s.name || s.id} <span className="meta mono">{s.id}</span>
                  </th>
                  <td>{s.address || '–'}</td>
                  <td>{s.timeZone || '–'}</td>
                  <td className={`${table.end} num`}>
                    {count(tag, s.ports.free)}{' '}
                    <span className="meta">{t('overview.of', { total: count(tag, s.ports.total) })}</span>
                  </td>
                  <td className={`${table.end} num`}>{count(tag, s.ports.faulted)}</td>
                  <td className={`${table.end} num`}>{count(tag, s.ports.offline)}</td>
                  <td className={`${table.end} num`}>
                    {s.gridLimitW ? `${rated(tag, s.gridLimitW)} kW` : '–'}
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddSite close={() => setAdding(false)} />}
    </>
  );
}

function AddSite({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [zone, setZone] = useState<string | null>(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const add = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/sites', {
          body: { name: name.trim(), address: address.trim(), ...(zone ? { timeZone: zone } : {}) },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['sites'] });
      close();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('site.add')}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('site.name')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          required
          maxLength={120}
          data-autofocus
        />
        <TextInput
          label={t('site.address')}
          value={address}
          onChange={(e) => setAddress(e.currentTarget.value)}
          maxLength={240}
        />
        <Select
          label={t('site.zone')}
          data={Intl.supportedValuesOf('timeZone')}
          value={zone}
          onChange={setZone}
          searchable
          limit={50}
        />
        <FormFault what={t('site.failed')} error={add.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
            {t('site.add')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
