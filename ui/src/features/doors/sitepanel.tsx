import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Panel } from '../../ui/panel';
import { doorName } from './door';
import styles from './doors.module.css';
import { useDoors } from './feed';
import { KindIcon } from './kind';
import { DoorState } from './state';

/** The doors of one site and how they are; nothing where there are none. */
export function SiteDoors({ site }: { site: string }) {
  const t = useT();
  const { data } = useDoors();
  const doors = (data ?? [])
    .filter((d) => d.siteId === site)
    .sort((a, b) => doorName(a).localeCompare(doorName(b)));
  if (doors.length === 0) return null;
  return (
    <Panel
      title={t('doors.title')}
      flush
      aside={
        <Link to="/doors" search={{ site }}>
          {t('doors.toDoors')}
        </Link>
      }
    >
      <ul className={styles.doors}>
        {doors.map((d) => (
          <li key={d.id}>
            <KindIcon kind={d.kind} />
            <span>{doorName(d)}</span>
            <span>
              <DoorState state={d.state} />
              {d.stateSince && (
                <span className="meta">
                  <Age at={d.stateSince} />
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
