import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { stationQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { build, type Draft, effectOf } from '../station/actions';
import { isDone, outcomeText, useSend } from '../station/send';
import styles from './maintenance.module.css';
import type { OrderDetail } from './queries';

const blank: Draft = {
  kind: 'reset',
  port: 0,
  resetNow: false,
  operative: true,
  trigger: 'StatusNotification',
  idToken: '',
  tokenType: 'ISO14443',
  transactionId: '',
  remoteStartId: 1,
  action: '',
  payload: '',
};

const works = ['restart', 'unlock', 'status', 'outOfService', 'inService'] as const;
type Work = (typeof works)[number];

const draftOf = (work: Work, port: number): Draft => {
  switch (work) {
    case 'restart':
      return { ...blank, kind: 'reset', resetNow: true };
    case 'unlock':
      return { ...blank, kind: 'unlock', port };
    case 'status':
      return { ...blank, kind: 'trigger', port };
    case 'outOfService':
      return { ...blank, kind: 'availability', operative: false, port };
    case 'inService':
      return { ...blank, kind: 'availability', operative: true, port };
  }
};

/** What whoever stands before the station may ask of it; what it means for drivers is said first. */
export function Commands({ order: o }: { order: OrderDetail }) {
  const t = useT();
  const { data: station } = useQuery(stationQuery(o.station));
  const send = useSend(o.station, '30s');
  const [asked, setAsked] = useState<Work | null>(null);
  if (!station) return null;
  const port = o.evse || (station.evses.length === 1 ? (station.evses[0]?.id ?? 0) : 0);
  const effect = asked && effectOf(draftOf(asked, port), station);
  const go = (work: Work) => {
    const built = build(draftOf(work, port), station.protocol);
    setAsked(null);
    if (built) send.mutate(built);
  };
  return (
    <section>
      <h3 className={styles.section}>{t('maintenance.commands')}</h3>
      <p className="meta">{t('maintenance.permit')}</p>
      <div className={styles.big}>
        {works
          .filter((w) => w !== 'unlock' || port > 0)
          .map((w) => (
            <Button
              key={w}
              size="md"
              variant="default"
              disabled={!station.online || send.isPending}
              onClick={() => (w === 'status' ? go(w) : setAsked(w))}
            >
              {t(`maintenance.work.${w}`)}
            </Button>
          ))}
      </div>
      {!station.online && <p className="meta">{t('maintenance.offline')}</p>}
      {asked && effect && (
        <div className={styles.finish} role="alertdialog" aria-label={t(`maintenance.work.${asked}`)}>
          <p>{t(effect.key, effect.values)}</p>
          <div className={styles.big}>
            <Button size="md" onClick={() => go(asked)}>
              {t(`maintenance.work.${asked}`)}
            </Button>
            <Button size="md" variant="default" onClick={() => setAsked(null)}>
              {t('maintenance.back')}
            </Button>
          </div>
        </div>
      )}
      <p role="status" className={send.data && !isDone(send.data) ? styles.bad : undefined}>
        {send.isPending ? t('maintenance.sending') : send.data ? outcomeText(t, send.data) : ''}
      </p>
      <FormFault what={t('maintenance.notDone')} error={send.error} />
    </section>
  );
}
