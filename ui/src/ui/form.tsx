import { Problem } from '../api/problem';
import { useT } from '../i18n/i18n';
import styles from './form.module.css';
import { Icon } from './icons';

/** What the server would not take, field by field. */
export function FormFault({ what, error }: { what: string; error: unknown }) {
  const t = useT();
  if (!error) return null;
  const problem = error instanceof Problem ? error : null;
  return (
    <div className={styles.fault} role="alert">
      <Icon name="warn" size={16} />
      <div>
        <p>{what}</p>
        {problem?.unreachable ? (
          <p className="meta">{t('failed.unreachable')}</p>
        ) : problem && problem.faults.length > 0 ? (
          <ul>
            {problem.faults.map((f) => (
              <li key={`${f.location}${f.message}`} className="meta">
                {f.location ? <code className="mono">{f.location.replace(/^body\.?/, '')}</code> : null}{' '}
                {f.message}
              </li>
            ))}
          </ul>
        ) : (
          <p className="meta">{problem ? problem.detail || problem.title : t('failed.page')}</p>
        )}
      </div>
    </div>
  );
}
