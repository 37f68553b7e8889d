// How long cars stay, and for how much of it they charge.
import { lasting, percent } from '../../format/lasting';
import { count, text } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import styles from './patterns.module.css';
import { Quantiles } from './quantiles';
import type { Kpis, Spread } from './shapes';
import { told } from './tiles';

export function Stays({ of, beside }: { of: Kpis; beside: { name: string; of: Kpis } | null }) {
  const t = useT();
  const tag = useTag();
  const title = t('analytics.stays');
  const rows: { name: string; spread: Spread; quiet?: boolean }[] = [];
  const add = (name: string, spread: Spread | null | undefined, quiet?: boolean) => {
    if (spread && spread.n > 0) rows.push({ name, spread, quiet });
  };
  add(t('analytics.stays.plugged'), of.dwell);
  if (beside) add(beside.name, beside.of.dwell, true);
  add(t('analytics.stays.charging'), of.chargingTime);
  if (beside) add(beside.name, beside.of.chargingTime, true);
  const show = (key: keyof Spread) => ({
    csv: `${key}_seconds`,
    value: (r: (typeof rows)[number]) => Math.round(r.spread[key]),
    show: (r: (typeof rows)[number]) => text(lasting(tag, r.spread[key])),
  });
  return (
    <ChartPanel
      title={title}
      note={t('analytics.stays.note')}
      twin={{
        file: 'stays',
        rows,
        columns: [
          { name: t('analytics.col.what'), csv: 'what', words: true, value: (r) => r.name },
          {
            name: t('analytics.col.sessions'),
            csv: 'sessions',
            value: (r) => r.spread.n,
            show: (r) => count(tag, r.spread.n),
          },
          { name: '10 %', ...show('p10') },
          { name: '25 %', ...show('p25') },
          { name: t('analytics.col.median'), ...show('p50') },
          { name: '75 %', ...show('p75') },
          { name: '90 %', ...show('p90') },
          { name: t('analytics.col.mean'), ...show('mean') },
        ],
      }}
    >
      {rows.length === 0 ? (
        <p className={styles.notes}>{t('analytics.stays.none')}</p>
      ) : (
        <>
          <Quantiles rows={rows} />
          {of.idleShare !== null && (
            <p className={styles.notes}>
              {t('analytics.stays.idle', { share: told(percent(tag, of.idleShare)) })}
            </p>
          )}
        </>
      )}
    </ChartPanel>
  );
}
