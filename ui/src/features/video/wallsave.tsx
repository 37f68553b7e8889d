import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useToast } from '../../ui/toast';
import { type Placed, type SavedWall, wallsQuery } from './walls';

/** Keeps what stands on the wall under a name. */
export function SaveWall({
  placed,
  from,
  saved,
  close,
}: {
  placed: readonly Placed[];
  from: SavedWall | undefined;
  saved: (w: SavedWall) => void;
  close: () => void;
}) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const [name, setName] = useState(from?.mine ? from.name : '');
  const [shared, setShared] = useState(from?.mine ? from.shared : false);
  const save = useMutation({
    mutationFn: () => ok(api.POST('/walls', { body: { name, shared, tiles: [...placed] } })),
    onSuccess: async (w) => {
      await queries.invalidateQueries({ queryKey: wallsQuery().queryKey });
      toast({ text: t('video.wall.saved', { name: w.name }), tone: 'good' });
      saved(w);
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (name.trim() !== '' && !save.isPending) save.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('video.wall.save')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={480}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('video.wall.name')}
          description={t('video.wall.name.hint')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          maxLength={64}
          required
          data-autofocus
        />
        <Checkbox
          label={t('video.wall.share.with')}
          description={t('video.wall.share.hint')}
          checked={shared}
          onChange={(e) => setShared(e.currentTarget.checked)}
        />
        <FormFault what={t('video.wall.failed')} error={save.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
            {t('video.wall.save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
