import { Button, Modal, Select, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Failed, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { Outcome } from './outcome';
import { playbooksQuery, previewQuery } from './queries';
import { docText, nameText } from './words';

/**
 * Has a playbook done about an incident: first shown what each step would do
 * now and which guard-rail would refuse it.
 */
export function RunPlaybook({ incident, close }: { incident: string; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const { data, error, refetch } = useQuery(playbooksQuery());
  const [id, setId] = useState<string | null>(null);
  const [dryRun, setDryRun] = useState(false);
  const one = data?.find((p) => p.id === id);
  const { data: steps } = useQuery({ ...previewQuery(id ?? '', { incident }), enabled: id !== null });
  const start = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/incidents/{id}/remedy', {
          params: { path: { id: incident } },
          body: { playbook: id ?? '', dryRun },
        }),
      ),
    onSuccess: async () => {
      if (one) toast({ text: t('playbooks.run.started', { name: nameText(t, one) }), tone: 'good' });
      close();
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['remedies'] }),
        queries.invalidateQueries({ queryKey: ['incident', incident] }),
      ]);
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={t('playbooks.run')}
      size={592}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {!data ? (
        error ? (
          <Failed what={t('playbooks.part')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={3} />
        )
      ) : (
        <form
          className={form.form}
          onSubmit={(e) => {
            e.preventDefault();
            if (id !== null) start.mutate();
          }}
        >
          <Select
            label={t('playbooks.run.pick')}
            description={one ? docText(t, one) : undefined}
            data={data.map((p) => ({ value: p.id, label: nameText(t, p) }))}
            value={id}
            onChange={setId}
            searchable
            required
            data-autofocus
            nothingFoundMessage={t('playbooks.try.none')}
          />
          {one && <Outcome of={one} at={{ incident }} />}
          {steps?.[0]?.outcome === 'refused' && <p className="meta">{t('playbooks.run.refusedNote')}</p>}
          <Switch
            label={t('playbooks.run.dry')}
            checked={dryRun}
            onChange={(e) => setDryRun(e.currentTarget.checked)}
          />
          <FormFault what={t('playbooks.run.failed')} error={start.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" disabled={id === null} loading={start.isPending}>
              {t('playbooks.run')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
