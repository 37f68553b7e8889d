// When it is usually busy here, hour by hour of one weekday, with now marked.
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { percent } from '../../format/lasting';
import { text } from '../../format/quantity';
import { toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { ownZone, useZone } from '../../ui/zone';
import { heatQuery } from '../analytics/queries';
import { stretchOf } from '../analytics/search';
import { hoursText, weekdayName } from '../analytics/weekdays';
import styles from './busy.module.css';

const DAYS = [1, 2, 3, 4, 5, 6, 7];

export default function BusyTimes({ site }: { site: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone() ?? ownZone();
  const now = useNow(60_000);
  const { from, to } = stretchOf({}, now, zone);
  const { data, error, refetch } = useQuery(heatQuery({ site, from, to, zone }, 'occupied'));
  const clock = toClock(now, zone);
  const today = ((new Date(`${clock.slice(0, 10)}T12:00Z`).getUTCDay() + 6) % 7) + 1;
  const hour = Number(clock.slice(11, 13));
  const [chosen, setChosen] = useState<number | null>(null);
  const day = chosen ?? today;
  const share = (v: number) => text(percent(tag, v));
  const hours = (data?.cells ?? []).filter((c) => c.weekday === day);
  const seen = hours.filter((c) => c.value !== null);
  const top = Math.max(0.1, ...(data?.cells ?? []).map((c) => c.value ?? 0));
  const most = seen.reduce<(typeof seen)[number] | null>((a, c) => (!a || c.value! > a.value! ? c : a), null);
  const current = day === today ? hours.find((c) => c.hour === hour && c.value !== null) : undefined;
  return (
    <Panel
      title={t('here.busy')}
      aside={
        <Link to="/analytics" search={{ site } as never} className={styles.all}>
          {t('here.busy.all')}
          <Icon name="right" size={12} />
        </Link>
      }
    >
      {!data ? (
        error ? (
          <Failed what={t('here.busy.what')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={3} />
        )
      ) : !data.enough && seen.length === 0 ? (
        <Empty title={t('here.busy.notEnough')}>{data.needs}</Empty>
      ) : (
        <>
          <div className={styles.head}>
            <SegmentedControl
              size="xs"
              aria-label={t('here.busy.day')}
              value={String(day)}
              onChange={(v) => setChosen(Number(v))}
              data={DAYS.map((d) => ({ value: String(d), label: weekdayName(tag, d) }))}
            />
            <p className={`num ${styles.told}`}>
              {current
                ? t('here.busy.now', {
                    day: weekdayName(tag, day),
                    hours: hoursText(hour, hour + 1),
                    share: share(current.value!),
                  })
                : most
                  ? t('here.busy.most', {
                      day: weekdayName(tag, day, 'long'),
                      hours: hoursText(most.hour, most.hour + 1),
                      share: share(most.value!),
                    })
                  : t('here.busy.unseen')}
            </p>
          </div>
          <ol className={`num ${styles.bars}`} aria-label={weekdayName(tag, day, 'long')}>
            {hours.map((c) => {
              const name =
                c.value === null
                  ? t('here.busy.hourUnseen', { hours: hoursText(c.hour, c.hour + 1) })
                  : t('here.busy.hour', { hours: hoursText(c.hour, c.hour + 1), share: share(c.value) });
              return (
                <li key={c.hour} title={name} data-now={day === today && c.hour === hour}>
                  <span className="srOnly">{name}</span>
                  <span className={styles.slot} data-unseen={c.value === null} aria-hidden="true">
                    <i style={{ height: `${(100 * (c.value ?? 0)) / top}%` }} />
                  </span>
                  <span className={styles.tick} aria-hidden="true">
                    {c.hour % 3 === 0 ? c.hour : ''}
                  </span>
                </li>
              );
            })}
          </ol>
          <p className={`num ${styles.note}`}>{t('here.busy.note')}</p>
        </>
      )}
    </Panel>
  );
}
