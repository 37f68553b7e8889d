import { Select } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { DAY } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { Effect, FormDialog, Once } from '../settings/dialog';
import styles from './evidence.module.css';
import type { Pack, PackLink } from './queries';

const lives = [1, 3, 7, 14, 30] as const;

/** Makes a link for somebody without an account; link and passcode are shown once. */
export function ShareDialog({
  pack,
  close,
  changed,
}: {
  pack: Pack;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [days, setDays] = useState('7');
  return (
    <FormDialog<PackLink>
      title={t('evidence.share')}
      close={close}
      send={() =>
        ok(
          api.POST('/evidence/{id}/links', {
            params: { path: { id: pack.id } },
            body: { expiresAt: new Date(Date.now() + Number(days) * DAY - 60_000).toISOString() },
          }),
        )
      }
      sent={changed}
      once={(made) => (
        <div className={styles.once}>
          <Once
            what={t('evidence.linkAddress')}
            value={`${window.location.origin}${made.url}`}
            note={t('evidence.linkSend')}
          />
          <Once what={t('evidence.passcode')} value={made.passcode ?? ''} note={t('evidence.passcodeTell')} />
        </div>
      )}
      action={t('evidence.makeLink')}
      failed={t('evidence.noLinkMade')}
      reauth
    >
      <Effect>{t('evidence.shareText')}</Effect>
      <Select
        label={t('evidence.linkLife')}
        data={lives.map((d) => ({
          value: String(d),
          label: d === 1 ? t('evidence.oneDay') : t('evidence.days', { n: d }),
        }))}
        value={days}
        onChange={(v) => v && setDays(v)}
        allowDeselect={false}
      />
    </FormDialog>
  );
}
