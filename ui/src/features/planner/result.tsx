// A plan and its answer: the sentence first, then the figures behind it.
import { Button, Progress, SegmentedControl } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { day } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Empty, Panel } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { useZone } from '../../ui/zone';
import { fine, interval } from './figures';
import { Intervals } from './intervals';
import styles from './planner.module.css';
import { type Interval, type Outcome, over, type Plan, type Result } from './queries';

type Measure = {
  key: 'broken' | 'wait' | 'lost' | 'kwh' | 'peak' | 'gain';
  unit: string;
  of: (o: Outcome) => Interval | null;
};

const money = (currency: string | undefined, per: string) => `${currency || '¤'}/${per}`;

function measures(r: Result, currency: string | undefined, month: string, week: string): Measure[] {
  const list: Measure[] = [
    { key: 'broken', unit: '%', of: (o) => o.brokenPercent },
    { key: 'wait', unit: 'min', of: (o) => o.waitMinutes },
    { key: 'lost', unit: '%', of: (o) => o.lostPercent },
  ];
  if (r.demand.meanKwh !== null) {
    list.push({ key: 'kwh', unit: `kWh/${week}`, of: (o) => o.kwhPerWeek });
    list.push({ key: 'peak', unit: 'kW', of: (o) => o.peakKw });
  }
  if (r.outcomes.some((o) => o.gainPerMonth))
    list.push({ key: 'gain', unit: money(currency, month), of: (o) => o.gainPerMonth });
  return list;
}

/** What a plan says, in a sentence, and what it stands on; or how far it is. */
export function Answer({ plan, site, may }: { plan: Plan; site: string; may: boolean }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const title = plan.name || t('planner.planOf', { site });
  if (!over(plan)) return <Running plan={plan} title={title} may={may} />;
  if (!plan.result) return <Broken plan={plan} title={title} may={may} />;
  const r = plan.result;
  if (!r.enough)
    return (
      <Panel title={title}>
        <Empty title={t('planner.tooLittle')}>{plan.sentence}</Empty>
      </Panel>
    );
  return (
    <Panel
      title={title}
      aside={
        <>
          <span className="meta">
            <Age at={plan.endedAt} />
          </span>
          <Button
            className={paper.screenOnly!}
            size="xs"
            variant="default"
            leftSection={<Icon name="download" size={14} />}
            onClick={() => window.print()}
          >
            {t('planner.save')}
          </Button>
        </>
      }
    >
      <p className={styles.sentence}>{plan.sentence}</p>
      <p className="meta">
        {t('planner.basis', {
          from: day(tag, Date.parse(r.from), zone),
          to: day(tag, Date.parse(r.to), zone),
          sessions: r.demand.sessions,
          runs: r.replications,
        })}
      </p>
      <Facts plan={plan} result={r} />
    </Panel>
  );
}

function Facts({ plan, result: r }: { plan: Plan; result: Result }) {
  const t = useT();
  const tag = useTag();
  const d = r.demand;
  const facts: [string, string, string?][] = [
    [
      t('planner.fact.demand'),
      t('planner.perWeek', { n: fine(tag, d.perWeek) }),
      t('planner.fact.seen', { n: fine(tag, d.seenPerWeek), p: fine(tag, d.censoredPercent) }),
    ],
    [
      t('planner.fact.session'),
      `${fine(tag, d.meanMinutes)} min`,
      d.meanKwh === null ? undefined : `${fine(tag, d.meanKwh)} kWh`,
    ],
    [
      t('planner.fact.growth'),
      d.yearlyPercent === null
        ? t('planner.notKnown')
        : t('planner.perYear', { n: fine(tag, d.yearlyPercent) }),
      d.yearlyLow === null || d.yearlyHigh === null
        ? undefined
        : t('planner.between', { low: fine(tag, d.yearlyLow), high: fine(tag, d.yearlyHigh) }),
    ],
    [t('planner.fact.busiest'), hours(r, t)],
    [
      t('planner.fact.serves'),
      String(r.site.serves),
      r.site.capKw > 0 ? t('planner.capped', { n: fine(tag, r.site.capKw) }) : undefined,
    ],
  ];
  return (
    <>
      <dl className={styles.facts}>
        {facts.map(([name, value, note]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
            {note && <dd className="meta num">{note}</dd>}
          </div>
        ))}
      </dl>
      {r.notes.length > 0 && (
        <ul className={styles.notes}>
          {r.notes.map((n) => (
            <li key={n}>{t(`planner.note.${n as 'noTrend'}`, { n: plan.question.horizonMonths ?? 24 })}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** "Mo–Fr 16–19 h, Sa 12–14 h": runs of hours that days have in common. */
function hours(r: Result, t: ReturnType<typeof useT>): string {
  const byDay = new Map<number, number[]>();
  for (const { weekday, hour } of r.busiestHours) byDay.set(weekday, [...(byDay.get(weekday) ?? []), hour]);
  const spans = (list: number[]) => {
    const out: string[] = [];
    let from = -1;
    let to = -1;
    for (const h of [...list].sort((a, b) => a - b)) {
      if (h !== to) {
        if (from >= 0) out.push(`${from}–${to}`);
        from = h;
      }
      to = h + 1;
    }
    if (from >= 0) out.push(`${from}–${to}`);
    return out.join(', ');
  };
  const groups: { first: number; last: number; text: string }[] = [];
  for (let d = 1; d <= 7; d++) {
    const list = byDay.get(d);
    if (!list) continue;
    const text = spans(list);
    const before = groups.at(-1);
    if (before && before.last === d - 1 && before.text === text) before.last = d;
    else groups.push({ first: d, last: d, text });
  }
  const name = (d: number) => t(`planner.day.${d as 1}`);
  return groups
    .map((g) =>
      t('planner.span', {
        days: g.first === g.last ? name(g.first) : `${name(g.first)}–${name(g.last)}`,
        hours: g.text,
      }),
    )
    .join('; ');
}

/** The scenarios of a plan that has an answer. */
export function Outcomes({ plan }: { plan: Plan }) {
  const r = plan.result;
  return over(plan) && r?.enough ? <Scenarios plan={plan} result={r} /> : null;
}

function Scenarios({ plan, result: r }: { plan: Plan; result: Result }) {
  const t = useT();
  const tag = useTag();
  const q = plan.question;
  const list = measures(r, q.assumptions?.currency, t('planner.month'), t('planner.week'));
  const [chosen, setChosen] = useState<Measure['key']>('broken');
  const m = list.find((x) => x.key === chosen) ?? list[0]!;
  const later = t('planner.later', { n: q.horizonMonths ?? 24 });
  const later_ = (o: Outcome) => o.scenario.atHorizon === true;
  const name = (i: number) => (plan.titles[i] ?? '').replace(/, (at the horizon|am Horizont)$/, '');
  const rows = r.outcomes.map((o, i) => ({ o, i }));
  const value = (pick: (o: Outcome) => Interval | null) => ({
    value: (x: { o: Outcome }) => pick(x.o)?.mean ?? null,
    show: (x: { o: Outcome }) => {
      const v = pick(x.o);
      return v ? interval(tag, v) : '–';
    },
  });
  const cur = q.assumptions?.currency || '¤';
  return (
    <ChartPanel
      title={t('planner.outcomes')}
      note={t(`planner.mNote.${m.key}`)}
      twin={{
        file: `plan-${plan.id}`,
        rows,
        columns: [
          { name: t('planner.scenario'), csv: 'scenario', value: (x) => plan.titles[x.i], words: true },
          { name: t('planner.ports'), csv: 'ports', value: (x) => x.o.ports },
          { name: `${t('planner.m.broken')}, %`, csv: 'broken_percent', ...value((o) => o.brokenPercent) },
          { name: `${t('planner.m.wait')}, min`, csv: 'wait_minutes', ...value((o) => o.waitMinutes) },
          {
            name: `${t('planner.m.p95')}, min`,
            csv: 'wait_p95_minutes',
            value: (x) => x.o.waitP95Minutes,
            show: (x) => fine(tag, x.o.waitP95Minutes),
          },
          { name: `${t('planner.m.lost')}, %`, csv: 'lost_percent', ...value((o) => o.lostPercent) },
          { name: t('planner.m.more'), csv: 'more_sessions_per_week', ...value((o) => o.moreServedPerWeek) },
          { name: t('planner.m.moreKwh'), csv: 'more_kwh_per_week', ...value((o) => o.moreKwhPerWeek) },
          {
            name: `${t('planner.m.use')}, %`,
            csv: 'utilisation_percent',
            ...value((o) => o.utilisationPercent),
          },
          { name: `${t('planner.m.peak')}, kW`, csv: 'peak_kw', ...value((o) => o.peakKw) },
          {
            name: `${t('planner.m.perPort')}, ${cur}`,
            csv: 'gain_per_port_month',
            ...value((o) => o.gainPerPortMonth),
          },
          {
            name: `${t('planner.m.payback')}, ${t('planner.months')}`,
            csv: 'payback_months',
            value: (x) => x.o.payback?.months ?? null,
            show: (x) =>
              !x.o.payback
                ? '–'
                : x.o.payback.months === null
                  ? t('planner.never')
                  : `${fine(tag, x.o.payback.months)} (${x.o.payback.low === null ? t('planner.never') : fine(tag, x.o.payback.low)}–${x.o.payback.high === null ? t('planner.never') : fine(tag, x.o.payback.high)})`,
          },
        ],
      }}
    >
      <div className={`${styles.measures} ${paper.screenOnly}`}>
        <SegmentedControl
          size="xs"
          aria-label={t('planner.measure')}
          value={m.key}
          onChange={(v) => setChosen(v as Measure['key'])}
          data={list.map((x) => ({ value: x.key, label: t(`planner.m.${x.key}`) }))}
        />
      </div>
      <Intervals
        label={`${t('planner.outcomes')}: ${t(`planner.m.${m.key}`)}`}
        unit={m.unit}
        limit={m.key === 'broken' ? (q.assumptions?.promisePercent ?? 10) : undefined}
        lines={rows
          .filter(({ o }) => m.key !== 'gain' || o.gainPerMonth)
          .map(({ o, i }) => ({
            key: String(i),
            name: name(i),
            value: m.of(o),
            group: later_(o) ? later : t('planner.now'),
            mark: i === r.recommended && !r.kept,
          }))}
      />
      {r.recommended !== null && !r.kept && (
        <p className={styles.key}>
          <i className={styles.markKey} />
          {t('planner.best')}
        </p>
      )}
    </ChartPanel>
  );
}

function Running({ plan, title, may }: { plan: Plan; title: string; may: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => ok(api.POST('/analytics/plans/{id}/cancel', { params: { path: { id: plan.id } } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ['plans'] }),
  });
  const share = Math.round(100 * plan.progress);
  return (
    <Panel
      title={title}
      aside={
        may && (
          <Button size="xs" variant="default" onClick={() => stop.mutate()} loading={stop.isPending}>
            {t('planner.cancel')}
          </Button>
        )
      }
    >
      <p className={styles.running} role="status">
        {plan.state === 'queued' ? t('planner.queued') : t('planner.running', { n: share })}
      </p>
      <Progress value={share} aria-label={t('planner.progress')} size="sm" />
    </Panel>
  );
}

function Broken({ plan, title, may }: { plan: Plan; title: string; may: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () => ok(api.POST('/analytics/plans/{id}/again', { params: { path: { id: plan.id } } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ['plans'] }),
  });
  return (
    <Panel title={title}>
      <Empty
        title={t(`planner.state.${plan.state}`)}
        action={
          may && (
            <Button variant="default" onClick={() => again.mutate()} loading={again.isPending}>
              {t('planner.again')}
            </Button>
          )
        }
      >
        {plan.state === 'failed' ? t('planner.failedText') : t('planner.stoppedText')}
      </Empty>
      <FormFault what={t('planner.notAsked')} error={again.error} />
    </Panel>
  );
}
