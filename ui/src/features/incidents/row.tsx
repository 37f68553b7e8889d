import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Chips } from './chips';
import { DueText } from './due';
import styles from './list.module.css';
import { SeverityShape } from './severity';
import { beganAt, fresh, type Incident, ownerOf } from './shape';
import { whatText, whereText, whoText } from './words';

/** One incident on one line, on two where it is narrow. */
export const Row = memo(function Row({
  incident: i,
  chosen,
  picked,
  me,
  now,
}: {
  incident: Incident;
  chosen: boolean;
  picked: boolean;
  me: string;
  now: number;
}) {
  const t = useT();
  const what = whatText(t, i);
  const where = whereText(t, i);
  const owner = ownerOf(i, now);
  const over = i.state === 'closed';
  return (
    <div className={styles.row} data-chosen={chosen} data-picked={picked} data-over={over} data-id={i.id}>
      <input
        type="checkbox"
        className={styles.pick}
        data-pick=""
        checked={picked}
        readOnly
        tabIndex={-1}
        aria-label={t('incident.select', { what: `${what}, ${where}` })}
      />
      <span className={styles.shape}>
        <SeverityShape severity={i.severity} pulse={fresh(i, now)} />
        <span className="srOnly">{i.severity}</span>
      </span>
      <span className={styles.top}>
        <span className={styles.what}>
          <Link
            to="/incidents/$id"
            params={{ id: i.id }}
            search={true}
            className={styles.open}
            aria-current={chosen ? 'true' : undefined}
          >
            {what}
          </Link>
        </span>
        <span className={styles.chips}>
          {i.childrenCount > 0 && (
            <span className={styles.count} title={t('incident.ports', { n: i.childrenCount })}>
              {t('incident.children', { n: i.childrenCount })}
            </span>
          )}
          {i.repeats > 0 && (
            <span className={`${styles.count} num`} title={t('incident.repeats', { n: i.repeats })}>
              <Icon name="retry" size={12} />
              <span aria-hidden="true">{i.repeats}</span>
              <span className="srOnly">{t('incident.repeats', { n: i.repeats })}</span>
            </span>
          )}
          {(i.driversFailed ?? 0) > 0 && (
            <span className={styles.count}>{t('incident.driversFailed', { n: i.driversFailed! })}</span>
          )}
          <Chips incident={i} />
        </span>
        <span className={styles.due}>
          <DueText incident={i} />
        </span>
      </span>
      <span className={styles.sub}>
        <span className={styles.where}>
          <span className={styles.port}>{where}</span>
          {i.station && i.siteName && !where.startsWith(i.siteName) && (
            <span className={styles.site}>{i.siteName}</span>
          )}
        </span>
        <span className={styles.owner} data-none={owner === null}>
          {owner !== null && (
            <>
              <Icon name="user" size={14} />
              {whoText(t, i, owner, me)}
            </>
          )}
        </span>
        <span className={styles.age}>
          <Age at={beganAt(i)} />
        </span>
      </span>
    </div>
  );
});
