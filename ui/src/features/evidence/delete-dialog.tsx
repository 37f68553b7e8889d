import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { going, type Pack } from './queries';

/** Ends a pack, with a reason. */
export function DeleteDialog({
  pack: p,
  close,
  changed,
}: {
  pack: Pack;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const [reason, setReason] = useState('');
  const open = p.links.filter((l) => l.open).length;
  const act = t(going(p) ? 'evidence.cancel' : 'evidence.delete');
  return (
    <FormDialog
      title={act}
      close={close}
      send={() =>
        ok(
          api.POST('/evidence/{id}/delete', {
            params: { path: { id: p.id } },
            body: { reason: reason.trim() },
          }),
        )
      }
      sent={changed}
      action={act}
      failed={t('evidence.notDeleted')}
      ready={reason.trim().length >= 3}
      reauth
      grave
    >
      {(error) => (
        <>
          <Effect>
            {t(p.held > 0 ? 'evidence.deleteText' : 'evidence.deleteCopy')}{' '}
            {open > 0 && t('evidence.deleteLinks', { n: count(tag, open) })}
          </Effect>
          <Textarea
            label={t('evidence.reason')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason')}
            minLength={3}
            maxLength={500}
            autosize
            minRows={2}
            required
            data-autofocus
          />
        </>
      )}
    </FormDialog>
  );
}
