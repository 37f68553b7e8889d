// Sites beside each other, by any figure; a site's name opens its patterns.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { count, NONE, power } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { Icon } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { ShareBar } from './barrows';
import styles from './patterns.module.css';
import { type PatternsSearch, SORTS, type Sort, useSetSearch } from './search';
import type { SiteKpis } from './shapes';
import { cell, percentCell, told } from './tiles';

type Site = SiteKpis;

const VALUES: Record<Sort, (s: Site) => number | string | null> = {
  name: (s) => s.name || s.site,
  ports: (s) => s.ports,
  occupied: (s) => s.occupiedShare.operative,
  charging: (s) => s.chargingShare.operative,
  prime: (s) => s.primeTime?.share ?? null,
  allBusy: (s) => s.allBusyShare,
  throughput: (s) => s.throughputWhPerPortDay,
  turnover: (s) => s.turnoverPerPortDay,
  idle: (s) => s.idleShare,
  peak: (s) => s.peakW,
  observed: (s) => s.observedShare,
};

/** The most first, names from A; what is not known comes last either way. */
export function sorted(sites: readonly Site[], by: Sort, tag: string): Site[] {
  const value = VALUES[by];
  return [...sites].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return x === y ? a.name.localeCompare(b.name, tag) : x === null ? 1 : -1;
    return typeof x === 'string' ? x.localeCompare(String(y), tag) : Number(y) - x;
  });
}

const SHOWN = 25;

export function Sites({ sites, by }: { sites: readonly Site[]; by: Sort }) {
  const t = useT();
  const tag = useTag();
  const set = useSetSearch<PatternsSearch>();
  const [all, setAll] = useState(false);
  const rows = sorted(sites, by, tag);
  const most = Math.max(0, ...sites.map((s) => s.occupiedShare.operative ?? 0));
  const cells: Record<Exclude<Sort, 'name' | 'occupied'>, (s: Site) => string> = {
    ports: (s) => count(tag, s.ports),
    charging: (s) => percentCell(tag, s.chargingShare.operative),
    prime: (s) => percentCell(tag, s.primeTime?.share),
    allBusy: (s) => percentCell(tag, s.allBusyShare),
    throughput: (s) =>
      s.throughputWhPerPortDay === null ? NONE : cell(tag, s.throughputWhPerPortDay / 1000, 1),
    turnover: (s) => cell(tag, s.turnoverPerPortDay, 2),
    idle: (s) => percentCell(tag, s.idleShare),
    peak: (s) => (s.peakW === null ? NONE : told(power(tag, s.peakW))),
    observed: (s) => percentCell(tag, s.observedShare),
  };
  return (
    <Panel
      title={t('analytics.compared')}
      flush
      aside={
        <Button
          size="xs"
          variant="default"
          className={paper.screenOnly ?? ''}
          leftSection={<Icon name="download" size={14} />}
          onClick={() =>
            saveCsv(
              'sites',
              ['site', ...SORTS],
              rows.map((s) => [s.site, ...SORTS.map((c) => VALUES[c](s))]),
            )
          }
        >
          {t('chart.csv')}
        </Button>
      }
    >
      <TableFrame label={t('analytics.compared')} className={styles.table!}>
        <thead>
          <tr>
            {SORTS.map((c) => (
              <th
                scope="col"
                key={c}
                className={c === 'name' ? styles.name : table.end}
                aria-sort={c === by ? (c === 'name' ? 'ascending' : 'descending') : undefined}
              >
                <button
                  type="button"
                  className={styles.sort}
                  data-on={c === by}
                  onClick={() => set({ sort: c === 'occupied' ? undefined : c })}
                >
                  {t(`analytics.sort.${c}`)}
                  {c === by && ' ↓'}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(all ? rows : rows.slice(0, SHOWN)).map((s) => (
            <tr key={s.site}>
              {SORTS.map((c) =>
                c === 'name' ? (
                  <th scope="row" key={c} className={styles.name}>
                    <Link
                      to="/analytics"
                      search={(was: object) => ({ ...was, site: s.site, sites: undefined }) as never}
                    >
                      {s.name || s.site}
                    </Link>
                  </th>
                ) : c === 'occupied' ? (
                  <td key={c} className={`${table.end} num`}>
                    <span className={styles.barCell}>
                      <ShareBar
                        share={
                          most > 0 && s.occupiedShare.operative !== null
                            ? s.occupiedShare.operative / most
                            : null
                        }
                      />
                      <span>{percentCell(tag, s.occupiedShare.operative)}</span>
                    </span>
                  </td>
                ) : (
                  <td key={c} className={`${table.end} num`}>
                    {cells[c](s)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {rows.length > SHOWN && (
        <div className={styles.more}>
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setAll((v) => !v)}>
            {all ? t('analytics.fewer') : t('analytics.allRows', { n: rows.length })}
          </Button>
        </div>
      )}
    </Panel>
  );
}
