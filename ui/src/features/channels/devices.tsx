// The reader's own devices: this browser, and the others that show incidents.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useLocale, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import styles from './devices.module.css';
import { Blocked, deviceName, missing, NoService, subscribe, unsubscribe } from './push';
import { type Device, devicesQuery } from './queries';

/** Which device this browser is, so that it is found again in the list. */
const MINE = 'chargewatch.device';

export function Devices() {
  const may = useAllowed('incidents.act');
  return may ? <Own /> : null;
}

function Own() {
  const t = useT();
  const { locale } = useLocale();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(devicesQuery());
  const [mine, setMine] = useState(() => localStorage.getItem(MINE));
  const [lacks, setLacks] = useState(missing);
  const changed = () => queries.invalidateQueries({ queryKey: devicesQuery().queryKey });
  const enable = useMutation({
    mutationFn: async (key: string) => {
      const keys = await subscribe(key);
      return ok(
        api.POST('/me/devices', {
          body: { name: deviceName(navigator.userAgent), language: locale, ...keys },
        }),
      );
    },
    onSuccess: (d) => {
      localStorage.setItem(MINE, d.id);
      setMine(d.id);
      return changed();
    },
    onError: () => setLacks(missing()),
  });
  const here = data?.items.find((d) => d.id === mine && d.enabled);
  const said =
    enable.error instanceof NoService
      ? t('channels.devices.noService')
      : enable.error instanceof Blocked
        ? t('channels.devices.notAllowed')
        : null;
  return (
    <Panel title={t('channels.devices')}>
      <p className={styles.lead}>{t('channels.devices.text')}</p>
      {error && !data ? (
        <Failed what={t('channels.devices')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <>
          {lacks ? (
            <p className={styles.lacks} role="status">
              <Icon name="warn" size={16} /> {t(`channels.devices.lacks.${lacks}`)}
            </p>
          ) : (
            !here && (
              <Button loading={enable.isPending} onClick={() => enable.mutate(data.pushKey)}>
                {t('channels.devices.enable')}
              </Button>
            )
          )}
          {said ? (
            <p className={styles.lacks} role="alert">
              <Icon name="warn" size={16} /> {said}
            </p>
          ) : (
            <FormFault what={t('channels.devices.notEnabled')} error={enable.error} />
          )}
          {data.items.length > 0 && (
            <ul className={styles.list} aria-label={t('channels.devices')}>
              {data.items.map((d) => (
                <Row
                  key={d.id}
                  device={d}
                  mine={d.id === mine}
                  removed={async () => {
                    if (d.id === mine) {
                      await unsubscribe();
                      localStorage.removeItem(MINE);
                      setMine(null);
                    }
                    await changed();
                  }}
                />
              ))}
            </ul>
          )}
        </>
      )}
    </Panel>
  );
}

function Row({
  device: d,
  mine,
  removed,
}: {
  device: Device;
  mine: boolean;
  removed: () => Promise<unknown>;
}) {
  const t = useT();
  const toast = useToast();
  const params = { path: { id: d.id } };
  const test = useMutation({
    mutationFn: () => ok(api.POST('/me/devices/{id}/test', { params })),
    onSuccess: (r) =>
      toast(
        r.ok
          ? { text: t('channels.devices.sent'), tone: 'good' }
          : { text: t('channels.devices.notSent', { why: r.error }), tone: 'bad' },
      ),
    onError: (e) => toast({ text: t('channels.devices.notSent', { why: e.message }), tone: 'bad' }),
  });
  const remove = useMutation({
    mutationFn: () => ok(api.DELETE('/me/devices/{id}', { params })),
    onSuccess: removed,
    onError: (e) => toast({ text: t('channels.devices.notRemoved', { why: e.message }), tone: 'bad' }),
  });
  return (
    <li className={styles.row}>
      <div className={styles.what}>
        <p className={styles.name}>
          {d.name} {mine && <span className="meta">{t('channels.devices.here')}</span>}
        </p>
        <p className="meta">
          {!d.enabled
            ? t('channels.devices.off')
            : d.failure
              ? t('channels.devices.failing', { why: d.failure })
              : !d.routed
                ? t('channels.devices.unrouted')
                : t('channels.devices.on')}
          {d.okAt && !d.failure && (
            <>
              {' '}
              <Age at={d.okAt} />
            </>
          )}
        </p>
      </div>
      {d.enabled && (
        <Button
          variant="default"
          loading={test.isPending}
          onClick={() => test.mutate()}
          aria-label={t('channels.testOf', { name: d.name })}
        >
          {t('channels.test')}
        </Button>
      )}
      <Button
        variant="subtle"
        color="gray"
        loading={remove.isPending}
        onClick={() => remove.mutate()}
        aria-label={t('channels.devices.removeOf', { name: d.name })}
      >
        {t('channels.devices.remove')}
      </Button>
    </li>
  );
}
