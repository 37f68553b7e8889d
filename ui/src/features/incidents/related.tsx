import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { refusal, useActor } from './actor';
import { Chips } from './chips';
import styles from './related.module.css';
import { SeverityShape } from './severity';
import type { Detail, Incident } from './shape';
import { whatText, whereText } from './words';

const FEW = 6;

/** What follows from this cause, counted and listed. */
export function Folded({ incident: i }: { incident: Detail }) {
  const t = useT();
  const [all, setAll] = useState(false);
  if (i.childrenCount === 0 && i.folded.length === 0) return null;
  const shown = all ? i.folded : i.folded.slice(0, FEW);
  return (
    <Panel
      title={t('incident.folded', { n: i.childrenCount })}
      aside={<span className="meta">{t('incident.foldedBad', { n: i.childrenBad })}</span>}
      flush
    >
      <ul className={styles.list}>
        {shown.map((c) => (
          <Line key={c.id} incident={c} />
        ))}
      </ul>
      {i.folded.length > FEW && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('incident.fewer') : t('incident.showAll', { n: i.folded.length })}
        </button>
      )}
    </Panel>
  );
}

/** Earlier ones of the kind at this place: whether it keeps coming back, and what ended it. */
export function Similar({ incident: i }: { incident: Detail }) {
  const t = useT();
  return (
    <Panel title={t('incident.similar')} flush={i.similar.length > 0}>
      {i.similar.length === 0 ? (
        <p className={`${styles.none} meta`}>{t('incident.noSimilar')}</p>
      ) : (
        <ul className={styles.list}>
          {i.similar.map((s) => (
            <Line key={s.id} incident={s} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Line({ incident: i }: { incident: Incident }) {
  const t = useT();
  return (
    <li className={styles.line}>
      <SeverityShape severity={i.severity} size={14} />
      <span className="srOnly">{i.severity}</span>
      <span className={styles.what}>
        <Link to="/incidents/$id" params={{ id: i.id }} search={true}>
          {whatText(t, i)}
        </Link>
        <span className={styles.where}>{whereText(t, i)}</span>
      </span>
      <span className={styles.chips}>
        <Chips incident={i} />
      </span>
      <span className={styles.age}>
        <Age at={i.openedAt} />
      </span>
    </li>
  );
}

const OUTCOMES = [
  'sent',
  'accepted',
  'rejected',
  'scheduled',
  'timeout',
  'refused',
  'dryRun',
  'done',
  'failed',
  'offered',
  'overtaken',
] as const;

/** What machines did about it or would not do, and why. */
export function Remedies({ incident: i }: { incident: Detail }) {
  const t = useT();
  if (i.remedies.length === 0) return null;
  return (
    <Panel title={t('incident.remedies')} flush>
      <ul className={styles.list}>
        {i.remedies.map((r) => {
          const outcome = OUTCOMES.find((o) => o === r.outcome);
          return (
            <li key={`${r.playbook} ${r.step} ${r.action} ${r.at}`} className={styles.remedy}>
              <span className={styles.what}>
                <strong>{r.action}</strong>
                {r.playbook && <span className={styles.where}>{r.playbook}</span>}
              </span>
              <span className={styles.outcome}>
                {outcome ? t(`incident.outcome.${outcome}`) : r.outcome}
                {r.reason && <span className={styles.reason}>{r.reason}</span>}
              </span>
              <span className={styles.age}>
                <Age at={r.at} />
              </span>
              {offered(i, r) && <Run incident={i.id} playbook={r.playbook} />}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

type Step = Detail['remedies'][number];

/** Whether a person may still have it done: nothing of that playbook came after the offer. */
export function offered(i: Pick<Incident, 'state' | 'remedies'>, r: Step): boolean {
  return (
    r.outcome === 'offered' &&
    i.state !== 'closed' &&
    i.remedies.findLast((x) => x.playbook === r.playbook) === r
  );
}

/** What the machine only offers, a person has done: it sends commands, so the guard-rails look first. */
function Run({ incident: id, playbook }: { incident: string; playbook: string }) {
  const t = useT();
  const toast = useToast();
  const { may } = useActor();
  const mayCommand = useAllowed('stations.command');
  const run = useMutation({
    mutationFn: () =>
      ok(api.POST('/incidents/{id}/remedy', { params: { path: { id } }, body: { playbook } })),
    onSuccess: (foreseen) => {
      const stop = foreseen.items?.find((s) => s.outcome === 'refused');
      if (stop)
        toast({ text: t('incident.refused', { n: 1, why: stop.reason || stop.action }), tone: 'bad' });
      else toast({ text: t('incident.running', { playbook }), tone: 'good' });
    },
    onError: (error) => toast({ text: t('incident.refused', { n: 1, why: refusal(error) }), tone: 'bad' }),
  });
  if (!may || !mayCommand) return null;
  return (
    <Button
      size="compact-sm"
      variant="default"
      className={styles.run}
      loading={run.isPending}
      onClick={() => run.mutate()}
    >
      {t('incident.run', { playbook })}
    </Button>
  );
}
