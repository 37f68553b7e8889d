import { Button } from '@mantine/core';
import { kilowatts } from '../../format/quantity';
import { dayTime, exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { StateShape } from '../../ui/state';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import { faultKey } from './fault-words';
import type { Joined } from './lanes';
import { useShownWord } from './readout';
import type { Line } from './series';
import styles from './timeline.module.css';
import type { Shown } from './track';

const MOST = 500;

type Row = {
  key: string;
  from: number;
  to: number | null;
  what: string;
  says: string;
  family: Shown | null;
  late: boolean;
};

/** The same as the lanes, as two tables: what happened, and what was measured. */
export function TimelineTable({ station, port, joined }: { station: string; port: number; joined: Joined }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const word = useShownWord();
  const rows: Row[] = [
    ...joined.ports.flatMap((p) =>
      p.bands.map((b) => ({
        key: `p${p.id}/${b.from}`,
        ...b,
        what: t('port.n', { port: p.id }),
        says: word(b),
      })),
    ),
    ...joined.links.map((b) => ({
      key: `l/${b.from}`,
      ...b,
      what: t('station.connection'),
      says: b.family === 'available' ? t('timeline.online') : word(b),
      family: b.family === 'available' ? null : b.family,
    })),
    ...joined.faults.map((f, i) => ({
      key: `f${i}/${f.seq}`,
      from: f.from,
      to: f.clearedAt ? f.to : null,
      what: f.evse > 0 ? t('port.n', { port: f.evse }) : t('station.whole'),
      says: [faultKey(f.code) ? t(faultKey(f.code)!) : f.code, f.vendorCode, f.info]
        .filter(Boolean)
        .join(' · '),
      family: 'faulted' as const,
      late: f.late,
    })),
    ...joined.commands.map((c) => ({
      key: `c${c.id}`,
      from: Date.parse(c.requestedAt),
      to: null,
      what: t('timeline.command'),
      says: `${c.action}: ${t(`outcome.short.${c.status}`)}`,
      family: null,
      late: false,
    })),
  ].sort((a, b) => b.from - a.from);
  const times = [...new Set([...joined.power, ...joined.soc, ...joined.temperature].flatMap(filled))].sort(
    (a, b) => b - a,
  );
  const columns = [joined.power[0], joined.power[1], joined.soc[0], joined.temperature[0]].map(
    (l) => new Map(l?.at.map((x, i) => [x, l.value[i]])),
  );
  const value = (k: number, x: number) => columns[k]!.get(x) ?? null;
  const cell = (k: number, x: number) => {
    const v = value(k, x);
    return v === null ? '–' : kilowatts(tag, v * 1000);
  };
  const names = [
    `${t('curve.power')} kW`,
    `${t('port.offered')} kW`,
    `${t('port.soc')} %`,
    `${t('timeline.temperature')} °C`,
  ];
  return (
    <div className={styles.tables}>
      <div>
        <div className={styles.tableHead}>
          <h3>{t('timeline.events')}</h3>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() =>
              saveCsv(
                `${station}-states`,
                ['from', 'to', 'what', 'state', 'toldLater'],
                rows.map((r) => [
                  new Date(r.from).toISOString(),
                  r.to === null ? '' : new Date(r.to).toISOString(),
                  r.what,
                  r.says,
                  r.late,
                ]),
              )
            }
          >
            {t('export.csv')}
          </Button>
        </div>
        <TableFrame label={t('timeline.events')} className={`${styles.table} scroll`}>
          <thead>
            <tr>
              <th scope="col">{t('timeline.from')}</th>
              <th scope="col">{t('timeline.what')}</th>
              <th scope="col">{t('column.state')}</th>
              <th scope="col" className={table.end}>
                {t('sessions.duration')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map((r) => (
              <tr key={r.key}>
                <td className="num" title={exact(tag, r.from, zone)}>
                  {dayTime(tag, r.from, zone)}
                </td>
                <td>{r.what}</td>
                <td className={table.prose}>
                  <span className={styles.cellState}>
                    {r.family !== null && r.family !== 'unseen' && <StateShape family={r.family} size={14} />}
                    {r.says}
                    {r.late && <span className="meta">{t('timeline.late')}</span>}
                  </span>
                </td>
                <td className={`${table.end} num`}>{r.to === null ? '–' : span(r.to - r.from)}</td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
        {rows.length > MOST && <p className={styles.more}>{t('timeline.more', { n: rows.length - MOST })}</p>}
      </div>
      <div>
        <div className={styles.tableHead}>
          <h3>{t('timeline.measured', { port })}</h3>
          <Button
            size="compact-xs"
            variant="default"
            disabled={times.length === 0}
            onClick={() =>
              saveCsv(
                `${station}-${port}-values`,
                ['at', 'powerKw', 'offeredKw', 'socPercent', 'temperatureC'],
                times.map((x) => [new Date(x * 1000).toISOString(), ...[0, 1, 2, 3].map((k) => value(k, x))]),
              )
            }
          >
            {t('export.csv')}
          </Button>
        </div>
        <TableFrame label={t('timeline.measured', { port })} className={`${styles.table} scroll`}>
          <thead>
            <tr>
              <th scope="col">{t('curve.time')}</th>
              {names.map((n) => (
                <th key={n} scope="col" className={table.end}>
                  {n}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.slice(0, MOST).map((x) => (
              <tr key={x}>
                <td className="num" title={exact(tag, x * 1000, zone)}>
                  {dayTime(tag, x * 1000, zone)}
                </td>
                {names.map((n, k) => (
                  <td key={n} className={`${table.end} num`}>
                    {cell(k, x)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </TableFrame>
        {times.length > MOST && (
          <p className={styles.more}>{t('timeline.more', { n: times.length - MOST })}</p>
        )}
      </div>
    </div>
  );
}

const filled = (l: Line): number[] => l.at.filter((_, i) => l.value[i] !== null && l.value[i] !== undefined);
