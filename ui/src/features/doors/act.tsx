import { NumberInput, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { type Door, doorName, kindOf } from './door';
import styles from './doors.module.css';
import { DOORS } from './feed';

export type Command = 'unlock' | 'lockdown' | 'release';

/** A door does something when somebody says why, and proves to be who is signed in. */
export function ActDialog({ command, of, close }: { command: Command; of: Door; close: () => void }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [seconds, setSeconds] = useState<number | string>('');
  const name = doorName(of);
  const kind = kindOf(of.kind);
  const path = { door: of.id };
  const why = reason.trim();
  const asks = command === 'unlock' && of.twoPerson;
  return (
    <FormDialog<Door>
      title={t(`doors.ask.${command}`, { name })}
      close={close}
      send={() =>
        ok(
          command === 'unlock'
            ? api.POST('/doors/{door}/unlock', {
                params: { path },
                body: { reason: why, seconds: Number(seconds) || 0 },
              })
            : command === 'lockdown'
              ? api.POST('/doors/{door}/lockdown', { params: { path }, body: { reason: why } })
              : api.POST('/doors/{door}/release', { params: { path }, body: { reason: why } }),
        )
      }
      sent={async () => {
        toast({ text: t(asks ? 'doors.done.asked' : `doors.done.${command}`, { name }) });
        await queries.invalidateQueries({ queryKey: DOORS });
      }}
      action={
        asks
          ? t('doors.second.ask')
          : command === 'unlock'
            ? t(`doors.unlock.${kind}`)
            : t(`doors.${command}`)
      }
      failed={t(`doors.failed.${command}`)}
      refusals={{
        409: t('doors.unable'),
        501: t('doors.undriven'),
        502: t('doors.unreachable'),
      }}
      grave={command === 'lockdown'}
      ready={why.length >= 3}
      reauth
    >
      {(error) => (
        <>
          <Effect>
            {t(asks ? 'doors.effect.asks' : `doors.effect.${command}`)}
            {of.state === 'lockdown' &&
              command === 'unlock' &&
              ` ${t(of.driver === 'uhppote' ? 'doors.effect.despite' : 'doors.effect.stays')}`}
          </Effect>
          <Textarea
            label={t('doors.reason')}
            description={t('doors.reasonHint')}
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
          {command === 'unlock' && (
            <NumberInput
              className={styles.seconds ?? ''}
              label={t('doors.seconds')}
              description={t('doors.secondsHint')}
              value={seconds}
              onChange={setSeconds}
              error={faultAt(error, 'seconds')}
              min={1}
              max={600}
              allowDecimal={false}
              placeholder={t('doors.secondsOwn')}
              suffix=" s"
              hideControls
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
