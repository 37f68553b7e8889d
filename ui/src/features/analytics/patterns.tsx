// When chargers are used, how much, and by whom: the patterns of the past.
import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useScope } from '../../app/view';
import { count } from '../../format/quantity';
import { day as dayName, exact, zoneName } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import sheet from '../../ui/paper.module.css';
import { useSiteNames, useSites } from '../../ui/sites';
import { ownZone, useZone } from '../../ui/zone';
import { Definitions } from './definitions';
import { Demand } from './demand';
import { daysText, Filters } from './filters';
import { type Beside, Heat, Measures } from './heat';
import styles from './patterns.module.css';
import { Peaks } from './peaks';
import { type Asked, kpisQuery } from './queries';
import {
  BEFORE,
  dateAfter,
  dateAt,
  type PatternsSearch,
  parsePatterns,
  stretchBefore,
  stretchOf,
  useSetSearch,
  useTabSearch,
} from './search';
import { type Known, waiting } from './shapes';
import { Sites } from './sites';
import { Stays } from './stays';
import { tabs } from './tabs';
import { Tiles } from './tiles';
import { Uptime } from './uptime';
import { Use } from './use';
import { Visits } from './visits';

export default function Patterns() {
  const t = useT();
  const tag = useTag();
  const zone = useZone() ?? ownZone();
  const now = useNow(60_000);
  const scope = useScope();
  const nameOf = useSiteNames();
  const sites = useSites();
  const { store } = useLive();
  const search = useTabSearch(parsePatterns);
  const set = useSetSearch<PatternsSearch>();
  const stretch = stretchOf(search, now, zone);
  const site = scope ?? search.sites;
  const asked: Asked = { site, from: stretch.from, to: stretch.to, zone };
  const measure = search.measure ?? 'occupied';

  const before = stretchBefore(stretch, zone);
  const beside: Beside | null =
    search.with === undefined || search.with === site
      ? null
      : search.with === BEFORE
        ? { name: daysText(tag, before), asked: { site, from: before.from, to: before.to, zone } }
        : { name: nameOf(search.with), asked: { ...asked, site: search.with } };

  const query = useQuery({ ...kpisQuery(asked), placeholderData: keepPreviousData });
  const other = useQuery({
    ...kpisQuery(beside?.asked ?? asked),
    placeholderData: keepPreviousData,
    enabled: beside !== null,
  });
  const { data } = query;
  const counting = waiting(data);
  const besideOf = beside && other.data ? { name: beside.name, of: other.data.all } : null;

  const chosen = site?.split(',') ?? [];
  const whose =
    chosen.length === 0
      ? t('analytics.allSites', { n: sites.size })
      : chosen.length <= 3
        ? chosen.map(nameOf).join(', ')
        : t('analytics.someSites', { n: chosen.length });
  const own = beside && search.with === BEFORE ? daysText(tag, stretch) : whose;

  const narrow = useCallback(
    (from: number, to: number) =>
      set({ days: `${dateAt(from, zone)}..${dateAt(to - 1, zone)}`, period: undefined }),
    [set, zone],
  );
  const print = () => {
    const was = document.title;
    document.title = t('analytics.report.file', { sites: whose, days: daysText(tag, stretch) });
    window.print();
    document.title = was;
  };

  return (
    <>
      <Filters
        search={search}
        stretch={stretch}
        aside={
          <>
            <Measures value={measure} set={(m) => set({ measure: m === 'occupied' ? undefined : m })} />
            <Button
              size="xs"
              variant="default"
              onClick={print}
              disabled={!data || data.all.ports === 0}
              leftSection={<Icon name="download" size={14} />}
            >
              {t('analytics.report')}
            </Button>
          </>
        }
      />
      <div className={`${styles.paper} ${sheet.paper}`}>
        <header className={`${styles.report} ${sheet.paperOnly}`}>
          <h1>{t('analytics.report.title')}</h1>
          <p>
            {whose} · {daysText(tag, stretch)}
            {beside && ` · ${t('analytics.report.with', { name: beside.name })}`}
          </p>
          <p>{t('analytics.report.made', { at: exact(tag, now, zone), zone })}</p>
        </header>
        {!data ? (
          <Panel>
            {query.error ? (
              <Failed what={t('analytics.figures')} error={query.error} retry={() => void query.refetch()} />
            ) : (
              <Skeleton rows={8} />
            )}
          </Panel>
        ) : counting > 0 && data.all.ports === 0 ? (
          <Panel>
            <Empty title={t('analytics.counting')}>
              {t('analytics.counting.togo', { n: counting, shown: count(tag, counting) })}
            </Empty>
          </Panel>
        ) : !reaches(data.known, stretch) || data.all.ports === 0 ? (
          <Nothing known={data.known} zone={zone} show={(days) => set({ days, period: undefined })} />
        ) : (
          <>
            {counting > 0 && (
              <p className={styles.needs} role="status">
                <Icon name="clock" size={16} />
                <span>
                  {t('analytics.counting')}:{' '}
                  {t('analytics.counting.togo', { n: counting, shown: count(tag, counting) })}
                </span>
              </p>
            )}
            {!data.enough && counting === 0 && (
              <p className={styles.needs}>
                <Icon name="clock" size={16} />
                {t('analytics.needs', { needs: data.needs })}
              </p>
            )}
            <div className={styles.part} data-old={query.isPlaceholderData}>
              {besideOf && (
                <p className={`${styles.with} ${sheet.screenOnly}`}>
                  {t('analytics.comparedWith', { name: besideOf.name })}
                </p>
              )}
              <Tiles of={data.all} beside={besideOf} />
            </div>
            <div className={styles.wide}>
              <Heat asked={asked} own={own} beside={beside} measure={measure} />
              <Peaks asked={asked} own={own} beside={beside} rate={search.rate} />
            </div>
            <Use asked={asked} beside={beside} measure={measure} onSelect={narrow} />
            <div className={styles.halves}>
              <div className={styles.stack}>
                <Stays of={data.all} beside={besideOf} />
                <Demand asked={asked} rate={search.rate} setRate={(rate) => set({ rate })} />
              </div>
              <Visits of={data.all} />
            </div>
            {data.sites.length > 1 && <Sites sites={data.sites} by={search.sort ?? 'occupied'} />}
            <Uptime asked={asked} live={(id) => store.station(id) !== undefined} />
            <Definitions />
            <p className="meta">{t('analytics.zone', { zone, short: zoneName(tag, stretch.to, zone) })}</p>
          </>
        )}
      </div>
    </>
  );
}

const reaches = (known: Known, s: { from: number; to: number }): boolean =>
  known !== null && Date.parse(known.from) < s.to && Date.parse(known.to) > s.from;

/** Nothing is known of these days: of which there is, or how to begin. */
function Nothing({ known, zone, show }: { known: Known; zone: string; show: (days: string) => void }) {
  const t = useT();
  const tag = useTag();
  if (known) {
    const last = dateAt(Date.parse(known.to) - 1, zone);
    const first = dateAt(Date.parse(known.from), zone);
    const weeks = dateAfter(last, -55);
    return (
      <Panel>
        <Empty
          title={t('analytics.none')}
          action={
            <Button onClick={() => show(`${weeks > first ? weeks : first}..${last}`)}>
              {t('analytics.showKnown')}
            </Button>
          }
        >
          {t('analytics.knownAre', {
            from: dayName(tag, Date.parse(known.from), zone),
            to: dayName(tag, Date.parse(known.to) - 1, zone),
          })}
        </Empty>
      </Panel>
    );
  }
  const past = tabs.find(({ tab }) => (tab as string) === 'past');
  return (
    <Panel>
      <Empty
        title={t('analytics.nothing')}
        action={
          past && (
            <Button renderRoot={(props) => <Link to={past.to} {...props} />}>{t('analytics.import')}</Button>
          )
        }
      >
        {t('analytics.nothingText')}
      </Empty>
    </Panel>
  );
}
