import { Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { statusEventsQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { DAY, dayTime, exact, HOUR, hourMinute, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { millis } from '../../ui/figures';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { familyKey, StateShape, statusKey } from '../../ui/state';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import { type Interval, intervals } from './intervals';
import styles from './timeline.module.css';

/** The last 24 hours of each port as a band of states. */
export function StateTimeline({ station }: { station: StationDetail }) {
  const t = useT();
  const { client } = useLive();
  const [asTable, setAsTable] = useState(false);
  const hour = useNow(HOUR);
  const now = useNow(10_000) + client.clockOffset;
  // Two days back, so that the day shown begins with a known state more often than not.
  const { data, error, refetch } = useQuery({
    ...statusEventsQuery(station.id, hour - DAY - DAY),
    placeholderData: keepPreviousData,
  });
  const from = now - DAY;
  const lanes = useMemo(
    () =>
      data
        ? station.evses.map((e) => ({
            evse: e.id,
            bands: intervals(data, e.id, from, now, {
              status: e.status,
              online: station.online,
              since: millis(station.online ? e.statusAt : station.disconnectedAt) || null,
            }),
          }))
        : [],
    [data, station, from, now],
  );
  if (station.evses.length === 0) return null;
  return (
    <Panel
      title={t('timeline.title')}
      aside={
        <>
          <ZoneNote />
          <Switch
            size="xs"
            label={t('curve.table')}
            checked={asTable}
            onChange={(e) => setAsTable(e.currentTarget.checked)}
          />
        </>
      }
      flush={asTable}
    >
      {error && !data ? (
        <Failed what={t('timeline.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : asTable ? (
        <Table lanes={lanes} />
      ) : (
        <Bands lanes={lanes} from={from} to={now} />
      )}
    </Panel>
  );
}

type Lane = { evse: number; bands: Interval[] };

function useWord() {
  const t = useT();
  return (b: Interval) =>
    b.status && b.family !== 'offline' ? t(statusKey(b.status)) : t(familyKey(b.family));
}

function Bands({ lanes, from, to }: { lanes: Lane[]; from: number; to: number }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const word = useWord();
  const share = (ms: number) => `${((ms / (to - from)) * 100).toFixed(3)}%`;
  const ticks = [0, 1, 2, 3, 4].map((k) => from + (k * (to - from)) / 4);
  const present = [...new Set(lanes.flatMap((l) => l.bands.map((b) => b.family)))];
  return (
    <div>
      {lanes.map((l) => (
        <div key={l.evse} className={styles.lane}>
          <span className={styles.name}>{t('port.n', { port: l.evse })}</span>
          <div
            className={styles.track}
            role="img"
            aria-label={t('timeline.spoken', {
              port: l.evse,
              states: l.bands.map((b) => `${word(b)} ${span(b.to - b.from)}`).join(', '),
            })}
          >
            {l.bands.map((b) => (
              <span
                key={b.from}
                className={styles.band}
                data-family={b.family}
                style={{ width: share(b.to - b.from) }}
                title={`${word(b)} · ${dayTime(tag, b.from, zone)} – ${hourMinute(tag, b.to, zone)} · ${span(b.to - b.from)}`}
              />
            ))}
          </div>
        </div>
      ))}
      <div className={styles.axis} aria-hidden="true">
        {ticks.map((x, k) => (
          <span key={k}>{k === ticks.length - 1 ? t('timeline.now') : hourMinute(tag, x, zone)}</span>
        ))}
      </div>
      <ul className={styles.key}>
        {present.map((f) => (
          <li key={f}>
            <StateShape family={f} size={14} /> {t(familyKey(f))}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Table({ lanes }: { lanes: Lane[] }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const word = useWord();
  const rows = lanes
    .flatMap((l) => l.bands.map((b) => ({ evse: l.evse, ...b })))
    .sort((a, b) => b.from - a.from);
  return (
    <TableFrame label={t('timeline.title')} className={`${styles.table} scroll`}>
      <thead>
        <tr>
          <th scope="col">{t('timeline.from')}</th>
          <th scope="col">{t('port.name')}</th>
          <th scope="col">{t('column.state')}</th>
          <th scope="col" className={table.end}>
            {t('sessions.duration')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((b) => (
          <tr key={`${b.evse}/${b.from}`}>
            <td className="num" title={exact(tag, b.from, zone)}>
              {dayTime(tag, b.from, zone)}
            </td>
            <td className="num">{b.evse}</td>
            <td>
              <span className={styles.cellState}>
                <StateShape family={b.family} size={14} /> {word(b)}
              </span>
            </td>
            <td className={`${table.end} num`}>{span(b.to - b.from)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
