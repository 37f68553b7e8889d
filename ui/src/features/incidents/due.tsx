import { useCallback } from 'react';
import { day, dayTime, hourMinute, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { useZone } from '../../ui/zone';
import styles from './due.module.css';
import { dueOf, type Incident } from './shape';

/** The promise that runs next: when it ends, how soon, or how late it is. */
export function DueText({ incident: i }: { incident: Incident }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const read = useCallback(() => {
    const now = Date.now() + client.clockOffset;
    const due = dueOf(i, now);
    if (!due) return '';
    const text =
      due.level === 'over'
        ? t(`incident.due.over.${due.which}`, { span: span(now - due.at) })
        : due.level === 'near'
          ? t(`incident.due.soon.${due.which}`, { span: span(due.at - now) })
          : t(`incident.due.${due.which}`, {
              // Tomorrow's time of day alone would read as one that has passed.
              at:
                day(tag, due.at, zone) === day(tag, now, zone)
                  ? hourMinute(tag, due.at, zone)
                  : dayTime(tag, due.at, zone),
            });
    return `${due.level} ${text}`;
  }, [i, t, tag, zone, client]);
  const told = useTicking(read);
  if (!told) return null;
  const at = told.indexOf(' ');
  const level = told.slice(0, at);
  return (
    <span className={`${styles.due} num`} data-level={level}>
      {level !== 'far' && <Icon name={level === 'over' ? 'warn' : 'clock'} size={14} />}
      {told.slice(at + 1)}
    </span>
  );
}
