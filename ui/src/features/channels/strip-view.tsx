import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { dayTime } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { Failed, Skeleton } from '../../ui/panel';
import styles from './oncall.module.css';
import { type Schedule, shiftsQuery } from './queries';
import { midnights, namesOf, weeksOf } from './strip';

const DAYS = 14;
const SHADES = 4;

/** Two weeks from today, one bar each; the same in words for who cannot see it. */
export function Strip({ schedule: s }: { schedule: Schedule }) {
  const t = useT();
  const tag = useTag();
  const now = useNow(60_000);
  const zone = s.timeZone;
  const starts = useMemo(() => midnights(now, zone, DAYS), [now, zone]);
  const { data, error, refetch } = useQuery(shiftsQuery(s.id ?? '', starts[0]!, starts[DAYS]!, s.changedAt));
  const weeks = useMemo(() => (data ? weeksOf(data, starts) : []), [data, starts]);
  const names = useMemo(() => namesOf(weeks), [weeks]);
  if (error && !data) return <Failed what={t('channels.strip')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={2} />;
  const at = (ms: number) => dayTime(tag, ms, zone);
  const weekday = new Intl.DateTimeFormat(tag, { weekday: 'short', day: 'numeric', timeZone: zone });
  const told = (name: string | null, override: boolean, from: number, to: number) =>
    t('channels.shift', {
      name: name ?? t('channels.nobodyThen'),
      from: at(from),
      to: at(to),
      override: String(override),
    });
  return (
    <div className={styles.strip}>
      {weeks.map((w) => (
        <div key={w.from} className={styles.week}>
          <div className={styles.days} aria-hidden="true">
            {w.days.map((d) => (
              <span
                key={d}
                className="num"
                style={{ insetInlineStart: `${((d - w.from) / (w.to - w.from)) * 100}%` }}
              >
                {weekday.format(d)}
              </span>
            ))}
          </div>
          <ul className={styles.bar}>
            {w.pieces.map((p) => (
              <li
                key={p.from}
                className={styles.piece}
                data-shade={p.name === null ? 'none' : names.indexOf(p.name) % SHADES}
                data-override={p.override}
                style={{ insetInlineStart: `${p.left * 100}%`, width: `${p.width * 100}%` }}
                title={told(p.name, p.override, p.from, p.to)}
              >
                <span className={styles.pieceName} aria-hidden="true">
                  {p.name ?? t('channels.nobodyThen')}
                </span>
                <span className="srOnly">{told(p.name, p.override, p.from, p.to)}</span>
              </li>
            ))}
            {now >= w.from && now < w.to && (
              <li
                className={styles.mark}
                aria-hidden="true"
                style={{ insetInlineStart: `${((now - w.from) / (w.to - w.from)) * 100}%` }}
              />
            )}
          </ul>
        </div>
      ))}
    </div>
  );
}
