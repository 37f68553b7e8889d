import { useT } from '../../i18n/i18n';
import type { Detail } from '../incidents/shape';
import { useMe } from '../incidents/who';
import { whoText } from '../incidents/words';
import styles from './response.module.css';

/** Somebody wants it closed and a second person has to confirm. */
export function CloseAsked({ incident: i }: { incident: Detail }) {
  const t = useT();
  const me = useMe();
  if (!i.closeAsked) return null;
  return (
    <p className={styles.asked} role="status">
      {i.closeAsked.by === me
        ? t('response.closeAskedMe')
        : t('response.closeAsked', { who: whoText(t, i, i.closeAsked.by, me) })}
      {i.closeAsked.note && <q>{i.closeAsked.note}</q>}
    </p>
  );
}
