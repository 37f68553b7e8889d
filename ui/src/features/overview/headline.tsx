import type { Summary } from '../../api/shapes';
import { count, energy } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useTally } from '../../live/tally';
import { Figure } from '../../ui/figures';
import styles from './overview.module.css';

/** What a shift starts with: how many ports are free, of which power, and what runs. */
export function Headline({ site, summary }: { site: string | undefined; summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const tally = useTally(site);
  const free = tally?.free ?? summary?.ports.free;
  const total = tally?.total ?? summary?.ports.total;
  const classes = (summary?.ports.byPowerClass ?? []).filter((c) => c.total > 0);
  // The strongest first: it is what drivers on the road look for.
  const order = ['hpc', 'dc', 'ac', 'unknown'];
  classes.sort((a, b) => order.indexOf(a.class) - order.indexOf(b.class));
  return (
    <section className={styles.headline} aria-label={t('overview.now')}>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.free')}</p>
        <p className={`${styles.figure} num`}>
          {free === undefined ? '–' : count(tag, free)}
          <span className="unit">
            {total === undefined ? '' : t('overview.of', { total: count(tag, total) })}
          </span>
        </p>
        <p className="meta">
          {summary
            ? t('overview.stations', {
                online: count(tag, summary.stations.online),
                total: count(tag, summary.stations.total),
              })
            : '\u00a0'}
        </p>
      </div>
      <ul className={styles.classes} aria-label={t('overview.classes')}>
        {classes.map((c) => (
          <li key={c.class} className={styles.hero}>
            <p className={styles.caption}>{t(`class.${c.class}`)}</p>
            <p className={`${styles.figure} num`} data-none={c.free === 0}>
              {count(tag, c.free)}
              <span className="unit">{t('overview.of', { total: count(tag, c.total) })}</span>
            </p>
            <p className="meta">{t(`class.${c.class}.note`)}</p>
          </li>
        ))}
      </ul>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.sessions')}</p>
        <p className={`${styles.figure} num`}>{summary ? count(tag, summary.sessions.active) : '–'}</p>
        <p className="meta">{summary ? t('overview.today', { n: summary.sessions.today }) : '\u00a0'}</p>
      </div>
      <div className={styles.hero}>
        <p className={styles.caption}>{t('overview.energy')}</p>
        <p className={styles.figure}>
          <Figure q={energy(tag, summary?.sessions.energyTodayWh)} />
        </p>
        <p className="meta">{t('overview.begunToday')}</p>
      </div>
    </section>
  );
}
