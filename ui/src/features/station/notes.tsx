import { ActionIcon, Button, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { notesQuery } from '../../api/queries';
import type { Note } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import styles from './notes.module.css';

const LONGEST = 2000;

/** What people who work here wrote down, newest first. */
export function Notes({ station }: { station: string }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const mayWrite = useAllowed('notes.write');
  const mayRemoveAny = useAllowed('stations.write');
  const { data, error, refetch } = useQuery(notesQuery(station));
  const [text, setText] = useState('');
  const again = () => queries.invalidateQueries({ queryKey: notesQuery(station).queryKey });
  const add = useMutation({
    mutationFn: (body: { text: string }) =>
      ok(api.POST('/stations/{station}/notes', { params: { path: { station } }, body })),
    onSuccess: again,
  });
  const remove = useMutation({
    mutationFn: (note: Note) =>
      ok(api.DELETE('/stations/{station}/notes/{id}', { params: { path: { station, id: note.id } } })),
    onSuccess: (_, note) => {
      void again();
      toast({
        text: t('notes.removed'),
        ...(note.mine ? { undo: () => add.mutate({ text: note.text }) } : {}),
      });
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) add.mutate({ text }, { onSuccess: () => setText('') });
  };
  return (
    <Panel title={t('tab.notes')} flush>
      {mayWrite && (
        <form className={styles.add} onSubmit={submit}>
          <Textarea
            label={t('notes.new')}
            description={t('notes.hint')}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            maxLength={LONGEST}
            autosize
            minRows={2}
            maxRows={12}
          />
          <FormFault what={t('notes.failed')} error={add.error} />
          <div className={form.actions}>
            <Button type="submit" disabled={!text.trim()} loading={add.isPending}>
              {t('notes.add')}
            </Button>
          </div>
        </form>
      )}
      <FormFault what={t('notes.stays')} error={remove.error} />
      {error && !data ? (
        <Failed what={t('tab.notes')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton />
      ) : data.length === 0 ? (
        <Empty title={t('notes.none')}>{t('notes.noneText')}</Empty>
      ) : (
        <ul className={styles.list}>
          {data.map((n) => (
            <li key={n.id}>
              <p className={styles.text}>{n.text}</p>
              <div className={styles.by}>
                <span className="meta">
                  {n.mine ? t('notes.you') : n.authorName || t('notes.somebody')} · <Age at={n.at} />
                </span>
                {mayWrite && (n.mine || mayRemoveAny) && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="sm"
                    aria-label={t('notes.remove')}
                    loading={remove.isPending && remove.variables?.id === n.id}
                    onClick={() => remove.mutate(n)}
                  >
                    <Icon name="close" size={14} />
                  </ActionIcon>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
