// The sliders, what the formula says of where they stand, and the way to a
// simulation.
import { Button, Slider, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api, ok } from '../../api/client';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSetSearch } from '../analytics/search';
import type { Assumed } from './assumptions';
import { fine } from './figures';
import { Intervals } from './intervals';
import styles from './planner.module.css';
import { type Plan, type Question, type QuickAnswer, quickQuery, type Scenario } from './queries';
import { DEFAULTS, LEAST, MOST, type PlannerSearch } from './search';

type Props = { site: string; search: PlannerSearch; assumed: Assumed; may: boolean };

function Dial({
  label,
  value,
  show,
  set,
  min,
  max,
  step = 1,
}: {
  label: string;
  value: number;
  show: string;
  set: (v: number) => void;
  min: number;
  max: number;
  step?: number;
}) {
  const id = useId();
  return (
    <div className={styles.dial}>
      <span id={id}>{label}</span>
      <output className="num">{show}</output>
      <Slider
        className={styles.slider!}
        aria-labelledby={id}
        thumbLabel={label}
        value={value}
        onChange={set}
        min={min}
        max={max}
        step={step}
        size="sm"
        label={null}
      />
    </div>
  );
}

export function Dials({ site, search, assumed, may }: Props) {
  const t = useT();
  const tag = useTag();
  const setSearch = useSetSearch<PlannerSearch>();
  const [add, setAdd] = useState(search.add ?? DEFAULTS.add);
  const [patience, setPatience] = useState(search.patience ?? DEFAULTS.patience);
  const [growth, setGrowth] = useState(search.growth ?? DEFAULTS.growth);
  const [dialled, setCap] = useState(search.cap);
  const cap = dialled ?? assumed.cap;
  const keep = (part: PlannerSearch) => setSearch(part);
  const dials = { addPorts: add, patience, growth, cap, promise: assumed.promiseMinutes };
  const [asked] = useDebouncedValue(dials, 150);
  const quick = useQuery(quickQuery(site, asked));
  const most = Math.max(200, Math.ceil((assumed.cap * 2) / 50) * 50, cap);
  const own = (v: number, usual: number) => (v === usual ? undefined : v);
  return (
    <div className={styles.instant}>
      <Panel title={t('planner.whatIf')}>
        <div className={styles.dials}>
          <Dial
            label={t('planner.dial.add')}
            value={add}
            show={add > 0 ? `+${add}` : String(add)}
            set={(v) => {
              setAdd(v);
              keep({ add: own(v, DEFAULTS.add) });
            }}
            min={LEAST.add}
            max={MOST.add}
          />
          <Dial
            label={t('planner.dial.patience')}
            value={patience}
            show={patience === 0 ? t('planner.nobodyWaits') : `${patience} min`}
            set={(v) => {
              setPatience(v);
              keep({ patience: own(v, DEFAULTS.patience) });
            }}
            min={LEAST.patience}
            max={MOST.patience}
          />
          <Dial
            label={t('planner.dial.growth')}
            value={growth}
            show={`${growth > 0 ? '+' : ''}${growth} %`}
            set={(v) => {
              setGrowth(v);
              keep({ growth: own(v, DEFAULTS.growth) });
            }}
            min={LEAST.growth}
            max={MOST.growth}
            step={5}
          />
          <Dial
            label={t('planner.dial.cap')}
            value={cap}
            show={cap === 0 ? t('planner.noCap') : `${fine(tag, cap)} kW`}
            set={(v) => {
              setCap(v);
              keep({ cap: own(v, assumed.cap) });
            }}
            min={0}
            max={most}
            step={10}
          />
        </div>
        {may && <Simulate site={site} assumed={assumed} dials={dials} />}
      </Panel>
      {quick.error ? (
        <Panel>
          <Failed what={t('planner.atOnce')} error={quick.error} retry={() => void quick.refetch()} />
        </Panel>
      ) : !quick.data ? (
        <Panel title={t('planner.atOnce')}>
          <Skeleton rows={5} />
        </Panel>
      ) : quick.data.now && quick.data.then ? (
        <Formula
          now={quick.data.now}
          then={quick.data.then}
          steps={quick.data.steps}
          promise={assumed.promisePercent}
        />
      ) : (
        <Panel title={t('planner.atOnce')}>
          <Empty title={t('planner.tooLittle')}>{quick.data.missing}</Empty>
        </Panel>
      )}
    </div>
  );
}

/** What a formula says of the busiest hours: now, and with what the sliders change. */
function Formula({
  now,
  then,
  steps,
  promise,
}: {
  now: QuickAnswer;
  then: QuickAnswer;
  steps: QuickAnswer[];
  promise: number;
}) {
  const t = useT();
  const tag = useTag();
  const pair = (label: string, of: (a: QuickAnswer) => number, unit: string) => (
    <div className={styles.pair}>
      <dt>{label}</dt>
      <dd className="num">
        <span className={styles.was}>{fine(tag, of(now))}</span>
        <Icon name="right" size={14} />
        <strong>{fine(tag, of(then))}</strong>
        <span className="unit">{unit}</span>
      </dd>
    </div>
  );
  const why = then.inRange ? now.why : then.why;
  return (
    <ChartPanel
      title={t('planner.atOnce')}
      note={t('planner.atOnceNote', { kind: then.kind.toUpperCase(), n: fine(tag, then.perHour) })}
      twin={{
        file: 'ports-by-formula',
        rows: steps,
        columns: [
          { name: t('planner.ports'), csv: 'ports', value: (s) => s.ports },
          {
            name: t('planner.m.broken'),
            csv: 'broken_percent',
            value: (s) => s.brokenPercent,
            show: (s) => `${fine(tag, s.brokenPercent)} %`,
          },
          {
            name: t('planner.m.wait'),
            csv: 'wait_minutes',
            value: (s) => s.waitMinutes,
            show: (s) => `${fine(tag, s.waitMinutes)} min`,
          },
          {
            name: t('planner.m.lost'),
            csv: 'lost_percent',
            value: (s) => s.lostPercent,
            show: (s) => `${fine(tag, s.lostPercent)} %`,
          },
          {
            name: t('planner.m.use'),
            csv: 'utilisation_percent',
            value: (s) => s.utilisationPercent,
            show: (s) => `${fine(tag, s.utilisationPercent)} %`,
          },
        ],
      }}
    >
      <dl className={styles.pairs}>
        {pair(t('planner.m.wait'), (a) => a.waitMinutes, 'min')}
        {pair(t('planner.m.broken'), (a) => a.brokenPercent, '%')}
        {pair(t('planner.m.leave'), (a) => a.lostPercent, '%')}
        {pair(t('planner.m.use'), (a) => a.utilisationPercent, '%')}
      </dl>
      {!(then.inRange && now.inRange) && (
        <p className={styles.warn} role="status">
          <Icon name="warn" size={16} />
          {t('planner.outside', { why: why.map((w) => t(`planner.why.${w as 'varied'}`)).join(' ') })}
        </p>
      )}
      <Intervals
        label={t('planner.byPorts')}
        unit="%"
        limit={promise}
        lines={steps.map((s) => ({
          key: String(s.ports),
          name: t('planner.nPorts', { n: s.ports }),
          value: { mean: s.brokenPercent, low: s.brokenPercent, high: s.brokenPercent },
          mark: s.ports === then.ports,
        }))}
      />
    </ChartPanel>
  );
}

/** The scenarios of a question: 1 to 4 more ports now and later, and what the sliders say. */
function question(site: string, name: string, a: Assumed, d: Dialled): Question {
  const scenarios: Scenario[] = [];
  const known = new Set<string>();
  const try_ = (s: Scenario) => {
    const key = JSON.stringify(s);
    if (!known.has(key)) scenarios.push(s);
    known.add(key);
  };
  const most = Math.max(4, d.addPorts);
  for (const atHorizon of [false, true])
    for (let n = 1; n <= most; n++) try_({ addPorts: n, ...(atHorizon ? { atHorizon } : {}) });
  const own: Scenario = {};
  if (d.addPorts !== 0) own.addPorts = d.addPorts;
  if (d.growth !== 0) own.growthPercent = d.growth;
  if (d.cap !== a.cap) own.capKw = d.cap;
  if (Object.keys(own).length > 0) try_(own);
  return {
    site,
    ...(name ? { name } : {}),
    horizonMonths: a.horizonMonths,
    assumptions: {
      patienceMinutes: d.patience,
      promiseMinutes: a.promiseMinutes,
      promisePercent: a.promisePercent,
      currency: a.currency,
      pricePerKwh: a.pricePerKwh,
      costPerKwh: a.costPerKwh,
      costPerPort: a.costPerPort,
      demandChargePerKwMonth: a.demandChargePerKwMonth,
      capKw: a.cap,
      rule: a.rule,
      ...(a.yearly === null ? {} : { growthPercent: a.yearly }),
    },
    scenarios,
  };
}

type Dialled = { addPorts: number; patience: number; growth: number; cap: number };

function Simulate({ site, assumed, dials }: { site: string; assumed: Assumed; dials: Dialled }) {
  const t = useT();
  const client = useQueryClient();
  const setSearch = useSetSearch<PlannerSearch>();
  const [name, setName] = useState('');
  const send = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/analytics/plans', { body: question(site, name.trim(), assumed, dials) }),
      ) as Promise<Plan>,
    onSuccess: (p) => {
      client.setQueryData(['plans', 'one', p.id], p);
      void client.invalidateQueries({ queryKey: ['plans', 'list', site] });
      setSearch({ plan: p.id, beside: undefined });
      setName('');
    },
  });
  return (
    <form
      className={styles.simulate}
      onSubmit={(e) => {
        e.preventDefault();
        send.mutate();
      }}
    >
      <TextInput
        size="xs"
        aria-label={t('planner.name')}
        placeholder={t('planner.name')}
        value={name}
        maxLength={80}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <Button size="xs" type="submit" loading={send.isPending}>
        {t('planner.simulate')}
      </Button>
      <FormFault what={t('planner.notAsked')} error={send.error} />
    </form>
  );
}
