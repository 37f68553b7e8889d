// What has to be done about the incident, step by step, and who did it when.
import { Button, Checkbox, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLocale, useT } from '../../i18n/i18n';
import type { Locale } from '../../i18n/locale';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import type { Detail } from '../incidents/shape';
import { useMe } from '../incidents/who';
import { whoText } from '../incidents/words';
import { classOf, type Step } from './queries';
import styles from './response.module.css';
import { useRespond } from './send';

/** What a step says in the language of the reader, else in the one it has. */
export const wording = (text: { en?: string; de?: string }, locale: Locale): string =>
  (locale === 'de' ? text.de || text.en : text.en || text.de) ?? '';

export function Procedure({ incident: i }: { incident: Detail }) {
  const t = useT();
  const may = useAllowed('incidents.act') && i.state !== 'closed';
  const list = i.checklist;
  if (!list) return null;
  const now = list.steps.filter((s) => !s.former);
  const settled = now.filter((s) => s.outcome !== 'open').length;
  const left = now.filter((s) => s.required && s.outcome === 'open').length;
  return (
    <Panel
      id="procedure"
      title={t('response.procedure', { what: t(`response.class.${classOf(list.class)}`) })}
      aside={
        <span className="meta num">
          {t('response.progress', { n: settled, all: now.length })}
          {left > 0 && `, ${t('response.left', { n: left })}`}
        </span>
      }
      flush
    >
      <ol className={styles.steps}>
        {list.steps.map((s) => (
          <One key={s.id} incident={i} step={s} may={may} />
        ))}
      </ol>
      <p className={`${styles.from} meta`}>
        {list.shipped
          ? t('response.shipped')
          : t(list.siteId ? 'response.ofSite' : 'response.ofHouse', { version: list.version })}
      </p>
    </Panel>
  );
}

function One({ incident: i, step, may }: { incident: Detail; step: Step; may: boolean }) {
  const t = useT();
  const { locale } = useLocale();
  const me = useMe();
  const respond = useRespond(i.id);
  const [writing, setWriting] = useState<'note' | 'skipped' | null>(null);
  const [text, setText] = useState('');
  const send = (outcome: 'done' | 'skipped' | 'open', note?: string) =>
    respond.mutate(
      {
        action: 'step',
        body: {
          step: step.id,
          outcome,
          ...(note ? (outcome === 'skipped' ? { reason: note } : { note }) : {}),
        },
      },
      {
        onSuccess: () => {
          setWriting(null);
          setText('');
        },
      },
    );
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (writing && text.trim()) send(writing === 'note' ? 'done' : 'skipped', text.trim());
  };
  const what = wording(step.text, locale);
  return (
    <li data-outcome={step.outcome} data-step={step.id}>
      <Checkbox
        checked={step.outcome === 'done'}
        indeterminate={step.outcome === 'skipped'}
        disabled={!may || respond.isPending}
        onChange={() => send(step.outcome === 'open' ? 'done' : 'open')}
        label={
          <>
            {what}
            {step.required && step.outcome === 'open' && (
              <span className={styles.required}>{t('response.required')}</span>
            )}
            {step.former && <span className="meta"> {t('response.former')}</span>}
          </>
        }
      />
      <div className={styles.told}>
        {step.outcome === 'skipped' && <span>{t('response.skipped')}</span>}
        {step.by && <span>{whoText(t, i, step.by, me)}</span>}
        {step.at && <Age at={step.at} />}
        {may && step.outcome === 'open' && writing === null && (
          <>
            <button
              type="button"
              className={styles.quiet}
              aria-label={t('response.doneWithNoteOf', { what })}
              onClick={() => setWriting('note')}
            >
              {t('response.doneWithNote')}
            </button>
            <button
              type="button"
              className={styles.quiet}
              aria-label={t('response.skipOf', { what })}
              onClick={() => setWriting('skipped')}
            >
              {t('response.skip')}
            </button>
          </>
        )}
      </div>
      {step.note && <p className={styles.note}>{step.note}</p>}
      {writing && (
        <form className={styles.why} onSubmit={submit}>
          <TextInput
            label={t(writing === 'note' ? 'response.note' : 'response.skipWhy')}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key !== 'Escape') return;
              e.stopPropagation();
              setWriting(null);
            }}
            maxLength={400}
            data-autofocus
            ref={(el) => el?.focus()}
          />
          <Button type="submit" disabled={!text.trim()} loading={respond.isPending}>
            {t(writing === 'note' ? 'response.doneSave' : 'response.skipSave')}
          </Button>
          <Button variant="default" onClick={() => setWriting(null)}>
            {t('action.cancel')}
          </Button>
        </form>
      )}
      <FormFault what={t('response.notTicked')} error={respond.error} />
    </li>
  );
}
