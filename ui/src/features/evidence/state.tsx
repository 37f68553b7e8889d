import type { MessageKey } from '../../i18n/i18n';
import { useT } from '../../i18n/i18n';
import type { Family } from '../../live/status';
import { StateShape } from '../../ui/state';
import styles from './evidence.module.css';
import { type Pack, progress } from './queries';

const FAMILY: Record<Pack['state'], Family> = {
  queued: 'unknown',
  running: 'preparing',
  done: 'available',
  failed: 'faulted',
  deleted: 'unavailable',
};

/** How far a pack is: shape, word, and how much of it is written. */
export function PackState({ pack }: { pack: Pack }) {
  const t = useT();
  const percent = progress(pack);
  return (
    <span className={styles.state}>
      <StateShape family={FAMILY[pack.state]} size={14} />
      <span>
        {t(`evidence.state.${pack.state}`)}
        {percent !== null && <span className="num"> {percent} %</span>}
      </span>
    </span>
  );
}

export const problemKey = (pack: Pack): MessageKey => `evidence.problem.${pack.problem || 'failed'}`;
