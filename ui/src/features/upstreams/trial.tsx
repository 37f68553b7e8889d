import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { added, type Upstream, why } from './upstream';
import styles from './upstreams.module.css';

/** Connects to a system as one of its stations would, and says what happened. */
export function TestDialog({ of, close }: { of: Upstream; close: () => void }) {
  const t = useT();
  const tag = useTag();
  const [station, setStation] = useState(of.stations[0] ?? '');
  const trial = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/upstreams/{id}/test', {
          params: { path: { id: of.id } },
          body: { station: station.trim() },
        }),
      ),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (station.trim() !== '') trial.mutate();
  };
  const found = trial.data;
  return (
    <Modal
      opened
      onClose={close}
      title={t('upstreams.testTitle', { name: of.name })}
      size={592}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('upstreams.testStation')}
          description={t(of.proof === 'station' ? 'upstreams.testHintStation' : 'upstreams.testHint')}
          value={station}
          onChange={(e) => setStation(e.currentTarget.value)}
          required
          maxLength={48}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
        />
        <div role="status">
          {found && (
            <p className={`${styles.outcome} ${found.ok ? styles.ok : styles.failed}`}>
              <Icon name={found.ok ? 'check' : 'warn'} size={16} />
              <span>
                {found.ok
                  ? t('upstreams.testOk', {
                      protocol: found.protocol || t('upstreams.noProtocol'),
                      ms: added(tag, found.tookSeconds),
                    })
                  : t('upstreams.testFailed', { why: why(t, found) })}
                {!found.ok && found.status === 401 && of.proof === 'station' && (
                  <span className={`meta ${styles.note}`}>{t('upstreams.test401')}</span>
                )}
              </span>
            </p>
          )}
        </div>
        <FormFault what={t('upstreams.testNot')} error={trial.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.close')}
          </Button>
          <Button type="submit" loading={trial.isPending} disabled={station.trim() === ''}>
            {t('upstreams.testRun')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
