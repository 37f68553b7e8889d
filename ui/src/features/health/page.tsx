import { useQuery } from '@tanstack/react-query';
import { type ReactNode, Suspense, useMemo } from 'react';
import { count, type Quantity, storage, text } from '../../format/quantity';
import { DAY, exact, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Age, Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import styles from './health.module.css';
import { type Health, healthQuery, hourQuery, type Reading, type Verdict } from './queries';

const TimeChart = later(() => import('../../ui/timechart'));

const HOUR_S = 3600;
const GAPS = 20;

/** Is Chargewatch itself well? */
export default function HealthPage() {
  const t = useT();
  const { data, error, refetch } = useQuery(healthQuery());
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1 className={styles.title}>{t('health.title')}</h1>
          <p className="meta">{t('health.lead')}</p>
        </div>
        {data && <Overall health={data} />}
      </header>
      {error && !data ? (
        <Panel>
          <Failed what={t('health.part')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : !data ? (
        <Panel>
          <Skeleton rows={8} />
        </Panel>
      ) : (
        <>
          <Figures now={data.now} />
          <Parts verdicts={data.verdicts} />
          <Hour now={data.now} />
          <Watched health={data} />
          <About health={data} />
        </>
      )}
    </div>
  );
}

function Mark({ state, size = 16 }: { state: string; size?: number }) {
  if (state === 'failing') return <StateShape family="faulted" size={size} />;
  return (
    <span className={state === 'degraded' ? styles.degraded : styles.ok}>
      <Icon name={state === 'degraded' ? 'warn' : 'check'} size={size} />
    </span>
  );
}

function Overall({ health }: { health: Health }) {
  const t = useT();
  const n = health.verdicts.filter((v) => v.state === health.state).length;
  return (
    <p className={styles.overall} role="status">
      <Mark state={health.state} size={18} />
      {t(`health.${health.state}` as MessageKey, { n })}
    </p>
  );
}

function Figures({ now }: { now: Reading }) {
  const t = useT();
  const tag = useTag();
  const rate = (n: number): string =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
  const ms = (n: number): string => new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 }).format(n);
  const tile = (name: string, q: Quantity, note: ReactNode) => (
    <div className={styles.tile}>
      <p className="meta">{name}</p>
      <p className={styles.figure}>
        <Figure q={q} />
      </p>
      <p className="meta">{note}</p>
    </div>
  );
  const quiet = now.commitP99Ms === 0;
  return (
    <div className={styles.tiles}>
      {tile(
        t('health.commit'),
        { value: quiet ? '–' : ms(now.commitP99Ms), unit: 'ms' },
        quiet ? t('health.quiet') : t('health.median', { ms: ms(now.commitP50Ms) }),
      )}
      {tile(
        t('health.events'),
        { value: rate(now.eventsPerSecond), unit: t('health.perSecond') },
        t('health.queue', { n: now.queueWaiting }),
      )}
      {tile(
        t('health.stations'),
        { value: count(tag, now.stationsOnline), unit: '' },
        t('health.frames', { n: rate(now.framesPerSecond) }),
      )}
      {tile(
        t('health.screens'),
        { value: count(tag, now.liveClients), unit: '' },
        now.slowPerSecond > 0 ? t('health.slow', { n: rate(now.slowPerSecond) }) : t('health.noSlow'),
      )}
      {tile(
        t('health.memory'),
        storage(tag, now.memoryBytes),
        t('health.heap', { size: text(storage(tag, now.heapBytes)), n: count(tag, now.goroutines) }),
      )}
      {tile(
        t('health.disk'),
        storage(tag, now.diskFreeBytes),
        t('health.of', { total: text(storage(tag, now.diskTotalBytes)) }),
      )}
    </div>
  );
}

const weight = (state: string): number => ['failing', 'degraded', 'ok'].indexOf(state);

function Parts({ verdicts }: { verdicts: Verdict[] }) {
  const t = useT();
  const tag = useTag();
  const values = (v: Verdict) =>
    Object.fromEntries(
      Object.entries(v.values).map(([k, n]) => [
        k,
        new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(n),
      ]),
    );
  const sorted = verdicts.toSorted((a, b) => weight(a.state) - weight(b.state));
  return (
    <Panel title={t('health.parts')} flush>
      <ul className={styles.parts} aria-label={t('health.parts')}>
        {sorted.map((v) => (
          <li key={v.part}>
            <span>{t(`health.name.${v.part}` as MessageKey)}</span>
            <span className={styles.state}>
              <Mark state={v.state} />
              {t(`health.state.${v.state}` as MessageKey)}
            </span>
            <span className={v.state === 'ok' ? styles.calm : undefined}>
              {t(`verdict.${v.words}` as MessageKey, values(v))}
            </span>
            <span className={styles.calm}>
              {t('health.since')} <Age at={v.since} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Hour({ now }: { now: Reading }) {
  const t = useT();
  const { data, error, refetch } = useQuery(hourQuery());
  // The history is asked once; from then on what the page reads anyway goes on from it.
  const readings = useReadings(data, now);
  if (error && !data)
    return (
      <Panel title={t('health.hour')}>
        <Failed what={t('health.hourFailed')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel title={t('health.hour')}>
        <Skeleton rows={4} />
      </Panel>
    );
  const at = readings.map((r) => Date.parse(r.at) / 1000);
  const to = at.at(-1) ?? Date.now() / 1000;
  const from = Math.max(to - HOUR_S, Math.min(at[0] ?? to, to - 300));
  const line = (name: string, value: (r: Reading) => number, color: string) => ({
    name,
    at,
    value: readings.map(value),
    color,
  });
  const charts = [
    {
      label: t('health.chart.commit'),
      unit: 'ms',
      digits: 1,
      lines: [
        line(t('health.chart.p99'), (r) => r.commitP99Ms, '--s-charging'),
        line(t('health.chart.p50'), (r) => r.commitP50Ms, '--ink-2'),
      ],
    },
    {
      label: t('health.chart.events'),
      unit: t('health.perSecond'),
      digits: 0,
      lines: [line(t('health.events'), (r) => r.eventsPerSecond, '--s-charging')],
    },
    {
      label: t('health.chart.lag'),
      unit: '',
      digits: 0,
      lines: [
        line(t('health.chart.telemetry'), (r) => r.telemetryLag, '--s-charging'),
        line(t('health.chart.store'), (r) => r.storeLag, '--ink-2'),
        line(t('health.chart.live'), (r) => r.liveLag, '--s-suspended'),
        line(t('health.chart.detection'), (r) => r.detectionLag, '--s-faulted'),
      ],
    },
    {
      label: t('health.chart.memory'),
      unit: 'MB',
      digits: 0,
      lines: [
        line(t('health.chart.taken'), (r) => r.memoryBytes / 1e6, '--s-charging'),
        line(t('health.chart.heap'), (r) => r.heapBytes / 1e6, '--ink-2'),
      ],
    },
  ];
  return (
    <Panel title={t('health.hour')} aside={<ZoneNote />}>
      {readings.length < 3 ? (
        <p className="meta">{t('health.early')}</p>
      ) : (
        <div className={styles.charts}>
          {charts.map((c) => (
            <figure key={c.label} className={styles.chart}>
              <figcaption className="meta">{c.label}</figcaption>
              <Suspense fallback={<div style={{ height: 140 }} />}>
                <TimeChart {...c} from={from} to={to} height={140} top={1} />
              </Suspense>
            </figure>
          ))}
        </div>
      )}
    </Panel>
  );
}

/** The history and each newer reading, an hour of them. */
function useReadings(history: Reading[] | undefined, now: Reading): Reading[] {
  return useMemo(() => {
    if (!history) return [];
    const last = history.at(-1);
    if (!last || Date.parse(now.at) > Date.parse(last.at)) history.push(now);
    const from = Date.parse(now.at) - HOUR_S * 1000;
    while (history.length > 0 && Date.parse(history[0]!.at) < from) history.shift();
    return [...history];
  }, [history, now]);
}

function Watched({ health }: { health: Health }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const to = Date.parse(health.now.at);
  const from = health.observedFrom ? Date.parse(health.observedFrom) : to - 90 * DAY;
  const missed = health.unobserved.map((g) => ({ from: Date.parse(g.from), to: Date.parse(g.to) }));
  const total = missed.reduce((sum, g) => sum + (g.to - g.from), 0);
  const newest = missed.toReversed().slice(0, GAPS);
  const place = (at: number) => (100 * (at - from)) / Math.max(1, to - from);
  const since = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' }).format(from);
  return (
    <Panel title={t('health.watched')} aside={<ZoneNote />}>
      <div className={styles.watched}>
        <p className={styles.text}>
          {t('health.watchedText', { n: missed.length, from: since, total: span(total) })}
        </p>
        <div className={styles.band} role="img" aria-label={t('health.band', { from: since })}>
          {missed.map((g) => (
            <span
              key={g.from}
              style={{ left: `${place(g.from)}%`, width: `${place(g.to) - place(g.from)}%` }}
            />
          ))}
        </div>
        {newest.length > 0 && (
          <>
            <TableFrame label={t('health.watched')}>
              <thead>
                <tr>
                  <th scope="col">{t('health.gapFrom')}</th>
                  <th scope="col">{t('health.gapTo')}</th>
                  <th scope="col" className={table.end}>
                    {t('health.gapFor')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {newest.map((g) => (
                  <tr key={g.from}>
                    <td className="num">{exact(tag, g.from, zone)}</td>
                    <td className="num">{exact(tag, g.to, zone)}</td>
                    <td className={`${table.end} num`}>{span(g.to - g.from)}</td>
                  </tr>
                ))}
              </tbody>
            </TableFrame>
            {missed.length > GAPS && (
              <p className="meta">{t('health.gapsFirst', { n: GAPS, total: missed.length })}</p>
            )}
          </>
        )}
      </div>
    </Panel>
  );
}

function About({ health }: { health: Health }) {
  const t = useT();
  const tag = useTag();
  const last = health.jumps.at(-1);
  const facts: [string, ReactNode][] = [
    [
      t('health.version'),
      <span key="v" className="mono">
        {health.build}
      </span>,
    ],
    [
      t('health.runtime'),
      <span key="g" className="mono">
        {health.go}
      </span>,
    ],
    [t('health.machine'), t('health.cpus', { system: health.system, n: health.cpus })],
    [t('health.up'), <Age key="u" at={health.startedAt} />],
    [t('health.backup'), health.backupAt ? <Age key="b" at={health.backupAt} /> : t('health.noBackup')],
    [
      t('health.clock'),
      last
        ? t('health.clockJumped', { n: health.jumps.length, seconds: Math.round(last.seconds * 10) / 10 })
        : t('health.clockSteady'),
    ],
    [t('health.quirks'), t('health.quirksText', { n: count(tag, health.now.quirks) })],
    [t('health.dropped'), t('health.droppedText', { n: count(tag, health.now.framesDropped) })],
  ];
  return (
    <Panel title={t('health.server')}>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
