// What people decide about the response: what has to be done by what an incident is
// about, whom to call, and who may end it.
import { Button, Select, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { CallForm } from './call-form';
import forms from './calls.module.css';
import { ProcedureForm } from './procedure-form';
import { callListQuery, classOf, closingQuery, type Procedure, proceduresQuery, roleOf } from './queries';
import styles from './response.module.css';

export default function Response() {
  return (
    <>
      <Procedures />
      <Calls />
      <Closing />
    </>
  );
}

function Procedures() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('rules.write');
  const { data: sites = [] } = useQuery(sitesQuery());
  const { data, error, refetch } = useQuery(proceduresQuery());
  const [editing, setEditing] = useState<{ of: Procedure; atSite: boolean } | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['procedures'] });
  const back = useMutation({
    mutationFn: (id: string) => ok(api.DELETE('/procedures/{id}', { params: { path: { id } } })),
    onSuccess: changed,
  });
  return (
    <Panel title={t('response.procedures')} flush={!!data}>
      {error && !data ? (
        <Failed what={t('response.procedures')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={8} />
      ) : (
        <TableFrame label={t('response.procedures')}>
          <thead>
            <tr>
              <th scope="col">{t('response.about')}</th>
              <th scope="col">{t('response.where')}</th>
              <th scope="col" className={table.end}>
                {t('response.steps')}
              </th>
              <th scope="col" className={table.end}>
                {t('response.requiredSteps')}
              </th>
              <th scope="col">{t('response.version')}</th>
              <th aria-label={t('response.acts')} />
            </tr>
          </thead>
          <tbody>
            {data.map((p) => {
              const name = t(`response.class.${classOf(p.class)}`);
              return (
                <tr key={p.id}>
                  <th scope="row">{name}</th>
                  <td>{p.siteId === '' ? t('response.everywhere') : p.siteName || p.siteId}</td>
                  <td className={`${table.end} num`}>{p.steps.length}</td>
                  <td className={`${table.end} num`}>{p.steps.filter((s) => s.required).length}</td>
                  <td>
                    {p.shipped ? (
                      <span className="meta">{t('response.asShipped')}</span>
                    ) : (
                      <>
                        <span className="num">{p.version}</span>{' '}
                        <span className="meta">
                          {p.changedBy} <Age at={p.changedAt} />
                        </span>
                      </>
                    )}
                  </td>
                  <td className={table.end}>
                    {mayWrite && (
                      <ActMenu
                        of={name}
                        acts={[
                          {
                            label: t('response.edit'),
                            icon: 'edit',
                            run: () => setEditing({ of: p, atSite: false }),
                          },
                          p.siteId === '' &&
                            sites.length > 0 && {
                              label: t('response.editForSite'),
                              icon: 'site',
                              run: () => setEditing({ of: p, atSite: true }),
                            },
                          !p.shipped && {
                            label: t('response.goBack'),
                            icon: 'undo',
                            run: () => back.mutate(p.id),
                          },
                        ]}
                      />
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </TableFrame>
      )}
      <FormFault what={t('response.notSaved')} error={back.error} />
      {data && <p className={`${styles.from} meta`}>{t('response.versions')}</p>}
      {editing && (
        <ProcedureForm {...editing} sites={sites} close={() => setEditing(null)} changed={changed} />
      )}
    </Panel>
  );
}

function Calls() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('sites.write');
  const scope = useScope();
  const { data: sites = [] } = useQuery(sitesQuery());
  const [chosen, setChosen] = useState<string | null>(null);
  const site = chosen ?? scope ?? sites[0]?.id ?? '';
  const { data, error, refetch } = useQuery({ ...callListQuery(site), enabled: site !== '' });
  const [editing, setEditing] = useState(false);
  return (
    <Panel
      title={t('response.calls')}
      flush={!!data && data.contacts.length > 0}
      aside={
        <div className={forms.pick}>
          <Select
            size="xs"
            aria-label={t('response.site')}
            data={sites.map((s) => ({ value: s.id, label: s.name }))}
            value={site || null}
            onChange={setChosen}
            allowDeselect={false}
            searchable={sites.length > 8}
          />
          {mayWrite && data && (
            <Button size="compact-sm" variant="default" onClick={() => setEditing(true)}>
              {t('response.editCalls')}
            </Button>
          )}
        </div>
      }
    >
      {site === '' ? (
        <p className="meta">{t('response.noSite')}</p>
      ) : error && !data ? (
        <Failed what={t('response.calls')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.contacts.length === 0 ? (
        <Empty title={t('response.nobody')}>{t('response.nobodyText')}</Empty>
      ) : (
        <TableFrame label={t('response.calls')}>
          <thead>
            <tr>
              <th scope="col">{t('response.role')}</th>
              <th scope="col">{t('response.name')}</th>
              <th scope="col">{t('response.phone')}</th>
              <th scope="col">{t('response.hours')}</th>
              <th scope="col">{t('response.contactNote')}</th>
            </tr>
          </thead>
          <tbody>
            {data.contacts.map((c) => (
              <tr key={c.id}>
                <td>{t(`response.role.${roleOf(c.role)}`)}</td>
                <th scope="row">{c.name}</th>
                <td>
                  <a href={`tel:${c.phone.replace(/[^+\d]/g, '')}`} className="num">
                    {c.phone}
                  </a>
                </td>
                <td>{c.hours}</td>
                <td className={table.prose}>{c.note}</td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {editing && data && (
        <CallForm
          site={site}
          list={data}
          close={() => setEditing(false)}
          changed={() => queries.invalidateQueries({ queryKey: callListQuery(site).queryKey })}
        />
      )}
    </Panel>
  );
}

function Closing() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('rules.write');
  const { data, error, refetch } = useQuery(closingQuery());
  const put = useMutation({
    mutationFn: (secondPerson: boolean) => ok(api.PUT('/incidents/closing', { body: { secondPerson } })),
    onSuccess: (answer) => queries.setQueryData(closingQuery().queryKey, answer),
  });
  return (
    <Panel title={t('response.closing')}>
      {error && !data ? (
        <Failed what={t('response.closing')} error={error} retry={() => void refetch()} />
      ) : (
        <Switch
          label={t('response.twoPeople')}
          description={t('response.twoPeopleText')}
          checked={data?.secondPerson ?? false}
          disabled={!mayWrite || !data || put.isPending}
          onChange={(e) => put.mutate(e.currentTarget.checked)}
        />
      )}
      <FormFault what={t('response.notSaved')} error={put.error} />
    </Panel>
  );
}
