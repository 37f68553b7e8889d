import { useT, useTag } from '../../i18n/i18n';
import { clockOf, type Opening, parseHours, runs } from './hours';
import styles from './settings.module.css';

/** What the text means, day by day, so that a slip is seen before drivers read it. */
export function Hours({ text }: { text: string }) {
  const t = useT();
  const tag = useTag();
  if (text.trim() === '') return null;
  const week = parseHours(text);
  if (!week)
    return (
      <p className={`meta ${styles.weak}`} role="status">
        {t('site.hoursUnread')}
      </p>
    );
  // The first of January 2024 was a Monday.
  const day = (d: number) =>
    new Intl.DateTimeFormat(tag, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + d));
  const line = (openings: Opening[]) =>
    openings.length === 0
      ? t('site.closed')
      : openings
          .map((o) =>
            o.from === 0 && o.to === 1440 ? t('site.allDay') : `${clockOf(o.from)}–${clockOf(o.to)}`,
          )
          .join(', ');
  return (
    <dl className={styles.hours}>
      {runs(week).map((r) => (
        <div key={r.from} style={{ display: 'contents' }}>
          <dt>{r.from === r.to ? day(r.from) : `${day(r.from)}–${day(r.to)}`}</dt>
          <dd className="num">{line(r.openings)}</dd>
        </div>
      ))}
      {week.holidays && (
        <div style={{ display: 'contents' }}>
          <dt>{t('site.holidays')}</dt>
          <dd className="num">{line(week.holidays)}</dd>
        </div>
      )}
    </dl>
  );
}
