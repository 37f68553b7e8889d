import { Button, Modal, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Setting, StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import styles from './commands.module.css';
import { answerWord, isDone, outcomeText, useSend } from './send';
import { componentOf, nameOf, setCommand } from './settings';

/** Changes one setting and stays until the station has said what became of it. */
export function EditSetting({
  station,
  setting: s,
  close,
}: {
  station: StationDetail;
  setting: Setting;
  close: () => void;
}) {
  const t = useT();
  const [value, setValue] = useState(s.value ?? '');
  const send = useSend(station.id, '35s');
  const built = setCommand(station.protocol, s, value);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    send.mutate(built);
  };
  const answer = send.data;
  const reboot = answer?.status === 'answered' && answerWord(answer.response) === 'RebootRequired';
  return (
    <Modal
      opened
      onClose={close}
      title={t('settings2.changeOne', { name: nameOf(s) })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={componentOf(s) ? `${componentOf(s)} · ${nameOf(s)}` : nameOf(s)}
          description={s.value === null ? t('settings2.hiddenNow') : t('settings2.now', { value: s.value })}
          value={value}
          onChange={(e) => {
            setValue(e.currentTarget.value);
            send.reset();
          }}
          maxLength={station.protocol === 'ocpp1.6' ? 500 : 2500}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <div className={styles.effect}>
          <Icon name="right" size={16} />
          <span>{t('effect.setting')}</span>
        </div>
        {!station.online && <p className={styles.note}>{t('command.offlineNow')}</p>}
        <p className={`${styles.wire} mono`}>
          {built.action} {JSON.stringify(built.payload)}
        </p>
        <FormFault what={t('command.failed')} error={send.error} />
        {answer && (
          <p
            className={styles.outcome}
            data-status={isDone(answer) ? 'answered' : answer.status === 'answered' ? 'error' : answer.status}
            role="status"
          >
            <span className={styles.mark} aria-hidden="true" />
            {outcomeText(t, answer)}
          </p>
        )}
        {reboot && (
          <p className={styles.note}>
            {t('settings2.reboot')}{' '}
            <Link
              to="/stations/$id"
              params={{ id: station.id } as never}
              search={{ tab: 'commands', prepare: 'reset' } as never}
              onClick={close}
            >
              {t('command.reset')}
            </Link>
          </p>
        )}
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {answer && isDone(answer) ? t('action.done') : t('action.cancel')}
          </Button>
          <Button type="submit" loading={send.isPending} disabled={answer !== undefined && isDone(answer)}>
            {t('settings2.send')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
