// The hours in which most is going on, in words, and what they carry.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { percent } from '../../format/lasting';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { BarRows } from './barrows';
import type { Beside } from './heat';
import { Part } from './part';
import styles from './patterns.module.css';
import { type Asked, peaksQuery } from './queries';
import type { PeaksAnswer, Window } from './shapes';
import { percentOf, told } from './tiles';
import { hoursText, weekdaysText } from './weekdays';

export function Peaks({
  asked,
  own,
  beside,
  rate,
}: {
  asked: Asked;
  own: string;
  beside: Beside | null;
  rate: number | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const query = useQuery({ ...peaksQuery(asked, rate), placeholderData: keepPreviousData });
  const other = useQuery({
    ...peaksQuery(beside?.asked ?? asked, rate),
    placeholderData: keepPreviousData,
    enabled: beside !== null,
  });
  const title = t('analytics.peaks');
  const when = useWhen();
  return (
    <Part title={title} query={query} rows={8} nothing={(d) => d.windows.length === 0}>
      {(data) => (
        <ChartPanel
          title={title}
          note={t('analytics.peaks.note')}
          twin={{
            file: 'peaks',
            rows: data.windows,
            columns: [
              { name: t('analytics.col.when'), csv: 'window', words: true, value: when },
              {
                name: t('analytics.measure.occupied'),
                csv: 'occupied_share',
                value: (w) => w.occupiedShare,
                show: (w) => told(percentOf(tag, w.occupiedShare)),
              },
              {
                name: t('analytics.col.energyShare'),
                csv: 'energy_share',
                value: (w) => w.energyShare,
                show: (w) => told(percentOf(tag, w.energyShare)),
              },
              { name: t('analytics.col.weeks'), csv: 'weeks', value: (w) => w.weeks },
              { name: t('analytics.col.stable'), csv: 'stable_weeks', value: (w) => w.stableWeeks },
            ],
          }}
        >
          {beside && <p className={styles.mapName}>{own}</p>}
          <Hours of={data} label={beside ? `${title}: ${own}` : title} />
          {beside && other.data && (
            <>
              <p className={`${styles.mapName} ${styles.second}`}>{beside.name}</p>
              <Hours of={other.data} label={`${title}: ${beside.name}`} />
            </>
          )}
        </ChartPanel>
      )}
    </Part>
  );
}

function useWhen(): (w: Window) => string {
  const t = useT();
  const tag = useTag();
  return (w) =>
    t('analytics.peaks.when', {
      days: weekdaysText(tag, w.weekdays),
      hours: hoursText(w.fromHour, w.toHour),
    });
}

function Hours({ of: { windows, primeTime: prime }, label }: { of: PeaksAnswer; label: string }) {
  const t = useT();
  const tag = useTag();
  const when = useWhen();
  return (
    <>
      {prime && (
        <p className={styles.prime}>
          {t('analytics.peaks.prime', {
            hours: hoursText(prime.fromHour, prime.toHour),
            share: told(percent(tag, prime.share)),
          })}
        </p>
      )}
      {windows.length === 0 ? (
        <p className={styles.notes}>{t('analytics.peaks.flat')}</p>
      ) : (
        <BarRows
          label={label}
          rows={windows.map((w) => ({
            key: `${w.weekdays.join('')}-${w.fromHour}`,
            name: when(w),
            share: w.occupiedShare,
            value: t('analytics.peaks.busy', { share: told(percent(tag, w.occupiedShare)) }),
            note: [
              w.energyShare !== null &&
                t('analytics.peaks.energy', { share: told(percent(tag, w.energyShare)) }),
              t('analytics.peaks.stable', { n: w.stableWeeks, of: w.weeks }),
            ]
              .filter(Boolean)
              .join(' · '),
          }))}
        />
      )}
    </>
  );
}
