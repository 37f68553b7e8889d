import { Button, Drawer } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { telemetryQuery } from '../../api/queries';
import type { Session } from '../../api/shapes';
import { kilowatts, sessionEnergy } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { CopyLine } from '../../ui/copy';
import { Figure } from '../../ui/figures';
import listPage from '../../ui/listpage.module.css';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, PanelBoundary, Skeleton } from '../../ui/panel';
import { useSiteNames, useSites } from '../../ui/sites';
import TimeChart from '../../ui/timechart';
import { useZone, ZoneNote, ZoneProvider } from '../../ui/zone';
import { eventWords, kindWord } from '../events/sentence';
import { When } from '../events/when';
import { seriesOf } from '../station/series';
import { flagWords, stopWords } from '../station/session-words';
import { meanW } from './filter';
import { eventsOfQuery, oneQuery } from './queries';
import styles from './sessions.module.css';

/** One session beside the list: its figures, its curve and what was said during it. */
export function Details({ id, close }: { id: string; close: () => void }) {
  const t = useT();
  const sites = useSites();
  const { data, error, refetch } = useQuery(oneQuery(id));
  return (
    <ZoneProvider value={sites.get(data?.siteId ?? '')?.timeZone || undefined}>
      <Drawer
        opened
        onClose={close}
        position="right"
        size={640}
        title={data ? t('session.one', { station: data.station, port: data.evse }) : t('nav.sessions')}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        {data ? (
          <PanelBoundary>
            <Body session={data} />
          </PanelBoundary>
        ) : error ? (
          <Failed what={t('nav.sessions')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={8} />
        )}
      </Drawer>
    </ZoneProvider>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Body({ session: s }: { session: Session }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const siteName = useSiteNames();
  const mayTokens = useAllowed('idTokens.read');
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const from = Date.parse(s.startedAt);
  const to = s.endedAt ? Date.parse(s.endedAt) : now;
  const mean = meanW(s.energyWh, to - from);
  const kw = (w: number | null) =>
    w === null || w <= 0 ? '–' : <Figure q={{ value: kilowatts(tag, w), unit: 'kW' }} />;
  return (
    <div className={listPage.details}>
      <dl className={styles.figures}>
        <Fact name={t('session.energy')}>
          <Figure q={sessionEnergy(tag, s.energyWh)} />
        </Fact>
        <Fact name={t('session.time')}>
          <span className="num">{span(to - from)}</span>
        </Fact>
        <Fact name={t('session.mean')}>{kw(mean)}</Fact>
        <Fact name={t('session.peakPower')}>{kw(s.peakPowerW)}</Fact>
        <Fact name={t('session.soc')}>
          <span className="num">
            {s.socEndPercent === null
              ? '–'
              : `${s.socStartPercent === null ? '' : Math.round(s.socStartPercent)} → ${Math.round(s.socEndPercent)} %`}
          </span>
        </Fact>
      </dl>
      {s.flags.length > 0 && (
        <ul className={styles.flags}>
          {s.flags.map((f) => (
            <li key={f}>{flagWords(t, f)}</li>
          ))}
          {s.evidence && <li className="meta">{s.evidence}</li>}
        </ul>
      )}
      <Curve session={s} from={from} to={to} />
      <dl className={listPage.facts}>
        <Fact name={t('session.site')}>{siteName(s.siteId)}</Fact>
        <Fact name={t('column.station')}>
          <Link to="/stations/$id" params={{ id: s.station }} search={{ port: s.evse }} className="mono">
            {s.station}/{s.evse}
          </Link>
        </Fact>
        <Fact name={t('session.began')}>{exact(tag, from, zone)}</Fact>
        <Fact name={t('session.ended')}>{s.endedAt ? exact(tag, to, zone) : t('session.runs')}</Fact>
        <Fact name={t('session.how')}>{s.state === 'active' ? '–' : stopWords(t, s)}</Fact>
        <Fact name={t('session.card')}>
          <span className="mono">{s.idToken || '–'}</span>
          {s.tokenId && mayTokens && (
            <Link to="/sessions" search={{ token: s.tokenId } as never} className={styles.more}>
              {t('session.ofCard')}
            </Link>
          )}
        </Fact>
        <Fact name={t('session.transaction')}>
          <CopyLine value={s.transactionId} what={t('session.transaction')} />
        </Fact>
        <Fact name={t('session.meter')}>
          <span className="num">
            {s.meterStartWh === null ? '–' : `${kilowatts(tag, s.meterStartWh)} kWh`} →{' '}
            {s.meterStopWh === null ? '–' : `${kilowatts(tag, s.meterStopWh)} kWh`}
          </span>
        </Fact>
      </dl>
      <Said session={s} from={from} to={to} />
      <div>
        <Button
          component={Link}
          to="/desk"
          search={{ evse: `${s.station}/${s.evse}` } as never}
          variant="default"
        >
          {t('session.toDesk')}
        </Button>
      </div>
    </div>
  );
}

function Curve({ session: s, from, to }: { session: Session; from: number; to: number }) {
  const t = useT();
  const wide = Math.max(60_000, to - from);
  const step = Math.max(10, Math.ceil(wide / 1000 / 300 / 10) * 10);
  const edge = Math.ceil(to / 60_000) * 60_000;
  const ask = (measurand: string) => ({
    ...telemetryQuery(s.station, s.evse, measurand, Math.floor(from / 1000) * 1000, edge, step),
    placeholderData: keepPreviousData,
  });
  const power = useQuery(ask('Power.Active.Import'));
  const offered = useQuery(ask('Power.Offered'));
  const soc = useQuery(ask('SoC'));
  if (power.error && !power.data) {
    return <Failed what={t('session.curve')} error={power.error} retry={() => void power.refetch()} />;
  }
  if (!power.data) return <Skeleton rows={5} />;
  const lines = [seriesOf(power.data, [], 1e-3), seriesOf(offered.data, [], 1e-3), seriesOf(soc.data, [], 1)];
  if (!lines.some((l) => l.at.length > 1))
    return <Empty title={t('session.noCurve')}>{t('session.noCurveText')}</Empty>;
  const span = { from: from / 1000, to: Math.max(to, from + 60_000) / 1000 };
  const [powerLine, offeredLine, charge] = lines;
  return (
    <>
      <TimeChart
        {...span}
        label={t('session.curve')}
        lines={[
          { name: t('session.power'), ...powerLine!, color: '--s-charging', fill: true },
          ...(offeredLine!.at.length > 1
            ? [
                {
                  name: t('port.offered'),
                  ...offeredLine!,
                  color: '--ink-2',
                  dash: [4, 4] as [number, number],
                },
              ]
            : []),
        ]}
        unit="kW"
        height={180}
      />
      {charge!.at.length > 1 && (
        <TimeChart
          {...span}
          label={t('port.soc')}
          lines={[{ name: t('port.soc'), ...charge!, color: '--ink' }]}
          unit="%"
          height={110}
          top={100}
        />
      )}
    </>
  );
}

function Said({ session: s, from, to }: { session: Session; from: number; to: number }) {
  const t = useT();
  const edge = s.endedAt ? to + 60_000 : Math.ceil(to / 60_000) * 60_000 + 60_000;
  const { data, error, refetch } = useQuery(eventsOfQuery(s.station, s.evse, from - 120_000, edge));
  return (
    <section>
      <h3 className={styles.sub}>
        {t('session.events')} <ZoneNote />
      </h3>
      {error && !data ? (
        <Failed what={t('session.events')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : (
        <ol className={styles.said}>
          {data.toReversed().map((e) => (
            <li key={e.seq}>
              <span className="num meta">
                <When at={Date.parse(e.at)} />
              </span>
              <span className="meta">{kindWord(t, e.kind)}</span>
              <span>{eventWords(t, e)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
