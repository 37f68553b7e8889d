import { Radio, SegmentedControl, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useT, useTag } from '../../i18n/i18n';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { clockText, kindOf, lengths, type Output, outputName, usual } from './output';
import styles from './outputs.module.css';
import { sendSwitch, useTaken } from './switch';

/** Before something is heard by everybody around: for how long, what it says, and why. */
export function AskDialog({
  of: o,
  incident,
  close,
}: {
  of: Output;
  incident: string | undefined;
  close: () => void;
}) {
  const t = useT();
  const tag = useTag();
  const kind = kindOf(o.kind);
  const { taken, again } = useTaken();
  const [seconds, setSeconds] = useState(usual(kind, o.longestSeconds));
  const [reason, setReason] = useState('');
  const language = tag.startsWith('de') ? 'de' : 'en';
  const phrases = [...o.announcements].sort(
    (a, b) => Number(b.language === language) - Number(a.language === language),
  );
  const [said, setSaid] = useState(phrases[0] ? `${phrases[0].key} ${phrases[0].language}` : '');
  const phrase = phrases.find((p) => `${p.key} ${p.language}` === said);
  const why = reason.trim();
  const name = outputName(o);
  return (
    <FormDialog<Output>
      title={t(`outputs.ask.${kind}`, { name })}
      close={close}
      send={() =>
        sendSwitch(o.id, incident, {
          on: true,
          seconds,
          ...(why ? { reason: why } : {}),
          ...(phrase ? { announcement: phrase.key, language: phrase.language } : {}),
        }).catch((e: unknown) => {
          void again();
          throw e;
        })
      }
      sent={taken}
      action={t(o.twoPerson ? 'outputs.askSecond' : `outputs.on.${kind}`)}
      failed={t(`outputs.failed.${kind}`)}
      refusals={{ 502: t('outputs.failure.unreachable'), 504: t('outputs.failure.noAnswer') }}
      grave={kind === 'siren' && !o.twoPerson}
      ready={incident !== undefined || why.length >= 3}
    >
      {(error) => (
        <>
          <Effect>
            {t(`outputs.effect.${kind}`, { time: clockText(seconds * 1000) })}
            {o.twoPerson && ` ${t('outputs.effect.second')}`}
          </Effect>
          {kind === 'speaker' && (
            <Radio.Group
              label={t('outputs.says')}
              description={t('outputs.noVoice')}
              value={said}
              onChange={setSaid}
            >
              <div className={styles.phrases}>
                {phrases.map((p, k) => (
                  <Radio
                    key={`${p.key} ${p.language}`}
                    value={`${p.key} ${p.language}`}
                    label={<span lang={p.language}>{p.text}</span>}
                    {...(k === 0 ? { 'data-autofocus': true } : {})}
                  />
                ))}
              </div>
            </Radio.Group>
          )}
          {kind !== 'speaker' && (
            <div>
              <p className={styles.label} id="outputs-for">
                {t('outputs.for')}
              </p>
              <SegmentedControl
                aria-labelledby="outputs-for"
                fullWidth
                value={String(seconds)}
                onChange={(v) => setSeconds(Number(v))}
                data={lengths(kind, o.longestSeconds).map((s) => ({
                  value: String(s),
                  label: clockText(s * 1000),
                }))}
              />
            </div>
          )}
          <Textarea
            label={t(incident === undefined ? 'outputs.reason' : 'outputs.reasonMore')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason')}
            maxLength={500}
            autosize
            minRows={1}
            required={incident === undefined}
            {...(kind !== 'speaker' && incident === undefined ? { 'data-autofocus': true } : {})}
          />
        </>
      )}
    </FormDialog>
  );
}
