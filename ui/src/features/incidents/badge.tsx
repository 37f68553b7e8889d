import { useQuery } from '@tanstack/react-query';
import { summaryQuery } from '../../api/queries';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useSummary } from '../../live/hooks';
import styles from './badge.module.css';
import { SeverityShape, severityKey } from './severity';
import { SEVERITIES } from './shape';

/** More than that does not fit beside an icon. */
const MOST = 99;

/** How many are open and how bad the worst is, beside the name of the place. */
export default function IncidentBadge() {
  const t = useT();
  const tag = useTag();
  useSummary();
  const { data } = useQuery(summaryQuery());
  const by = data?.incidents?.bySeverity;
  const worst = by && SEVERITIES.find((s) => (by[s] ?? 0) > 0);
  if (!worst) return null;
  const n = data.incidents.open;
  return (
    <span className={styles.badge}>
      <SeverityShape severity={worst} size={12} />
      <span className={`${styles.all} num`} aria-hidden="true">
        {count(tag, n)}
      </span>
      <span className={`${styles.few} num`} aria-hidden="true">
        {n > MOST ? `${MOST}+` : n}
      </span>
      <span className="srOnly">{t('incident.badge', { n, worst: t(severityKey(worst)) })}</span>
    </span>
  );
}
