import { Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Suspense, useMemo, useState } from 'react';
import { powerQuery } from '../../api/queries';
import type { Summary } from '../../api/shapes';
import { useScope } from '../../app/view';
import { power } from '../../format/quantity';
import { perMinute } from '../../format/speed';
import { DAY, exact, hourMinute, MINUTE } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Figure } from '../../ui/figures';
import { later } from '../../ui/later';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { type PowerLine, peakSince, powerLine, scaledLine, unitFor } from '../../ui/powerline';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import styles from './overview.module.css';

const TimeChart = later(() => import('../../ui/timechart'));
const STEP = 300;
const WEEK = 7 * DAY;
const HEIGHT = 168;

/** Power now, the last day, and the same day a week ago. */
export function PowerPanel({ summary }: { summary: Summary | undefined }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const site = useScope();
  const { client } = useLive();
  const [asTable, setAsTable] = useState(false);
  const to = Math.ceil((useNow(30_000) + client.clockOffset) / MINUTE) * MINUTE;
  const from = to - DAY;
  const day = useQuery({ ...powerQuery(site, from, to, STEP), placeholderData: keepPreviousData });
  const week = useQuery({
    ...powerQuery(site, from - WEEK, to - WEEK, STEP),
    placeholderData: keepPreviousData,
  });

  const watts = summary?.powerW;
  const lines = useMemo(() => {
    const now = powerLine(day.data);
    const before = powerLine(week.data, WEEK / 1000);
    return { now, before };
  }, [day.data, week.data]);
  const peak = useMemo(
    () => peakSince(lines.now, fromClock(`${toClock(to, zone).slice(0, 10)}T00:00`, zone) / 1000),
    [lines, to, zone],
  );
  const most = Math.max(0, ...lines.now.value.map((v) => v ?? 0), ...lines.before.value.map((v) => v ?? 0));
  const { unit, scale } = unitFor(most);
  const drawn = useMemo(
    () => [
      {
        name: t('overview.lastWeek'),
        ...scaledLine(lines.before, scale),
        color: '--ink-2',
        width: 1,
        dash: [3, 3] as [number, number],
      },
      { name: t('overview.today24'), ...scaledLine(lines.now, scale), color: '--s-charging', fill: true },
    ],
    [lines, scale, t],
  );
  const known = day.data?.known.at(-1);
  return (
    <Panel
      title={t('overview.power')}
      className={styles.powerPanel}
      aside={
        <Switch
          size="xs"
          label={t('chart.table')}
          checked={asTable}
          onChange={(e) => setAsTable(e.currentTarget.checked)}
        />
      }
    >
      <div className={styles.powerHead}>
        <p className={styles.powerNow}>
          <Figure q={power(tag, watts)} />
        </p>
        <dl className={styles.facts}>
          <div>
            <dt>{t('speed.perMinute')}</dt>
            <dd>
              <Figure q={perMinute(tag, watts)} />
            </dd>
          </div>
          <div>
            <dt>{t('overview.offeredNow')}</dt>
            <dd>
              <Figure q={power(tag, summary && summary.offeredW > 0 ? summary.offeredW : null)} />
            </dd>
          </div>
          <div>
            <dt>{t('overview.peak')}</dt>
            <dd>
              <Figure q={power(tag, peak?.value)} />
              {peak && (
                <time
                  className={styles.factNote}
                  dateTime={new Date(peak.at * 1000).toISOString()}
                  title={exact(tag, peak.at * 1000, zone)}
                >
                  {hourMinute(tag, peak.at * 1000, zone)}
                </time>
              )}
            </dd>
          </div>
        </dl>
      </div>
      {day.error && !day.data ? (
        <Failed what={t('overview.curve')} error={day.error} retry={() => void day.refetch()} />
      ) : !day.data ? (
        <Skeleton rows={4} />
      ) : lines.now.at.length === 0 && lines.before.at.length === 0 ? (
        <Empty title={t('overview.noPower')}>
          <p>{t('overview.noPowerText')}</p>
        </Empty>
      ) : asTable ? (
        <PowerTable now={lines.now} before={lines.before} />
      ) : (
        <Suspense fallback={<div style={{ height: HEIGHT }} />}>
          <TimeChart
            label={t('overview.powerSpoken', {
              now: `${power(tag, watts).value} ${power(tag, watts).unit}`,
              peak: peak ? `${power(tag, peak.value).value} ${power(tag, peak.value).unit}` : '–',
            })}
            lines={drawn}
            from={from / 1000}
            to={to / 1000}
            unit={unit}
            height={HEIGHT}
            fill
          />
        </Suspense>
      )}
      {known !== undefined && known < 0.995 && !asTable && (
        <p className={`${styles.known} meta`}>{t('overview.known', { percent: Math.round(known * 100) })}</p>
      )}
    </Panel>
  );
}

function PowerTable({ now, before }: { now: PowerLine; before: PowerLine }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const past = new Map(before.at.map((x, i) => [x, before.value[i]]));
  // One row an hour: the table is to be read, the file has it all.
  const rows = now.at.flatMap((at, i) =>
    at % 3600 === 0 ? [{ at, now: now.value[i] ?? null, before: past.get(at) ?? null }] : [],
  );
  const cell = (v: number | null) => (v === null ? '–' : `${power(tag, v).value} ${power(tag, v).unit}`);
  return (
    <TableFrame label={t('overview.power')} className={`${styles.powerTable} scroll`}>
      <thead>
        <tr>
          <th scope="col">{t('chart.time')}</th>
          <th scope="col" className={table.end}>
            {t('overview.today24')}
          </th>
          <th scope="col" className={table.end}>
            {t('overview.lastWeek')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.reverse().map((r) => (
          <tr key={r.at}>
            <td className="num" title={exact(tag, r.at * 1000, zone)}>
              {hourMinute(tag, r.at * 1000, zone)}
            </td>
            <td className={`${table.end} num`}>{cell(r.now)}</td>
            <td className={`${table.end} num`}>{cell(r.before)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
