// The figures of the use, each with what it is a share of, and what it was in
// the period or at the site it is compared with.
import type { ReactNode } from 'react';
import { count, energy, NONE, power, type Quantity } from '../../format/quantity';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { Figure } from '../../ui/figures';
import styles from './patterns.module.css';
import type { Kpis } from './shapes';
import { hoursText } from './weekdays';

const ABSENT: Quantity = { value: NONE, unit: '' };

const written = (tag: string, n: number, digits: number): string =>
  new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

/** Three digits at most: 7.25 %, 23.4 %, 100 %. */
export function percentOf(tag: string, share: number | null | undefined): Quantity {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  const n = share * 100;
  const digits = n === 0 || Math.abs(n) >= 99.95 ? 0 : Math.abs(n) >= 9.995 ? 1 : 2;
  return { value: written(tag, n, digits), unit: '%' };
}

export function few(tag: string, n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return NONE;
  const digits = n >= 99.5 ? 0 : n >= 9.95 ? 1 : 2;
  return written(tag, n, digits);
}

/** In a column, where digits stand under digits. */
export const percentCell = (tag: string, share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined ? NONE : `${written(tag, share * 100, digits)} %`;

export const cell = (tag: string, n: number | null | undefined, digits: number): string =>
  n === null || n === undefined ? NONE : written(tag, n, digits);

/** A number with its unit in a text; nothing but a dash when it is not known. */
export const told = (q: Quantity): string => (q.value === NONE ? NONE : `${q.value} ${q.unit}`.trimEnd());

/** "+2.1 points" for shares, "+12 %" for whatever else. */
function change(
  t: Translate,
  tag: string,
  now: number | null | undefined,
  was: number | null | undefined,
  share: boolean,
): string | null {
  if (now === null || now === undefined || was === null || was === undefined) return null;
  const signed = (n: number, digits: number) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: digits, signDisplay: 'exceptZero' })
      .format(n)
      .replace('-', '−');
  if (share) return t('analytics.points', { n: signed((now - was) * 100, 1) });
  if (was === 0) return null;
  return `${signed((100 * (now - was)) / was, Math.abs(now / was - 1) < 0.1 ? 1 : 0)} %`;
}

export function Tiles({ of, beside }: { of: Kpis; beside: { name: string; of: Kpis } | null }) {
  const t = useT();
  const tag = useTag();
  const tile = (
    name: string,
    q: Quantity,
    note: ReactNode,
    value: (k: Kpis) => number | null | undefined,
    share = false,
  ) => {
    const by = beside ? change(t, tag, value(of), value(beside.of), share) : null;
    return (
      <div className={styles.tile}>
        <p className="meta">{name}</p>
        <p className={styles.figure}>
          <Figure q={q} />
          {by && (
            <span className={`num ${styles.change}`} title={beside?.name}>
              {by}
            </span>
          )}
        </p>
        <p className="meta num">{note}</p>
      </div>
    );
  };
  const both = (s: Kpis['occupiedShare']) =>
    t('analytics.tile.calendar', { share: told(percentOf(tag, s.calendar)) });
  return (
    <section className={styles.tiles} aria-label={t('analytics.figures')}>
      {tile(
        t('analytics.tile.occupied'),
        percentOf(tag, of.occupiedShare.operative),
        both(of.occupiedShare),
        (k) => k.occupiedShare.operative,
        true,
      )}
      {tile(
        t('analytics.tile.charging'),
        percentOf(tag, of.chargingShare.operative),
        both(of.chargingShare),
        (k) => k.chargingShare.operative,
        true,
      )}
      {tile(
        t('analytics.tile.prime'),
        percentOf(tag, of.primeTime?.share),
        of.primeTime
          ? t('analytics.tile.primeNote', { hours: hoursText(of.primeTime.fromHour, of.primeTime.toHour) })
          : t('analytics.unknown'),
        (k) => k.primeTime?.share,
        true,
      )}
      {tile(
        t('analytics.tile.idle'),
        percentOf(tag, of.idleShare),
        t('analytics.tile.idleNote'),
        (k) => k.idleShare,
        true,
      )}
      {tile(
        t('analytics.tile.throughput'),
        of.throughputWhPerPortDay === null
          ? ABSENT
          : { value: few(tag, of.throughputWhPerPortDay / 1000), unit: 'kWh' },
        of.energyWh === null
          ? t('analytics.noEnergy')
          : t('analytics.tile.energyNote', { energy: told(energy(tag, of.energyWh)) }),
        (k) => k.throughputWhPerPortDay,
      )}
      {tile(
        t('analytics.tile.turnover'),
        { value: few(tag, of.turnoverPerPortDay), unit: '' },
        t('analytics.tile.turnoverNote', { n: of.sessions, shown: count(tag, of.sessions) }),
        (k) => k.turnoverPerPortDay,
      )}
      {tile(
        t('analytics.tile.average'),
        of.averagePowerW === null ? ABSENT : power(tag, of.averagePowerW),
        t('analytics.tile.averageNote'),
        (k) => k.averagePowerW,
      )}
      {tile(
        t('analytics.tile.peak'),
        of.peakW === null ? ABSENT : power(tag, of.peakW),
        t('analytics.tile.peakNote'),
        (k) => k.peakW,
      )}
    </section>
  );
}
