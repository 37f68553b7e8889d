import { DAY, dayTime, hourMinute, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useZone } from '../../ui/zone';
import { useServerNow } from '../incidents/now';
import styles from './maintenance.module.css';

/** When it was promised, how soon that is, or how late. */
export function Due({ at }: { at: string | null }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const now = useServerNow(30_000);
  if (!at) return null;
  const left = Date.parse(at) - now;
  const level = left < 0 ? 'over' : left < 4 * 3_600_000 ? 'near' : 'far';
  return (
    <span className={`${styles.due} num`} data-level={level}>
      {level !== 'far' && <Icon name={level === 'over' ? 'warn' : 'clock'} size={12} />}
      {level === 'over'
        ? t('maintenance.due.over', { span: span(-left) })
        : level === 'near'
          ? t('maintenance.due.near', { span: span(left) })
          : t('maintenance.due.by', {
              at: left < DAY ? hourMinute(tag, now + left, zone) : dayTime(tag, now + left, zone),
            })}
    </span>
  );
}
