import { useT } from '../../i18n/i18n';
import { type Mark, SHAPES } from '../../ui/shapes';
import { Drawn } from '../../ui/state';
import type { Output } from './output';
import styles from './outputs.module.css';

type State = Output['state'];

const MARKS: Record<State, readonly Mark[]> = {
  off: SHAPES.unavailable,
  on: [
    { d: 'M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z', mode: 'fill' },
    {
      d: 'M8 .75v1.5M8 13.75v1.5M.75 8h1.5M13.75 8h1.5M2.9 2.9l1 1M12.1 12.1l1 1M13.1 2.9l-1 1M3.9 12.1l-1 1',
      mode: 'stroke',
      width: 1.5,
    },
  ],
  unsure: SHAPES.offline,
  overdue: SHAPES.faulted,
};

const COLOR: Record<State, string> = {
  off: 'unavailable',
  on: 'charging',
  unsure: 'offline',
  overdue: 'faulted',
};

/** How an output is, as shape and word. */
export function OutputState({ state, size = 14 }: { state: State; size?: number }) {
  const t = useT();
  return (
    <span className={styles.state}>
      <Drawn marks={MARKS[state]} color={`var(--s-${COLOR[state]})`} size={size} className={undefined} />
      {t(`outputs.state.${state}`)}
    </span>
  );
}
