// How a site will be used: the next hour for who arrives, the week to come with
// its band, and how good such forecasts of this site have been.
import { SegmentedControl, Select } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useScope } from '../../app/view';
import { count } from '../../format/quantity';
import { HOUR } from '../../format/time';
import { toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { ChartPanel } from '../../ui/chart';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { useSites } from '../../ui/sites';
import { useZone, ZoneProvider } from '../../ui/zone';
import { useSetSearch, useTabSearch } from '../analytics/search';
import { tabs } from '../analytics/tabs';
import { Band, type Point } from './band';
import styles from './forecast.module.css';
import { NextHour } from './nexthour';
import { type Answer, forecastQuery } from './queries';
import { type ForecastSearch, parseForecast, TARGETS, type Target } from './search';
import { SkillPanel } from './skill';
import { plain, SCALE } from './units';

export default function ForecastTab() {
  const t = useT();
  const sites = useSites();
  const scope = useScope();
  const names = useMemo(
    () =>
      [...sites.values()]
        .map((s) => ({ value: s.id, label: s.name || s.id }))
        .sort((a, b) => a.label.localeCompare(b.label)),
    [sites],
  );
  const site = scope ?? names[0]?.value;
  if (site === undefined)
    return (
      <Panel>
        <Empty title={t('forecast.noSite')}>{t('forecast.noSiteText')}</Empty>
      </Panel>
    );
  return (
    <ZoneProvider value={sites.get(site)?.timeZone || undefined}>
      <Forecast site={site} names={names} />
    </ZoneProvider>
  );
}

function Forecast({ site, names }: { site: string; names: { value: string; label: string }[] }) {
  const t = useT();
  const set = useSetSearch<ForecastSearch>();
  const target: Target = useTabSearch(parseForecast).target ?? 'occupied';
  const name = names.find((n) => n.value === site)?.label ?? site;
  return (
    <div className={`${styles.page} ${paper.paper}`}>
      <div className={`${styles.bar} ${paper.screenOnly}`}>
        <Select
          className={styles.site}
          aria-label={t('forecast.site')}
          data={names}
          value={site}
          onChange={(v) => v && set({ site: v })}
          searchable
          allowDeselect={false}
          nothingFoundMessage={t('forecast.site.none')}
        />
        <SegmentedControl
          aria-label={t('forecast.target')}
          data={TARGETS.map((x) => ({ value: x, label: t(`forecast.target.${x}`) }))}
          value={target}
          onChange={(v) => set({ target: v === 'occupied' ? undefined : (v as 'energy' | 'power') })}
        />
      </div>
      <h2 className={paper.paperOnly}>{t('forecast.paper', { site: name })}</h2>
      <NextHour site={site} />
      <Week site={site} name={name} target={target} />
    </div>
  );
}

function Week({ site, name, target }: { site: string; name: string; target: Target }) {
  const t = useT();
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...forecastQuery(site, target),
    placeholderData: (before, query) => (query?.queryKey[1] === site ? keepPreviousData(before) : undefined),
  });
  if (error && !data)
    return (
      <Panel>
        <Failed what={t('forecast.what')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel title={t(`forecast.title.${target}`)}>
        <Skeleton rows={8} />
      </Panel>
    );
  if (!data.enough) return <TooLittle answer={data} target={target} />;
  return (
    <div className={styles.parts} data-old={isPlaceholderData}>
      <Chart answer={data} name={name} />
      <SkillPanel answer={data} />
    </div>
  );
}

function TooLittle({ answer, target }: { answer: Answer; target: Target }) {
  const t = useT();
  const tag = useTag();
  const past = tabs.some((x) => (x.tab as string) === 'past');
  if (answer.counting > 0)
    return (
      <Panel title={t(`forecast.title.${target}`)}>
        <Empty title={t('forecast.counting', { n: count(tag, answer.counting) })}>
          {t('forecast.countingText')}
        </Empty>
      </Panel>
    );
  return (
    <Panel title={t(`forecast.title.${target}`)}>
      <Empty
        title={
          answer.needsWeeks > 0
            ? t('forecast.needsWeeks', { n: answer.needsWeeks })
            : t('forecast.needsEnergy')
        }
        action={
          past &&
          answer.needsWeeks > 0 && (
            <Link to={'/analytics/past' as never} search={(s: object) => s as never}>
              {t('forecast.import')}
            </Link>
          )
        }
      >
        {answer.needsWeeks > 0 ? t('forecast.needsWeeksText') : t('forecast.needsEnergyText')}
      </Empty>
    </Panel>
  );
}

function Chart({ answer, name }: { answer: Answer; name: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const now = useNow(60_000);
  const target = answer.target as Target;
  const unit = t(`forecast.unit.${target}`);
  const points = useMemo(() => {
    const scale = SCALE[target];
    const of = (v: number | null | undefined) => (typeof v === 'number' ? v * scale : null);
    const past = answer.past.map(
      (p): Point => ({
        at: Date.parse(p.at),
        came: of(p.came),
        low: of(p.p10),
        mid: of(p.p50),
        high: of(p.p90),
      }),
    );
    const coming = answer.points.map(
      (p): Point => ({ at: Date.parse(p.at), came: null, low: of(p.p10), mid: of(p.p50), high: of(p.p90) }),
    );
    return [...past, ...coming];
  }, [answer, target]);
  const top = points.filter((p) => p.at + HOUR > now).sort((a, b) => (b.mid ?? 0) - (a.mid ?? 0))[0];
  const show = (v: number) => plain(tag, v);
  const when = (at: number) =>
    new Intl.DateTimeFormat(tag, {
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
      timeZone: zone,
    }).format(at);
  return (
    <ChartPanel
      title={t(`forecast.title.${target}`)}
      note={
        top?.mid !== null && top?.mid !== undefined
          ? t('forecast.highest', { v: `${show(top.mid)} ${unit}`, when: when(top.at) })
          : undefined
      }
      twin={{
        file: `forecast-${target}`,
        rows: points,
        columns: [
          {
            name: t('forecast.column.at'),
            csv: 'local_time',
            value: (p) => toClock(p.at, zone).replace('T', ' '),
            show: (p) => `${when(p.at)}, ${toClock(p.at, zone).slice(0, 10)}`,
            words: true,
          },
          {
            name: t('forecast.column.came', { unit }),
            csv: `came_${unit}`,
            value: (p) => fixed(p.came),
            show: (p) => cell(p.came, show),
          },
          {
            name: t('forecast.column.mid', { unit }),
            csv: `p50_${unit}`,
            value: (p) => fixed(p.mid),
            show: (p) => cell(p.mid, show),
          },
          {
            name: t('forecast.column.low'),
            csv: `p10_${unit}`,
            value: (p) => fixed(p.low),
            show: (p) => cell(p.low, show),
          },
          {
            name: t('forecast.column.high'),
            csv: `p90_${unit}`,
            value: (p) => fixed(p.high),
            show: (p) => cell(p.high, show),
          },
        ],
      }}
    >
      <Band
        label={t('forecast.chart.of', { what: t(`forecast.title.${target}`), site: name })}
        points={points}
        now={now}
        zone={zone}
        unit={unit}
        show={show}
        most={target === 'occupied' && answer.ports > 0 ? answer.ports : undefined}
      />
      <ul className={styles.legend}>
        <li>
          <svg width="20" height="10" aria-hidden="true">
            <path d="M0 5h20" className={styles.came} />
          </svg>
          {t('forecast.legend.came')}
        </li>
        <li>
          <svg width="20" height="10" aria-hidden="true">
            <path d="M0 5h20" className={styles.mid} />
          </svg>
          {t('forecast.legend.mid')}
        </li>
        <li>
          <svg width="20" height="10" aria-hidden="true">
            <rect width="20" height="10" className={styles.band} />
          </svg>
          {t('forecast.legend.band')}
        </li>
      </ul>
    </ChartPanel>
  );
}

const fixed = (v: number | null): number | null => (v === null ? null : Math.round(v * 1000) / 1000);
const cell = (v: number | null, show: (v: number) => string): string => (v === null ? '–' : show(v));
