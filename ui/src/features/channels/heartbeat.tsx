import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { faultUnder } from './fields';
import { type Heartbeat as Beat, heartbeatQuery } from './queries';
import styles from './routing.module.css';

/** Tells somebody outside that we are alive, so that our own silence is heard. */
export function Heartbeat() {
  const t = useT();
  const { data, error, refetch } = useQuery(heartbeatQuery());
  return (
    <Panel title={t('channels.heartbeat')}>
      <p className={styles.lead}>{t('channels.heartbeatText')}</p>
      {error && !data ? (
        <Failed what={t('channels.heartbeat')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <Form key={`${data.enabled}${data.host}${data.method}${data.everySeconds}`} beat={data} />
      )}
    </Panel>
  );
}

function State({ beat }: { beat: Beat }) {
  const t = useT();
  if (!beat.enabled)
    return (
      <p className={styles.state}>
        <StateShape family="unavailable" size={14} />
        {t('channels.heartbeatOff')}
      </p>
    );
  if (beat.failure)
    return (
      <p className={`${styles.state} ${styles.bad}`} role="status">
        <StateShape family="faulted" size={14} />
        {t('channels.heartbeatFails', { why: beat.failure })}
      </p>
    );
  return (
    <p className={styles.state}>
      {beat.okAt ? <Icon name="check" size={16} /> : <StateShape family="unknown" size={14} />}
      {beat.okAt ? (
        <span>
          {t('channels.heartbeatOk', { host: beat.host })} <Age at={beat.okAt} />
        </span>
      ) : (
        t('channels.heartbeatNotYet')
      )}
    </p>
  );
}

function Form({ beat }: { beat: Beat }) {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('channels.write');
  const [enabled, setEnabled] = useState(beat.enabled);
  const [url, setUrl] = useState('');
  const [method, setMethod] = useState<Beat['method']>(beat.method || 'POST');
  const [every, setEvery] = useState<number | string>(beat.everySeconds || 60);
  const put = useMutation({
    mutationFn: () =>
      ok(
        api.PUT('/heartbeat', {
          body: {
            enabled,
            method,
            everySeconds: Number(every) || 60,
            ...(url.trim() === '' ? {} : { url: url.trim() }),
          },
        }),
      ),
    onSuccess: (now) => queries.setQueryData(heartbeatQuery().queryKey, now),
  });
  const error = put.error instanceof Problem ? put.error : null;
  return (
    <form
      className={styles.small}
      onSubmit={(e) => {
        e.preventDefault();
        put.mutate();
      }}
    >
      <State beat={beat} />
      {mayWrite && (
        <>
          <Switch
            label={t('channels.heartbeatEnabled')}
            checked={enabled}
            onChange={(e) => setEnabled(e.currentTarget.checked)}
          />
          <TextInput
            label={t('channels.field.url')}
            description={
              beat.host ? t('channels.heartbeatSet', { host: beat.host }) : t('channels.heartbeatUrlHint')
            }
            value={url}
            onChange={(e) => setUrl(e.currentTarget.value)}
            error={faultUnder(error, 'url')}
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
          />
          <div className={styles.pair}>
            <NumberInput
              label={t('channels.heartbeatEvery')}
              suffix=" s"
              value={every}
              onChange={setEvery}
              min={10}
              max={86400}
              allowDecimal={false}
              error={faultUnder(error, 'everySeconds')}
            />
            <Select
              label={t('channels.heartbeatMethod')}
              data={['POST', 'GET']}
              value={method}
              onChange={(v) => v && setMethod(v as Beat['method'])}
              allowDeselect={false}
            />
          </div>
          <FormFault what={t('channels.heartbeatNotSaved')} error={put.error} />
          <div>
            <Button
              type="submit"
              loading={put.isPending}
              disabled={enabled && !beat.host && url.trim() === ''}
            >
              {t('channels.heartbeatSave')}
            </Button>
          </div>
        </>
      )}
    </form>
  );
}
