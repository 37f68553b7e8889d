import { Button, Radio, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { left } from './incident';
import styles from './maintenance.module.css';
import { type OrderDetail, useStep } from './queries';

/** Closes an order: with a charge that proves it, by the reader's word, or without work. */
export function Finish({
  order: o,
  how,
  close,
}: {
  order: OrderDetail;
  how: 'done' | 'cancel';
  close: () => void;
}) {
  const t = useT();
  const step = useStep(o.id);
  const [proof, setProof] = useState(o.testCharges[0]?.sessionId ?? '');
  const [reason, setReason] = useState('');
  const charge = o.testCharges.find((c) => c.sessionId === proof);
  const leaves = left(o.incident);
  const needsReason = how === 'cancel' || !charge;
  const send = () =>
    step.mutate(
      how === 'cancel'
        ? { step: 'cancel', body: { reason: reason.trim() } }
        : charge
          ? { step: 'done', body: { proof: 'testCharge', sessionId: charge.sessionId } }
          : { step: 'done', body: { proof: 'override', reason: reason.trim() } },
      { onSuccess: close },
    );
  return (
    <section className={styles.finish} aria-label={t(`maintenance.finish.${how}`)}>
      <h3 className={styles.section}>{t(`maintenance.finish.${how}`)}</h3>
      {how === 'done' && (
        <>
          {o.testCharges.length === 0 && (
            <p>{o.station ? t('maintenance.noCharge') : t('maintenance.noPort')}</p>
          )}
          <Radio.Group value={charge ? proof : ''} onChange={setProof} aria-label={t('maintenance.proof')}>
            <div className={styles.proofs}>
              {o.testCharges.map((c) => (
                <Radio
                  key={c.sessionId}
                  value={c.sessionId}
                  label={
                    <>
                      {t('maintenance.charge', { kwh: c.energyWh / 1000, port: c.evse })}{' '}
                      <span className="meta">
                        <Age at={c.startedAt} />
                      </span>
                    </>
                  }
                />
              ))}
              {o.testCharges.length > 0 && <Radio value="" label={t('maintenance.override')} />}
            </div>
          </Radio.Group>
        </>
      )}
      {how === 'done' && leaves && <p className={styles.leaves}>{t(leaves)}</p>}
      {needsReason && (
        <Textarea
          label={how === 'cancel' ? t('maintenance.reason') : t('maintenance.overrideReason')}
          description={how === 'cancel' ? undefined : t('maintenance.overrideNote')}
          autosize
          minRows={2}
          maxLength={2000}
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
        />
      )}
      <FormFault what={t('maintenance.notDone')} error={step.error} />
      <div className={styles.big}>
        <Button
          size="md"
          loading={step.isPending}
          disabled={needsReason && reason.trim() === ''}
          onClick={send}
        >
          {how === 'cancel'
            ? t('maintenance.finish.cancel')
            : charge
              ? t('maintenance.closeProven')
              : t('maintenance.closeOverride')}
        </Button>
        <Button size="md" variant="default" onClick={close}>
          {t('maintenance.back')}
        </Button>
      </div>
    </section>
  );
}
