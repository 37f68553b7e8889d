// How well incidents were handled in a stretch of time: the figures, how they
// went, by what they differ, and what is promised.
import { Button, SegmentedControl, Select } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useScope } from '../../app/view';
import { lasting, percent } from '../../format/lasting';
import { count, NONE, type Quantity, text } from '../../format/quantity';
import { dayMonth, hourMinute } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import chip from '../../ui/chip.module.css';
import { Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import listPage from '../../ui/listpage.module.css';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { ownZone, useZone, ZoneProvider } from '../../ui/zone';
import inbox from '../incidents/page.module.css';
import { SeverityLabel, SeverityShape, severityKey } from '../incidents/severity';
import { SEVERITIES } from '../incidents/shape';
import { kindText } from '../incidents/words';
import { PrecisionPanel } from '../response/precision';
import { type Bar, Bars } from './bars';
import styles from './measures.module.css';
import { Promises } from './promises';
import { type Answer, type Asked, type Figures, figuresQuery, type Group, tableAddress } from './queries';
import { DEFAULT, GROUPS, type GroupBy, type MeasuresSearch, SPAN_NAMES, type Span } from './search';

const route = getRouteApi('/inside/incidents/figures');

export default function MeasuresPage() {
  const site = useScope();
  const sites = useSites();
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <Measures />
    </ZoneProvider>
  );
}

function Measures() {
  const t = useT();
  const site = useScope();
  const zone = useZone();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const span: Span = search.span ?? DEFAULT;
  const asked: Asked = { span, site, severity: search.sev, kind: search.kind, zone: zone ?? ownZone() };
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...figuresQuery(asked),
    placeholderData: keepPreviousData,
  });
  const change = (part: Partial<MeasuresSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  return (
    <div className={styles.page}>
      <header className={`${inbox.head} ${styles.head}`}>
        <h1 className={listPage.title}>{t('nav.incidents')}</h1>
        <nav className={inbox.tabs} aria-label={t('measures.views')}>
          <Link to="/incidents" search={{}} activeOptions={{ exact: true }} className={inbox.tab}>
            {t('measures.list')}
          </Link>
          <span className={inbox.tab} aria-current="page">
            {t('measures.figures')}
          </span>
        </nav>
      </header>
      <div className={`${inbox.bar} ${styles.filters}`}>
        <SegmentedControl
          size="xs"
          aria-label={t('measures.span')}
          value={span}
          onChange={(v) => change({ span: v === DEFAULT ? undefined : (v as Exclude<Span, '30d'>) })}
          data={SPAN_NAMES.map((s) => ({ value: s, label: t(`measures.span.${s}`) }))}
        />
        <fieldset className={inbox.severities}>
          <legend className="srOnly">{t('measures.severities')}</legend>
          {SEVERITIES.map((s) => {
            const chosen = search.sev?.split(',') ?? [];
            return (
              <button
                key={s}
                type="button"
                className={chip.chip}
                aria-pressed={chosen.includes(s)}
                onClick={() =>
                  change({
                    sev: SEVERITIES.filter((x) => (x === s) !== chosen.includes(x)).join(',') || undefined,
                  })
                }
              >
                <SeverityShape severity={s} size={12} />
                <span>{s}</span>
                <span className={inbox.chipWord}>{t(severityKey(s))}</span>
              </button>
            );
          })}
        </fieldset>
        <Kinds asked={asked} value={search.kind} set={(kind) => change({ kind })} />
        <Button
          component="a"
          href={tableAddress(asked)}
          download
          size="xs"
          variant="default"
          className={styles.save}
          leftSection={<Icon name="download" size={14} />}
        >
          {t('measures.save.csv')}
        </Button>
      </div>
      {error && !data ? (
        <Panel>
          <Failed what={t('measures.part')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : !data ? (
        <Panel>
          <Skeleton rows={8} />
        </Panel>
      ) : (
        <div className={styles.parts} data-old={isPlaceholderData} aria-busy={isPlaceholderData}>
          {data.all.opened + data.all.closed === 0 ? (
            <Panel>
              <Empty title={t('measures.none')}>{t('measures.noneText')}</Empty>
            </Panel>
          ) : (
            <>
              <Tiles answer={data} />
              <Course answer={data} />
              <Groups answer={data} by={search.by ?? 'kind'} change={change} />
            </>
          )}
          <PrecisionPanel site={site} />
          <Promises />
          <Formulas answer={data} />
        </div>
      )}
    </div>
  );
}

/** The kinds that there were, most frequent first, whichever is chosen. */
function Kinds({
  asked,
  value,
  set,
}: {
  asked: Asked;
  value: string | undefined;
  set: (kind: string | undefined) => void;
}) {
  const t = useT();
  const { data } = useQuery({
    ...figuresQuery({ ...asked, kind: undefined }),
    placeholderData: keepPreviousData,
  });
  const kinds = data?.byKind.map((g) => g.key) ?? [];
  if (value && !kinds.includes(value)) kinds.push(value);
  return (
    <Select
      size="xs"
      className={styles.kind}
      aria-label={t('measures.kind')}
      placeholder={t('measures.kind')}
      clearable
      searchable
      clearButtonProps={{ 'aria-label': t('filter.clear') }}
      nothingFoundMessage={t('measures.noKind')}
      value={value ?? null}
      onChange={(v) => set(v ?? undefined)}
      data={kinds.map((k) => {
        const { text: what, code } = kindText(t, k);
        return { value: k, label: code ? `${what} (${code})` : what };
      })}
    />
  );
}

function Tiles({ answer: { all: f } }: { answer: Answer }) {
  const t = useT();
  const tag = useTag();
  const tile = (name: string, q: Quantity, note: ReactNode) => (
    <div className={styles.tile}>
      <p className="meta">{name}</p>
      <p className={styles.figure}>
        <Figure q={q} />
      </p>
      <p className="meta">{note}</p>
    </div>
  );
  const kept = (p: Figures['repair']) =>
    p.kept + p.breached === 0
      ? t('measures.noneDue')
      : t('measures.keptOf', { kept: count(tag, p.kept), of: count(tag, p.kept + p.breached) });
  const healed = f.healed.machine + f.healed.itself + f.healed.people;
  return (
    <div className={styles.tiles}>
      {tile(
        t('measures.opened'),
        { value: count(tag, f.opened), unit: '' },
        t('measures.openedNote', { closed: count(tag, f.closed), open: count(tag, f.open) }),
      )}
      {tile(t('measures.mtta'), lasting(tag, f.mttaSeconds), t('measures.mttaNote', { n: f.acknowledged }))}
      {tile(
        t('measures.mttr'),
        lasting(tag, f.mttrSeconds),
        f.medianRepairSeconds === null
          ? t('measures.noneRepaired')
          : t('measures.mttrNote', { median: text(lasting(tag, f.medianRepairSeconds)) }),
      )}
      {tile(t('measures.mtbf'), lasting(tag, f.mtbfPortSeconds), t('measures.mtbfNote', { n: f.failures }))}
      {tile(
        t('measures.repeated'),
        percent(tag, f.opened === 0 ? null : f.repeated / f.opened),
        t('measures.repeatedNote', { n: f.repeated }),
      )}
      {tile(
        t('measures.machine'),
        percent(tag, f.machineShare),
        healed === 0
          ? t('measures.noneRepaired')
          : t('measures.machineNote', {
              itself: count(tag, f.healed.itself),
              people: count(tag, f.healed.people),
            }),
      )}
      {tile(t('measures.ackKept'), percent(tag, f.acknowledge.keptShare), kept(f.acknowledge))}
      {tile(t('measures.repairKept'), percent(tag, f.repair.keptShare), kept(f.repair))}
    </div>
  );
}

function Course({ answer }: { answer: Answer }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const bars = (value: (f: Figures) => number | null): Bar[] =>
    answer.course.map((p, i) => {
      const at = Date.parse(p.at);
      // Before there was a station nothing was watched, which is not the same as nothing happened.
      const end = Date.parse(answer.course[i + 1]?.at ?? answer.to);
      const watched = answer.watchedFrom !== null && end > Date.parse(answer.watchedFrom);
      const day = dayMonth(tag, at, zone);
      return {
        at: p.at,
        name:
          answer.step === 'hour'
            ? `${day}, ${hourMinute(tag, at, zone)}`
            : answer.step === 'day'
              ? day
              : t('measures.from', { day }),
        short: answer.step === 'hour' ? hourMinute(tag, at, zone) : day,
        value: watched ? value(p) : null,
      };
    });
  const step = t(`measures.step.${answer.step as 'hour'}`);
  return (
    <Panel title={t('measures.course')}>
      <div className={styles.charts}>
        <Bars
          title={t('measures.chart.opened')}
          note={step}
          bars={bars((f) => f.opened)}
          show={(v) => ({ value: count(tag, Math.round(v)), unit: '' })}
        />
        <Bars
          title={t('measures.chart.mttr')}
          note={t('measures.chart.byOpening', { step })}
          bars={bars((f) => f.mttrSeconds)}
          show={(v) => lasting(tag, v)}
        />
        <Bars
          title={t('measures.chart.kept')}
          note={t('measures.chart.byOpening', { step })}
          bars={bars((f) => f.repair.keptShare)}
          most={1}
          show={(v) => percent(tag, v)}
        />
      </div>
    </Panel>
  );
}

function rowsOf(answer: Answer, by: GroupBy): Group[] {
  return {
    kind: answer.byKind,
    site: answer.bySite,
    severity: answer.bySeverity,
    station: answer.worstStations,
  }[by];
}

function Groups({
  answer,
  by,
  change,
}: {
  answer: Answer;
  by: GroupBy;
  change: (part: Partial<MeasuresSearch>) => void;
}) {
  const t = useT();
  const tag = useTag();
  const rows = rowsOf(answer, by);
  const ofStation = by === 'station';
  const columns: { name: string; title?: string; value: (f: Figures) => string }[] = [
    { name: t('measures.col.opened'), value: (f) => count(tag, f.opened) },
    { name: t('measures.col.closed'), value: (f) => count(tag, f.closed) },
    { name: 'MTTA', title: t('measures.mtta'), value: (f) => told(lasting(tag, f.mttaSeconds)) },
    { name: 'MTTR', title: t('measures.mttr'), value: (f) => told(lasting(tag, f.mttrSeconds)) },
    {
      name: t('measures.col.failures'),
      title: t('measures.failuresText'),
      value: (f) => count(tag, f.failures),
    },
    ofStation
      ? {
          name: 'MTBF',
          title: t('measures.mtbfStation'),
          value: (f) => told(lasting(tag, f.mtbfStationSeconds)),
        }
      : { name: 'MTBF', title: t('measures.mtbf'), value: (f) => told(lasting(tag, f.mtbfPortSeconds)) },
    ...(ofStation
      ? [{ name: t('measures.col.down'), value: (f: Figures) => told(lasting(tag, f.downSeconds)) }]
      : []),
    { name: t('measures.col.repeated'), title: t('measures.repeated'), value: (f) => count(tag, f.repeated) },
    {
      name: t('measures.col.machine'),
      title: t('measures.machine'),
      value: (f) => told(percent(tag, f.machineShare)),
    },
    {
      name: t('measures.col.ackKept'),
      title: t('measures.ackKept'),
      value: (f) => told(percent(tag, f.acknowledge.keptShare)),
    },
    {
      name: t('measures.col.repairKept'),
      title: t('measures.repairKept'),
      value: (f) => told(percent(tag, f.repair.keptShare)),
    },
  ];
  return (
    <Panel
      title={t('measures.groups')}
      flush
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('measures.groups')}
          value={by}
          onChange={(v) => change({ by: v === 'kind' ? undefined : (v as Exclude<GroupBy, 'kind'>) })}
          data={GROUPS.map((g) => ({ value: g, label: t(`measures.by.${g}`) }))}
        />
      }
    >
      {rows.length === 0 ? (
        <Empty title={t('measures.noGroup')} />
      ) : (
        <TableFrame label={t('measures.groups')} className={styles.table!}>
          <thead>
            <tr>
              <th scope="col" className={styles.name}>
                {t(`measures.by.${by}`)}
              </th>
              {columns.map((c) => (
                <th scope="col" key={c.name} className={table.end} title={c.title}>
                  {c.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((g) => (
              <tr key={g.key}>
                <th scope="row" className={styles.name}>
                  <Name by={by} group={g} t={t} />
                </th>
                {columns.map((c) => (
                  <td key={c.name} className={`${table.end} num`}>
                    {c.value(g)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
    </Panel>
  );
}

const told = (q: Quantity): string => (q.value === NONE ? NONE : text(q));

function Name({ by, group: g, t }: { by: GroupBy; group: Group; t: Translate }) {
  if (by === 'severity') return <SeverityLabel severity={g.key} />;
  if (by === 'site')
    return (
      <Link to="/sites/$id" params={{ id: g.key }}>
        {g.name || g.key}
      </Link>
    );
  if (by === 'station')
    return (
      <Link to="/stations/$id" params={{ id: g.key }}>
        {g.name || g.key}
      </Link>
    );
  const { text: what, code } = kindText(t, g.key);
  return (
    <span title={g.key}>
      {what}
      {code && <span className={styles.code}>{code}</span>}
    </span>
  );
}

const FORMULAS = ['mtta', 'mttr', 'mtbf', 'repeated', 'machine', 'kept', 'counted'] as const;

function Formulas({ answer }: { answer: Answer }) {
  const t = useT();
  const tag = useTag();
  return (
    <details className={styles.formulas}>
      <summary>{t('measures.formulas')}</summary>
      <dl>
        {FORMULAS.map((f) => (
          <div key={f}>
            <dt>{t(`measures.formula.${f}`)}</dt>
            <dd>
              {t(`measures.formula.${f}.text`, {
                stations: count(tag, answer.stations),
                ports: count(tag, answer.ports),
              })}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
