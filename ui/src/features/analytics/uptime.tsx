// How much of the time ports could serve: by time, not by lines of a log; time
// nobody saw is told apart, planned work with and without.
import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { lasting } from '../../format/lasting';
import { count, NONE } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Part } from './part';
import styles from './patterns.module.css';
import { type Asked, uptimeQuery } from './queries';
import type { Up, UptimeAnswer } from './shapes';
import { percentCell, told } from './tiles';

export type UpRow = Up & { key: string; name: string; site: string; station: string | null };

/** Sites worst first, each followed by its stations if it is the only one. */
export function rowsOf(sites: UptimeAnswer['sites']): UpRow[] {
  const worst = (a: Up, b: Up) => (a.availability ?? 2) - (b.availability ?? 2);
  const only = sites.length === 1;
  return [...sites]
    .sort(worst)
    .flatMap((s) => [
      { ...s, key: s.site, name: s.name || s.site, station: null },
      ...(only
        ? [...s.stations]
            .sort(worst)
            .map((x) => ({ ...x, key: `${s.site}/${x.station}`, site: s.site, name: x.name || x.station }))
        : []),
    ]);
}

const SHOWN = 25;

/** Nearly always is not always: nothing is rounded up to all of it. */
function uptime(tag: string, share: number | null): string {
  if (share === null) return NONE;
  return percentCell(tag, Math.floor(share * 1e4) / 1e4, 2);
}

export function Uptime({ asked, live }: { asked: Asked; live: (station: string) => boolean }) {
  const t = useT();
  const tag = useTag();
  const [all, setAll] = useState(false);
  const query = useQuery({ ...uptimeQuery(asked), placeholderData: keepPreviousData });
  const title = t('analytics.uptime');
  const time = (seconds: number | null) => {
    const q = lasting(tag, seconds);
    return told(q);
  };
  return (
    <Part title={title} query={query} rows={5}>
      {({ sites }) => {
        const rows = rowsOf(sites);
        const columns = [
          {
            name: t('analytics.uptime.planned'),
            csv: 'without_planned',
            value: (r: UpRow) => r.withoutPlanned,
            show: (r: UpRow) => uptime(tag, r.withoutPlanned),
          },
          {
            name: t('analytics.sort.observed'),
            csv: 'observed_share',
            value: (r: UpRow) => r.observedShare,
            show: (r: UpRow) => percentCell(tag, r.observedShare),
          },
          {
            name: t('analytics.uptime.failures'),
            csv: 'failures',
            value: (r: UpRow) => r.failures,
            show: (r: UpRow) => (r.failures === null ? NONE : count(tag, r.failures)),
          },
          {
            name: 'MTBF',
            csv: 'mtbf_seconds',
            value: (r: UpRow) => r.mtbfSeconds,
            show: (r: UpRow) => time(r.mtbfSeconds),
          },
          {
            name: 'MTTR',
            csv: 'mttr_seconds',
            value: (r: UpRow) => r.mttrSeconds,
            show: (r: UpRow) => time(r.mttrSeconds),
          },
        ];
        const what = sites.length === 1 ? t('analytics.uptime.stations') : t('analytics.uptime.sites');
        return (
          <ChartPanel
            title={title}
            note={t('analytics.uptime.note')}
            twin={{
              file: 'uptime',
              rows,
              columns: [
                { name: what, csv: 'name', words: true, value: (r) => r.name },
                {
                  name: t('analytics.uptime.available'),
                  csv: 'availability',
                  value: (r) => r.availability,
                  show: (r) => uptime(tag, r.availability),
                },
                ...columns,
              ],
            }}
          >
            {rows.length === 0 ? (
              <p className={styles.nothing}>{t('analytics.uptime.none')}</p>
            ) : (
              <TableFrame label={title} className={`${styles.table} ${styles.bleed}`}>
                <thead>
                  <tr>
                    <th scope="col" className={styles.name}>
                      {what}
                    </th>
                    <th scope="col" className={table.end}>
                      {t('analytics.uptime.available')}
                    </th>
                    {columns.map((c) => (
                      <th scope="col" key={c.csv} className={table.end}>
                        {c.name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {(all ? rows : rows.slice(0, SHOWN)).map((r) => (
                    <tr key={r.key} data-station={r.station !== null}>
                      <th scope="row" className={styles.name}>
                        {r.station === null || !live(r.station) ? (
                          r.name
                        ) : (
                          <Link to="/stations/$id" params={{ id: r.station }}>
                            {r.name}
                          </Link>
                        )}
                      </th>
                      <td className={`${table.end} num`}>{uptime(tag, r.availability)}</td>
                      {columns.map((c) => (
                        <td key={c.csv} className={`${table.end} num`}>
                          {c.show(r)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </TableFrame>
            )}
            {rows.length > SHOWN && (
              <div className={styles.more}>
                <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setAll((v) => !v)}>
                  {all ? t('analytics.fewer') : t('analytics.allRows', { n: rows.length })}
                </Button>
              </div>
            )}
          </ChartPanel>
        );
      }}
    </Part>
  );
}
