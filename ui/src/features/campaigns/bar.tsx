import { count as number } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import styles from './campaigns.module.css';
import { OUTCOMES } from './outcome';
import type { Campaign, Counts, Outcome } from './queries';

/** How far it is, as one bar; the figures beside it say the same. */
export function Progress({ counts, total }: { counts: Counts; total: number }) {
  const t = useT();
  const tag = useTag();
  const parts = OUTCOMES.filter((o) => counts[o] > 0);
  return (
    <div
      className={styles.bar}
      role="img"
      aria-label={parts.map((o) => `${t(`campaigns.outcome.${o}`)} ${number(tag, counts[o])}`).join(', ')}
    >
      {parts.map((o) => (
        <span key={o} data-outcome={o} style={{ flexGrow: counts[o] / Math.max(total, 1) }} />
      ))}
    </div>
  );
}

/** An outcome by shape, colour and word. */
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  const t = useT();
  return (
    <span className={styles.mark} data-outcome={outcome}>
      <i aria-hidden="true" />
      {t(`campaigns.outcome.${outcome}`)}
    </span>
  );
}

export function StateMark({ campaign: c }: { campaign: Campaign }) {
  const t = useT();
  return (
    <span className={styles.state} data-state={c.state} data-bad={c.why !== null && c.why.code !== 'person'}>
      <i aria-hidden="true" />
      {t(`campaigns.state.${c.state}`)}
      {c.state === 'running' && c.stage !== 'rest' && (
        <span className="meta">{t(`campaigns.stage.${c.stage}`)}</span>
      )}
    </span>
  );
}
