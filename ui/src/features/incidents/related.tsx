import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Panel } from '../../ui/panel';
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
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
