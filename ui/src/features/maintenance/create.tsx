import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../api/problem';
import { stationsQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { useAllowed } from '../../ui/me';
import { Failed, Skeleton } from '../../ui/panel';
import { severityKey } from '../incidents/severity';
import { Due } from './due';
import styles from './maintenance.module.css';
import { assigneesQuery, sourceQuery, useCreate } from './queries';

type Severity = 'S1' | 'S2' | 'S3' | 'S4';
const severities: Severity[] = ['S1', 'S2', 'S3', 'S4'];
/** Typing searches all stations; so many fit a list. */
const MOST = 50;

/** Opens an order; of an incident it takes what the incident says. */
export function Create({
  incident,
  station,
  close,
}: {
  incident: string | undefined;
  station: string | undefined;
  close: (order?: string) => void;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery({
    ...sourceQuery(incident ?? ''),
    enabled: incident !== undefined,
  });
  return (
    <Modal
      opened
      onClose={() => close()}
      size={560}
      title={t('maintenance.create')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {incident !== undefined && error ? (
        <Failed what={t('maintenance.incident')} error={error} retry={() => void refetch()} />
      ) : incident !== undefined && !data ? (
        <Skeleton rows={5} />
      ) : (
        <Form
          incident={incident}
          source={
            data && {
              title: data.title,
              severity: data.severity as Severity,
              place: [data.siteName, data.stationLabel || data.station].filter(Boolean).join(' · '),
              site: data.siteId,
              dueAt: data.slaRepairDueAt ?? data.dueAt ?? null,
            }
          }
          station={station}
          close={close}
        />
      )}
    </Modal>
  );
}

function Form({
  incident,
  source,
  station: at,
  close,
}: {
  incident: string | undefined;
  source:
    | { title: string; severity: Severity; place: string; site: string; dueAt: string | null }
    | undefined;
  station: string | undefined;
  close: (order?: string) => void;
}) {
  const t = useT();
  const tag = useTag();
  const scope = useScope();
  const assigns = useAllowed('workorders.assign');
  const [title, setTitle] = useState(source?.title ?? '');
  const [description, setDescription] = useState('');
  const [severity, setSeverity] = useState<Severity>(source?.severity ?? 'S3');
  const [station, setStation] = useState<string | null>(at ?? null);
  const [assignee, setAssignee] = useState<string | null>(null);
  const { data: stations } = useQuery({ ...stationsQuery(), enabled: incident === undefined });
  const here = stations?.filter((s) => scope === undefined || s.siteId === scope) ?? [];
  const site = source?.site ?? stations?.find((s) => s.id === station)?.siteId ?? scope ?? '';
  const { data: people } = useQuery({ ...assigneesQuery(site), enabled: assigns });
  const create = useCreate();
  const taken =
    create.error instanceof Problem && create.error.status === 409
      ? String((create.error.faults[0] as { value?: unknown } | undefined)?.value ?? '')
      : '';
  const submit = (e: FormEvent) => {
    e.preventDefault();
    create.mutate(
      {
        title: title.trim(),
        description: description.trim() || undefined,
        severity,
        assignee: assignee ?? undefined,
        language: tag.startsWith('de') ? 'de' : 'en',
        ...(incident !== undefined ? { incidentId: incident } : { station: station ?? undefined }),
      },
      { onSuccess: (o) => close(o.id) },
    );
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      {source ? (
        <p className={styles.orderMeta}>
          <span>{source.place}</span>
          <Due at={source.dueAt} />
        </p>
      ) : (
        <Select
          label={t('maintenance.station')}
          placeholder={t('maintenance.stationFind')}
          searchable
          required
          limit={MOST}
          nothingFoundMessage={t('maintenance.noStation')}
          data={here.map((s) => ({
            value: s.id,
            label: s.label && s.label !== s.id ? `${s.label} (${s.id})` : s.id,
          }))}
          value={station}
          onChange={setStation}
        />
      )}
      <TextInput
        label={t('maintenance.title')}
        required
        maxLength={200}
        value={title}
        onChange={(e) => setTitle(e.currentTarget.value)}
      />
      <Select
        label={t('maintenance.severity')}
        allowDeselect={false}
        data={severities.map((s) => ({ value: s, label: `${s} ${t(severityKey(s))}` }))}
        value={severity}
        onChange={(v) => v && setSeverity(v as Severity)}
      />
      {assigns && (
        <Select
          label={t('maintenance.assignee')}
          placeholder={t('maintenance.nobody')}
          clearable
          clearButtonProps={{ 'aria-label': t('maintenance.unassign') }}
          searchable
          data={(people?.items ?? []).map((p) => ({ value: p.id, label: p.name }))}
          value={assignee}
          onChange={setAssignee}
        />
      )}
      <Textarea
        label={t('maintenance.description')}
        autosize
        minRows={2}
        maxLength={4000}
        value={description}
        onChange={(e) => setDescription(e.currentTarget.value)}
      />
      {incident !== undefined && <p className="meta">{t('maintenance.takes')}</p>}
      <FormFault what={t('maintenance.notCreated')} error={create.error} />
      <div className={styles.big}>
        <Button
          type="submit"
          size="md"
          loading={create.isPending}
          disabled={title.trim() === '' || (incident === undefined && station === null)}
        >
          {t('maintenance.create')}
        </Button>
        {taken && (
          <Button size="md" variant="default" onClick={() => close(taken)}>
            {t('maintenance.openOther')}
          </Button>
        )}
      </div>
    </form>
  );
}
