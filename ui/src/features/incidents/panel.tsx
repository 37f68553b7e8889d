// Open incidents on other pages: how many of each severity, and the first few.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { Chips } from './chips';
import { DueText } from './due';
import { useIncidents } from './feed';
import { countsOf, tabOf } from './filter';
import { useServerNow } from './now';
import styles from './panel.module.css';
import { SeverityShape, severityKey } from './severity';
import { beganAt, type Incident, rankOf, SEVERITIES } from './shape';
import { whatText, whereText } from './words';

const FEW = 5;

/** By severity, what still lasts first, then by how many drivers it cost; the newest of equals first. */
export function foremost(rows: readonly Incident[], now: number, few: number): Incident[] {
  return rows
    .filter((i) => tabOf(i, now) === 'inbox')
    .sort(
      (a, b) =>
        rankOf(a.severity) - rankOf(b.severity) ||
        Number(a.repairedAt !== null) - Number(b.repairedAt !== null) ||
        (b.driversFailed ?? 0) - (a.driversFailed ?? 0) ||
        beganAt(b) - beganAt(a),
    )
    .slice(0, few);
}

/** The top of the inbox, of the network or of one site. */
export function IncidentPanel({ site, className }: { site: string | undefined; className?: string }) {
  const t = useT();
  const tag = useTag();
  const now = useServerNow();
  const live = useIncidents();
  const counts = useMemo(() => countsOf(live.rows, site, now), [live.rows, site, now]);
  const top = useMemo(
    () => foremost(site === undefined ? live.rows : live.rows.filter((i) => i.siteId === site), now, FEW),
    [live.rows, site, now],
  );
  return (
    <Panel
      flush
      {...(className ? { className } : {})}
      title={
        <>
          {t('incident.panel.title')}
          <ul className={styles.counts}>
            {SEVERITIES.map(
              (s, k) =>
                counts.bySeverity[k]! > 0 && (
                  <li key={s}>
                    <Link
                      to="/incidents"
                      search={(was: object) => ({ ...was, sev: s })}
                      className={styles.count}
                      title={t(severityKey(s))}
                    >
                      <SeverityShape severity={s} size={12} />
                      <span>{s}</span>
                      <span className="num">{count(tag, counts.bySeverity[k]!)}</span>
                    </Link>
                  </li>
                ),
            )}
          </ul>
        </>
      }
      aside={
        <>
          {counts.verifying > 0 && (
            <Link to="/incidents" search={{ tab: 'verifying' } as never} className={styles.quiet}>
              {t('incident.panel.verifying', { n: counts.verifying })}
            </Link>
          )}
          {counts.inbox > FEW && (
            <Link to="/incidents" className={styles.quiet}>
              {t('incident.panel.all', { n: counts.inbox })}
            </Link>
          )}
        </>
      }
    >
      {live.error && !live.ready ? (
        <Failed what={t('nav.incidents')} error={live.error} retry={live.again} />
      ) : !live.ready ? (
        <Skeleton rows={3} />
      ) : top.length === 0 ? (
        <p className={styles.fine}>
          <StateShape family="available" />
          {t('incident.panel.quiet')}
        </p>
      ) : (
        <Lines rows={top} />
      )}
    </Panel>
  );
}

/** Those open at a station, on top of its page; nothing where nothing is. */
export function StationIncidents({ station }: { station: string }) {
  const t = useT();
  const { rows } = useIncidents();
  const here = useMemo(() => {
    const subject = `station/${station}`;
    return rows.filter(
      (i) => i.station === station || i.subjects.some((s) => s === subject || s.startsWith(`${subject}/`)),
    );
  }, [rows, station]);
  if (here.length === 0) return null;
  return (
    <Panel flush title={t('incident.panel.here')}>
      <Lines rows={here} />
    </Panel>
  );
}

function Lines({ rows }: { rows: readonly Incident[] }) {
  const t = useT();
  return (
    <ul className={styles.list}>
      {rows.map((i) => (
        <li key={i.id} className={styles.line}>
          <SeverityShape severity={i.severity} />
          <span className="srOnly">{i.severity}</span>
          <span className={styles.what}>
            <Link to="/incidents/$id" params={{ id: i.id }} className={styles.link}>
              {whatText(t, i)}
            </Link>
            <span className={styles.where}>{whereText(t, i)}</span>
          </span>
          <span className={styles.chips}>
            {(i.driversFailed ?? 0) > 0 && (
              <span className="meta">{t('incident.driversFailed', { n: i.driversFailed! })}</span>
            )}
            <Chips incident={i} />
          </span>
          <span className={styles.end}>
            <DueText incident={i} />
            <Age at={beganAt(i)} />
          </span>
        </li>
      ))}
    </ul>
  );
}
