import { Button, Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Suspense, useMemo, useState } from 'react';
import { powerQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { useRange, useSetRange } from '../../app/view';
import { energy, NONE, power, rated, text } from '../../format/quantity';
import { perMinute } from '../../format/speed';
import { DAY, dayTime, exact, hourMinute } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { powerLine, scaledLine, unitFor } from '../../ui/powerline';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import styles from './site.module.css';

const TimeChart = later(() => import('../../ui/timechart'));
const HEIGHT = 200;
// A step is drawn by its mean, and by its highest minute where that says more.
const COARSE = 600;

/** What the site draws, against what its connection carries. */
export function LoadPanel({ site, powerW }: { site: Site; powerW: number | undefined }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { from, to } = useRange();
  const setRange = useSetRange();
  const [asTable, setAsTable] = useState(false);
  const { data, error, refetch } = useQuery({
    ...powerQuery(site.id, from, to),
    placeholderData: keepPreviousData,
  });
  const mean = useMemo(() => powerLine(data), [data]);
  const top = useMemo(() => powerLine(data, 0, 'max'), [data]);
  const limit = site.gridLimitW;
  const peak = data?.peak;
  const { unit, scale } = unitFor(Math.max(limit, peak?.powerW ?? 0));
  const coarse = (data?.stepSeconds ?? 0) >= COARSE;
  const lines = useMemo(
    () => [
      { name: t('here.mean'), ...scaledLine(mean, scale), color: '--s-charging', fill: true },
      ...(coarse ? [{ name: t('here.highest'), ...scaledLine(top, scale), color: '--ink-2', width: 1 }] : []),
    ],
    [mean, top, coarse, scale, t],
  );
  const drawn = useMemo(() => {
    const step = data?.stepSeconds ?? 0;
    return mean.value.reduce<number>((sum, v) => sum + ((v ?? 0) * step) / 3600, 0);
  }, [mean, data]);
  const known = data && data.known.length > 0 ? data.known.reduce((a, b) => a + b, 0) / data.known.length : 1;
  const long = to - from > DAY;
  const when = (ms: number) => (long ? dayTime(tag, ms, zone) : hourMinute(tag, ms, zone));
  const share = (watts: number | undefined) =>
    watts === undefined || limit <= 0 ? NONE : `${Math.round((watts / limit) * 100)}`;
  return (
    <Panel
      title={t('here.load')}
      className={styles.loadPanel}
      aside={
        <>
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            leftSection={<Icon name="download" size={14} />}
            disabled={mean.at.length === 0}
            onClick={() =>
              saveCsv(
                `power-${site.id}`,
                ['from', 'minW', 'meanW', 'maxW', 'knownShare'],
                (data?.points ?? []).map((p, i) => [p[0] as string, p[1], p[2], p[3], data?.known[i]]),
              )
            }
          >
            {t('export.csv')}
          </Button>
          <Switch
            size="xs"
            label={t('chart.table')}
            checked={asTable}
            onChange={(e) => setAsTable(e.currentTarget.checked)}
          />
        </>
      }
    >
      <dl className={styles.facts}>
        <div>
          <dt>{t('here.now')}</dt>
          <dd>
            <Figure q={power(tag, powerW)} />
          </dd>
        </div>
        <div>
          <dt>{t('speed.perMinute')}</dt>
          <dd>
            <Figure q={perMinute(tag, powerW)} />
          </dd>
        </div>
        <div>
          <dt>{t('here.ofLimit')}</dt>
          <dd>
            <Figure q={{ value: share(powerW), unit: '%' }} />
          </dd>
        </div>
        <div>
          <dt>{t('here.peak')}</dt>
          <dd>
            <Figure q={power(tag, peak?.powerW)} />
            {peak && (
              <time
                className={styles.factNote}
                dateTime={peak.at}
                title={exact(tag, Date.parse(peak.at), zone)}
              >
                {when(Date.parse(peak.at))}
              </time>
            )}
          </dd>
        </div>
        <div>
          <dt>{t('here.energy')}</dt>
          <dd>
            <Figure q={energy(tag, data ? drawn : null)} />
          </dd>
        </div>
      </dl>
      {error && !data ? (
        <Failed what={t('here.loadWhat')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={5} />
      ) : mean.at.length === 0 ? (
        <Empty title={t('here.noLoad')}>
          <p>{t('here.noLoadText')}</p>
        </Empty>
      ) : asTable ? (
        <TableFrame label={t('here.load')} className={`${styles.table} scroll`}>
          <thead>
            <tr>
              <th scope="col">{t('chart.time')}</th>
              <th scope="col" className={table.end}>
                {t('here.mean')}
              </th>
              <th scope="col" className={table.end}>
                {t('here.highest')}
              </th>
              <th scope="col" className={table.end}>
                {t('here.ofLimit')}
              </th>
            </tr>
          </thead>
          <tbody>
            {data.points
              .slice(-400)
              .reverse()
              .map((p) => (
                <tr key={String(p[0])}>
                  <td className="num" title={exact(tag, Date.parse(String(p[0])), zone)}>
                    {when(Date.parse(String(p[0])))}
                  </td>
                  <td className={`${table.end} num`}>{text(power(tag, p[2] as number))}</td>
                  <td className={`${table.end} num`}>{text(power(tag, p[3] as number))}</td>
                  <td className={`${table.end} num`}>{share(p[3] as number)} %</td>
                </tr>
              ))}
          </tbody>
        </TableFrame>
      ) : (
        <Suspense fallback={<div style={{ height: HEIGHT }} />}>
          <TimeChart
            label={t('here.loadSpoken', {
              peak: text(power(tag, peak?.powerW)),
              limit: limit > 0 ? `${rated(tag, limit)} kW` : NONE,
            })}
            lines={lines}
            from={from / 1000}
            to={to / 1000}
            unit={unit}
            height={HEIGHT}
            fill
            limit={
              limit > 0
                ? { value: limit * scale, name: t('here.limitLine', { value: text(power(tag, limit)) }) }
                : undefined
            }
            mark={
              peak
                ? {
                    at: Date.parse(peak.at) / 1000,
                    value: peak.powerW * scale,
                    text:
                      limit > 0
                        ? t('here.peakOfLimit', {
                            value: text(power(tag, peak.powerW)),
                            percent: share(peak.powerW),
                          })
                        : t('here.peakIs', { value: text(power(tag, peak.powerW)) }),
                  }
                : undefined
            }
            onSelect={setRange}
          />
        </Suspense>
      )}
      {known < 0.995 && mean.at.length > 0 && (
        <p className={`${styles.note} meta`}>{t('here.known', { percent: Math.round(known * 100) })}</p>
      )}
    </Panel>
  );
}
