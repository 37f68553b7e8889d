// How a door is, as shape and word. What is wrong has the shapes of everything
// that is wrong; the rest are locks and leaves.
import { useT } from '../../i18n/i18n';
import type { Family } from '../../live/status';
import { type Mark, SHAPES } from '../../ui/shapes';
import { Drawn } from '../../ui/state';
import { type Condition, conditionOf } from './door';
import styles from './state.module.css';

const BODY = 'M3.5 7.5h9v6.25h-9z';
const SHACKLE = 'M5.25 7.5V5a2.75 2.75 0 0 1 5.5 0v2.5';
const FRAME = 'M2.5 14V2h11v12';
const LEAF = 'M2.5 2 9 4.25v11L2.5 14z';

const MARKS: Record<Condition, readonly Mark[]> = {
  locked: [
    { d: BODY, mode: 'stroke', width: 1.5 },
    { d: SHACKLE, mode: 'stroke', width: 1.5 },
  ],
  unlocked: [
    { d: BODY, mode: 'stroke', width: 1.5 },
    { d: 'M5.25 7.5V4.25a2.75 2.75 0 0 1 5.3-1', mode: 'stroke', width: 1.5 },
  ],
  open: [
    { d: FRAME, mode: 'stroke', width: 1.5 },
    { d: LEAF, mode: 'fill' },
  ],
  held: [
    { d: FRAME, mode: 'stroke', width: 1.5 },
    { d: LEAF, mode: 'fill' },
    { d: 'M11.4 5v4.5M11.4 11.2v1.3', mode: 'stroke', width: 1.5 },
  ],
  lockdown: [
    { d: BODY, mode: 'fill' },
    { d: SHACKLE, mode: 'stroke', width: 1.5 },
    { d: 'M5.5 10h5v1.5h-5z', mode: 'cut' },
  ],
  forced: SHAPES.faulted,
  offline: SHAPES.offline,
  unknown: SHAPES.unknown,
};

const COLOR: Record<Condition, Family> = {
  locked: 'unavailable',
  unlocked: 'available',
  open: 'preparing',
  held: 'offline',
  lockdown: 'reserved',
  forced: 'faulted',
  offline: 'offline',
  unknown: 'unknown',
};

/** The colour of a condition, as a variable of the style sheet. */
export const doorColor = (c: Condition): string => `var(--s-${COLOR[c]})`;

export function DoorMark({ condition, size = 16 }: { condition: Condition; size?: number }) {
  return <Drawn marks={MARKS[condition]} color={doorColor(condition)} size={size} className={styles.mark} />;
}

export function DoorState({ state, size = 16 }: { state: string; size?: number }) {
  const t = useT();
  const condition = conditionOf(state);
  return (
    <span className={styles.state} data-condition={condition}>
      <DoorMark condition={condition} size={size} />
      <span>{t(`doors.state.${condition}`)}</span>
    </span>
  );
}
