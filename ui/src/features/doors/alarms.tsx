import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { type Door, doorName } from './door';
import styles from './doors.module.css';
import { useAlarms } from './feed';
import { alarmKey, calling } from './log';

/** Who calls for help at a door. Duress is silent: a screen on a wall never shows it. */
export function Alarms({ doors, kiosk }: { doors: readonly Door[]; kiosk: boolean }) {
  const t = useT();
  const told = useAlarms(useAllowed('events.read'));
  const known = new Map(doors.map((d) => [d.id, d]));
  const all = calling(told ?? []).filter((a) => known.has(a.door) && !(kiosk && a.alarm === 'duress'));
  if (all.length === 0) return null;
  return (
    <ul className={styles.alarms} aria-label={t('doors.alarms')}>
      {all.map((a) => (
        <li key={`${a.door} ${a.alarm}`}>
          <Icon name="warn" size={16} />
          <strong>{t(alarmKey(a.alarm), { name: doorName(known.get(a.door)!) })}</strong>
          <Age at={a.at} />
        </li>
      ))}
    </ul>
  );
}
