import { useQuery } from '@tanstack/react-query';
import { useT, useTag } from '../../i18n/i18n';
import { Icon, type IconName } from '../../ui/icons';
import { Failed, Skeleton } from '../../ui/panel';
import styles from './preview.module.css';
import { type Foreseen, type Playbook, previewQuery, type Where } from './queries';
import { doText, OUTCOMES, reasonText, stepText } from './words';

/** Each step of a playbook with what would become of it now. */
export function Outcome({ of: p, at }: { of: Playbook; at: Where }) {
  const t = useT();
  const { data, error, refetch } = useQuery(previewQuery(p.id, at));
  if (error && !data)
    return <Failed what={t('playbooks.try.part')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={p.steps.length} />;
  return (
    <section aria-label={t('playbooks.try.result')}>
      <ol className={styles.steps}>
        {data.map((f) => (
          <Line key={f.step} of={f} step={p.steps[f.step]} />
        ))}
      </ol>
    </section>
  );
}

const icons: Record<string, IconName> = { sent: 'check', dryRun: 'pause', refused: 'close', offered: 'user' };

function Line({ of: f, step }: { of: Foreseen; step: Playbook['steps'][number] | undefined }) {
  const t = useT();
  const tag = useTag();
  const outcome = OUTCOMES.find((o) => o === f.outcome);
  return (
    <li className={styles.step} data-outcome={f.outcome}>
      <span className={styles.n}>{f.step + 1}</span>
      <div>
        <p className={styles.what}>{step ? stepText(t, tag, step) : doText(t, f.action)}</p>
        <p className={styles.outcome}>
          <Icon name={icons[f.outcome] ?? 'clock'} size={14} />
          <strong>{outcome ? t(`playbooks.outcome.${outcome}`) : f.outcome}</strong>
        </p>
        {f.reason && <p className={styles.reason}>{reasonText(t, f.reason)}</p>}
        {f.waits && <p className="meta">{t('playbooks.try.waits')}</p>}
        {f.command && f.outcome !== 'refused' && (
          <p className="meta">{t('playbooks.try.sends', { command: f.command })}</p>
        )}
      </div>
    </li>
  );
}
