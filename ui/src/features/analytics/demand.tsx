// The highest quarter hour of each month, and what it costs where power is
// charged for.
import { NumberInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { NONE, power } from '../../format/quantity';
import { dayTime } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { useZone } from '../../ui/zone';
import { BarRows } from './barrows';
import { Part } from './part';
import styles from './patterns.module.css';
import { type Asked, peaksQuery } from './queries';
import { told } from './tiles';

export function monthName(tag: string, month: string): string {
  return new Intl.DateTimeFormat(tag, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    Date.parse(`${month}-15T12:00Z`),
  );
}

export function Demand({
  asked,
  rate,
  setRate,
}: {
  asked: Asked;
  rate: number | undefined;
  setRate: (rate: number | undefined) => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const query = useQuery({ ...peaksQuery(asked, rate), placeholderData: keepPreviousData });
  const title = t('analytics.demand');
  const put = useDebouncedCallback((v: number | string) => setRate(v === '' ? undefined : Number(v)), 400);
  const money = (n: number) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: n < 100 ? 2 : 0 }).format(n);
  return (
    <Part title={title} query={query} rows={5}>
      {({ months }) => {
        const most = Math.max(1, ...months.map((m) => m.peakW));
        return (
          <ChartPanel
            title={title}
            note={t('analytics.demand.note')}
            aside={
              <NumberInput
                size="xs"
                className={styles.rate ?? ''}
                aria-label={t('analytics.demand.rate')}
                placeholder={t('analytics.demand.rate')}
                title={t('analytics.demand.rateText')}
                min={0}
                max={10_000}
                decimalScale={4}
                hideControls
                defaultValue={rate ?? ''}
                onChange={put}
              />
            }
            twin={{
              file: 'power-peaks',
              rows: months,
              columns: [
                {
                  name: t('analytics.col.month'),
                  csv: 'month',
                  words: true,
                  value: (m) => m.month,
                  show: (m) => monthName(tag, m.month),
                },
                {
                  name: t('analytics.col.peak'),
                  csv: 'peak_w',
                  value: (m) => m.peakW,
                  show: (m) => told(power(tag, m.peakW)),
                },
                {
                  name: t('analytics.col.when'),
                  csv: 'at',
                  words: true,
                  value: (m) => m.at,
                  show: (m) => dayTime(tag, Date.parse(m.at), zone),
                },
                {
                  name: t('analytics.col.charge'),
                  csv: 'charge',
                  value: (m) => m.charge,
                  show: (m) => (m.charge === null ? NONE : money(m.charge)),
                },
              ],
            }}
          >
            {months.length === 0 ? (
              <p className={styles.notes}>{t('analytics.demand.none')}</p>
            ) : (
              <BarRows
                label={title}
                rows={months.map((m) => ({
                  key: m.month,
                  name: monthName(tag, m.month),
                  share: m.peakW / most,
                  value: told(power(tag, m.peakW)),
                  note: [
                    dayTime(tag, Date.parse(m.at), zone),
                    m.charge !== null && t('analytics.demand.charge', { cost: money(m.charge) }),
                  ]
                    .filter(Boolean)
                    .join(' · '),
                }))}
              />
            )}
          </ChartPanel>
        );
      }}
    </Part>
  );
}
