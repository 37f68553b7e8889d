// What history does not tell: prices, costs, what is promised.
import { NumberInput, Select, TextInput } from '@mantine/core';
import { useT, useTag } from '../../i18n/i18n';
import { Panel } from '../../ui/panel';
import styles from './planner.module.css';
import type { Question } from './queries';

export type Assumed = {
  currency: string;
  pricePerKwh: number;
  costPerKwh: number;
  costPerPort: number;
  demandChargePerKwMonth: number;
  promiseMinutes: number;
  promisePercent: number;
  horizonMonths: number;
  rule: 'equal' | 'first' | 'laxity';
  /** Of the site, in kW; 0 is none. */
  cap: number;
  /** Percent a year; null: as history shows. */
  yearly: number | null;
};

/** What a plan took, or what is usual. */
export function assumedOf(q: Question | undefined, gridLimitW: number | null | undefined): Assumed {
  const a = q?.assumptions;
  return {
    currency: a?.currency ?? 'EUR',
    pricePerKwh: a?.pricePerKwh ?? 0,
    costPerKwh: a?.costPerKwh ?? 0,
    costPerPort: a?.costPerPort ?? 0,
    demandChargePerKwMonth: a?.demandChargePerKwMonth ?? 0,
    promiseMinutes: a?.promiseMinutes ?? 5,
    promisePercent: a?.promisePercent ?? 10,
    horizonMonths: q?.horizonMonths ?? 24,
    rule: a?.rule ?? 'equal',
    cap: a?.capKw ?? Math.round((gridLimitW ?? 0) / 1000),
    yearly: a?.growthPercent ?? null,
  };
}

export function AssumptionsForm({ assumed, set }: { assumed: Assumed; set: (a: Assumed) => void }) {
  const t = useT();
  const tag = useTag();
  const point = new Intl.NumberFormat(tag).format(0.5).charAt(1);
  const number = (
    key:
      | 'pricePerKwh'
      | 'costPerKwh'
      | 'costPerPort'
      | 'demandChargePerKwMonth'
      | 'promiseMinutes'
      | 'promisePercent'
      | 'horizonMonths'
      | 'cap',
    suffix: string,
    max: number,
    min = 0,
  ) => (
    <NumberInput
      size="xs"
      label={t(`planner.assume.${key}`)}
      value={assumed[key]}
      onChange={(v) => typeof v === 'number' && set({ ...assumed, [key]: v })}
      min={min}
      max={max}
      clampBehavior="blur"
      suffix={suffix}
      decimalSeparator={point}
      allowedDecimalSeparators={['.', ',']}
      hideControls
    />
  );
  const per = assumed.currency || '¤';
  return (
    <Panel title={t('planner.assumptions')}>
      <div className={styles.assume}>
        {number('promisePercent', ' %', 100, 1)}
        {number('promiseMinutes', ' min', 240)}
        {number('horizonMonths', ` ${t('planner.months')}`, 120, 1)}
        <NumberInput
          size="xs"
          label={t('planner.assume.yearly')}
          placeholder={t('planner.assume.asHistory')}
          value={assumed.yearly ?? ''}
          onChange={(v) => set({ ...assumed, yearly: typeof v === 'number' ? v : null })}
          min={-50}
          max={300}
          suffix=" %"
          hideControls
        />
        {number('cap', ' kW', 100_000)}
        <Select
          size="xs"
          label={t('planner.assume.rule')}
          value={assumed.rule}
          onChange={(v) => v && set({ ...assumed, rule: v as Assumed['rule'] })}
          data={(['equal', 'first', 'laxity'] as const).map((r) => ({
            value: r,
            label: t(`planner.rule.${r}`),
          }))}
          allowDeselect={false}
        />
        {number('pricePerKwh', ` ${per}/kWh`, 1000)}
        {number('costPerKwh', ` ${per}/kWh`, 1000)}
        {number('costPerPort', ` ${per}`, 100_000_000)}
        {number('demandChargePerKwMonth', ` ${per}/kW`, 10_000)}
        <TextInput
          size="xs"
          label={t('planner.assume.currency')}
          value={assumed.currency}
          maxLength={3}
          onChange={(e) => set({ ...assumed, currency: e.currentTarget.value.toUpperCase() })}
        />
      </div>
    </Panel>
  );
}
