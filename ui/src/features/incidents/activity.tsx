import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import type { IncidentLog } from '../../api/shapes';
import { type MessageKey, type Translate, useLocale, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Panel } from '../../ui/panel';
import { responseText } from '../response/log';
import styles from './activity.module.css';
import { useActor } from './actor';
import { incidentQuery } from './queries';
import { type Detail, wholeDetail } from './shape';
import { useMe } from './who';
import { whoText } from './words';

const FEW = 12;

const CHANGES = [
  'opened',
  'escalated',
  'reminder',
  'acknowledged',
  'repaired',
  'closed',
  'reopened',
  'flapping',
  'calm',
  'joined',
  'cleared',
  'repeated',
  'verified',
  'stoppedReporting',
  'claimed',
  'released',
  'assigned',
  'noted',
  'snoozed',
  'woken',
  'acknowledgementExpired',
  'dispatched',
  'verdict',
  'step',
  'classified',
  'called',
  'closeAsked',
  'merged',
  'folded',
  'unfolded',
  'grew',
  'muted',
  'unmuted',
  'inhibited',
  'remedy',
  'switched',
  'slaWarning',
  'slaBreached',
] as const;

const changeText = (t: Translate, change: string): string => {
  const known = CHANGES.find((c) => c === change);
  return known ? t(`incident.log.${known}`) : change;
};

/** What a line adds to its change. Notes of people are shown as they wrote them. */
function noteText(t: Translate, l: IncidentLog): string {
  const note = l.note ?? '';
  if (l.change === 'slaWarning' || l.change === 'slaBreached') {
    const clock: MessageKey | undefined =
      note === 'ack' ? 'incident.log.ack' : note === 'repair' ? 'incident.log.repair' : undefined;
    return clock ? t(clock) : note;
  }
  if (l.change === 'switched') return switchedText(t, note);
  const raised = l.change === 'escalated' ? /^from (S\d) to (S\d)(?:: )?/.exec(note) : null;
  if (raised) {
    const moved = t('incident.log.fromTo', { from: raised[1]!, to: raised[2]! });
    return [moved, note.slice(raised[0].length)].filter(Boolean).join(': ');
  }
  // The word of the change says it.
  return !l.by && (l.change === 'inhibited' || l.change === 'folded') ? '' : note;
}

const SWITCHED = ['on', 'off', 'not-on', 'not-off', 'asked', 'accepted', 'declined', 'expired'] as const;

/** "siren on: Siren at the gate" and the reason on a line of its own; see incident/output.go. */
function switchedText(t: Translate, note: string): string {
  const m = /^(\w+) ([\w-]+)(?: \w+)?: /.exec(note);
  const what = SWITCHED.find((w) => w === m?.[2]);
  return m && what ? `${t(`incident.switched.${what}`)}: ${note.slice(m[0].length)}` : note;
}

/** Everything that happened to the incident, newest first, and a place to write. */
export function Activity({ incident: i }: { incident: Detail }) {
  const t = useT();
  const { locale } = useLocale();
  const me = useMe();
  const { may } = useActor();
  const [all, setAll] = useState(false);
  const shown = all ? i.log : i.log.slice(0, FEW);
  return (
    <Panel title={t('incident.activity')} flush>
      {may && <NewNote id={i.id} />}
      <ol className={styles.log}>
        {shown.map((l, k) => {
          const note = noteText(t, l);
          return (
            <li key={`${l.at} ${l.change} ${k}`} data-person={!!l.by}>
              <span className={styles.change}>
                {responseText(t, l, i, locale) ?? changeText(t, l.change)}
              </span>
              <span className={styles.who}>{l.by ? whoText(t, i, l.by, me) : t('incident.system')}</span>
              <span className={styles.at}>
                <Age at={l.at} />
              </span>
              {note && <p className={styles.note}>{note}</p>}
            </li>
          );
        })}
      </ol>
      {i.log.length > FEW && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('incident.fewer') : t('incident.showAll', { n: i.log.length })}
        </button>
      )}
    </Panel>
  );
}

function NewNote({ id }: { id: string }) {
  const t = useT();
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const add = useMutation({
    mutationFn: (note: string) =>
      ok(api.POST('/incidents/{id}/{action}', { params: { path: { id, action: 'note' } }, body: { note } })),
    onSuccess: (detail) => {
      setText('');
      queries.setQueryData(incidentQuery(id).queryKey, wholeDetail(detail));
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) add.mutate(text.trim());
  };
  return (
    <form className={styles.add} onSubmit={submit}>
      <Textarea
        aria-label={t('incident.newNote')}
        placeholder={t('incident.newNote')}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        maxLength={4000}
        autosize
        minRows={1}
        maxRows={8}
      />
      {text.trim() !== '' && (
        <Button type="submit" loading={add.isPending}>
          {t('incident.saveNote')}
        </Button>
      )}
      <FormFault what={t('incident.failed.note')} error={add.error} />
    </form>
  );
}
