import { useQuery } from '@tanstack/react-query';
import { sessionsQuery } from '../../api/queries';
import type { Session, StationDetail } from '../../api/shapes';
import { kilowatts, sessionEnergy } from '../../format/quantity';
import { dayTime, exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Figure } from '../../ui/figures';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import { flagWords, stopWords } from './session-words';
import styles from './sessions.module.css';

export function Sessions({ station }: { station: StationDetail }) {
  const t = useT();
  const { data, error, refetch } = useQuery(sessionsQuery(station.id));
  return (
    <Panel title={t('sessions.title')} flush aside={<ZoneNote />}>
      {error && !data ? (
        <Failed what={t('sessions.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton />
      ) : data.length === 0 ? (
        <Empty title={t('sessions.none')}>{t('sessions.noneText')}</Empty>
      ) : (
        <TableFrame label={t('sessions.title')}>
          <thead>
            <tr>
              <th scope="col">{t('sessions.started')}</th>
              <th scope="col">{t('port.name')}</th>
              <th scope="col">{t('sessions.duration')}</th>
              <th scope="col" className={table.end}>
                {t('port.energy')}
              </th>
              <th scope="col" className={table.end}>
                {t('sessions.peak')}
              </th>
              <th scope="col" className={table.end}>
                {t('port.soc')}
              </th>
              <th scope="col">{t('sessions.token')}</th>
              <th scope="col">{t('sessions.end')}</th>
              <th scope="col">{t('sessions.record')}</th>
            </tr>
          </thead>
          <tbody>
            {data.map((s) => (
              <Line key={s.id} session={s} />
            ))}
          </tbody>
        </TableFrame>
      )}
    </Panel>
  );
}

function Line({ session: s }: { session: Session }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const start = Date.parse(s.startedAt);
  const end = s.endedAt ? Date.parse(s.endedAt) : now;
  const soc = (v: number | null) => (v === null ? null : Math.round(v));
  const from = soc(s.socStartPercent);
  const to = soc(s.socEndPercent);
  return (
    <tr>
      <td className="num">
        <time dateTime={s.startedAt} title={exact(tag, start, zone)}>
          {dayTime(tag, start, zone)}
        </time>
      </td>
      <td className="num">{s.evse}</td>
      <td className="num">{span(end - start)}</td>
      <td className={table.end}>
        <Figure q={sessionEnergy(tag, s.energyWh)} className={styles.small} />
      </td>
      <td className={table.end}>
        {s.peakPowerW > 0 ? (
          <Figure q={{ value: kilowatts(tag, s.peakPowerW), unit: 'kW' }} className={styles.small} />
        ) : (
          '–'
        )}
      </td>
      <td className={`${table.end} num`}>
        {from !== null && to !== null ? `${from} → ${to} %` : to !== null ? `${to} %` : '–'}
      </td>
      <td className="mono">{s.idToken || '–'}</td>
      <td>
        {s.state === 'active' ? (
          <span className={styles.active}>
            <StateShape family="charging" size={14} /> {t('sessions.running')}
          </span>
        ) : (
          stopWords(t, s)
        )}
      </td>
      <td className={table.prose}>
        {s.flags.length === 0 ? (
          <span className="meta">{t('sessions.clean')}</span>
        ) : (
          s.flags.map((f) => (
            <span key={f} className={styles.flag}>
              {flagWords(t, f)}
            </span>
          ))
        )}
      </td>
    </tr>
  );
}
