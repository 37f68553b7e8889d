// What the words mean that figures are named by.
import { useT } from '../../i18n/i18n';
import styles from './patterns.module.css';

const TERMS = [
  'occupied',
  'charging',
  'idle',
  'blocked',
  'operative',
  'unobserved',
  'prime',
  'peak',
  'uptime',
] as const;

export function Definitions() {
  const t = useT();
  return (
    <details className={styles.definitions}>
      <summary>{t('analytics.definitions')}</summary>
      <dl>
        {TERMS.map((term) => (
          <div key={term}>
            <dt>{t(`analytics.term.${term}`)}</dt>
            <dd>{t(`analytics.term.${term}.text`)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
