import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useCallback } from 'react';
import { configurationQuery, profilesQuery, sessionsQuery, telemetryQuery } from '../../api/queries';
import type { ChargingProfile, Evse, Session, StationDetail } from '../../api/shapes';
import { kilowatts, power, rated, sessionEnergy, text } from '../../format/quantity';
import { perMinute, slowValues } from '../../format/speed';
import { span } from '../../format/time';
import { useT, useTag, words } from '../../i18n/i18n';
import { useNow, useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Age, Figure, millis } from '../../ui/figures';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { StateLabel } from '../../ui/state';
import { Fault } from './fault';
import { type Limit, limitOf, measuredSince, powerCommand, timeToFull } from './pace';
import { plugName } from './plug';
import styles from './ports.module.css';
import { Spark } from './spark';

const SilentMeter = later(async () => {
  const [silent] = await Promise.all([import('../profiles/silent'), words.need('profiles')]);
  return silent;
});

/** One card for each port: how fast it charges now, and for whom. */
export function Ports({ station }: { station: StationDetail }) {
  const { data: sessions } = useQuery(sessionsQuery(station.id));
  const charging = station.evses.some((e) => e.status === 'Charging');
  const { data: profiles } = useQuery({ ...profilesQuery(station.id), enabled: charging });
  if (station.evses.length === 0) return null;
  return (
    <div className={styles.ports}>
      {station.evses.map((e) => (
        <Port
          key={e.id}
          evse={e}
          station={station}
          profiles={profiles ?? []}
          session={sessions?.find((s) => s.state === 'active' && (s.id === e.sessionId || s.evse === e.id))}
        />
      ))}
    </div>
  );
}

function Port({
  evse: e,
  station,
  profiles,
  session,
}: {
  evse: Evse;
  station: StationDetail;
  profiles: ChargingProfile[];
  session: Session | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const live = station.online;
  // Charging without a single power value is a silent meter, not zero kilowatts.
  const silent = live && e.status === 'Charging' && e.powerW === null;
  // A last value may outlive its session; power flows only in these states.
  const flowing = ['Charging', 'SuspendedEV', 'SuspendedEVSE'].includes(e.status);
  const shownPower = !live ? null : e.status === 'Charging' ? e.powerW : flowing ? (e.powerW ?? 0) : 0;
  const soc = live ? (e.socPercent ?? session?.socEndPercent) : null;
  const plugs = e.connectors.map((c) => plugName(t, c.type)).filter(Boolean);
  return (
    <section className={styles.port} aria-label={t('port.n', { port: e.id })}>
      <header className={styles.head}>
        <h2 className={styles.title}>{t('port.n', { port: e.id })}</h2>
        <span className="meta">{plugs.length > 0 ? plugs.join(', ') : t('plug.unknown')}</span>
        {e.publicId && <span className={`${styles.publicId} mono`}>{e.publicId}</span>}
      </header>
      <div className={styles.now}>
        <div className={styles.state}>
          <StateLabel status={e.status} online={live} />
          <p className="meta">
            <Age at={e.statusAt} />
          </p>
        </div>
        <div className={styles.speed}>
          <p className={styles.power} data-none={!shownPower}>
            {silent || shownPower === null ? (
              <span className={styles.noPower}>
                – <span className="unit">kW</span>
              </span>
            ) : (
              <Figure q={power(tag, shownPower)} />
            )}
          </p>
          {shownPower !== null && shownPower > 0 && (
            <p className="meta num">{t('port.perMinute', { kwh: text(perMinute(tag, shownPower)) })}</p>
          )}
        </div>
      </div>
      <Speed evse={e} now={shownPower} />
      {live && session && e.status === 'Charging' && !silent && (
        <Spark station={station.id} evse={e} session={session} />
      )}
      <Why evse={e} profiles={profiles} live={live} />
      {e.fault?.code && <Fault fault={e.fault} where={t('port.n', { port: e.id })} />}
      {silent && (
        <Suspense>
          <SilentMeter station={station} otherwise={<Silent station={station} />} />
        </Suspense>
      )}
      <dl className={styles.facts}>
        <div>
          <dt>{t('port.soc')}</dt>
          <dd>{soc != null ? <Figure q={{ value: String(Math.round(soc)), unit: '%' }} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.toFull')}</dt>
          <dd className="num">
            {session && live && e.status === 'Charging' && soc != null ? (
              <ToFull station={station.id} evse={e.id} session={session} soc={soc} />
            ) : (
              '–'
            )}
          </dd>
        </div>
        <div>
          <dt>{t('port.session')}</dt>
          <dd className="num">{session ? <Since at={session.startedAt} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.energy')}</dt>
          <dd>{session ? <Figure q={sessionEnergy(tag, session.energyWh)} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('sessions.token')}</dt>
          <dd className="mono">{session?.idToken || '–'}</dd>
        </div>
      </dl>
    </section>
  );
}

/** What flows, what is offered and what the port is built for, on one scale. */
function Speed({ evse: e, now }: { evse: Evse; now: number | null }) {
  const t = useT();
  const tag = useTag();
  const top = Math.max(e.ratedW ?? 0, e.offeredW ?? 0, now ?? 0);
  if (top === 0) return null;
  const share = (w: number) => `${Math.min(100, (w / top) * 100)}%`;
  return (
    <div className={styles.scale}>
      <div className={styles.bar} aria-hidden="true">
        {now !== null && now > 0 && <span className={styles.fill} style={{ width: share(now) }} />}
        {e.offeredW ? <span className={styles.offered} style={{ left: share(e.offeredW) }} /> : null}
      </div>
      <p className="meta num">
        <span>
          {t('port.offered')} {e.offeredW ? `${rated(tag, e.offeredW)} kW` : '–'}
        </span>
        <span>
          {t('port.ratedName')} {e.ratedW ? `${rated(tag, e.ratedW)} kW` : '–'}
        </span>
      </p>
    </div>
  );
}

function Why({ evse: e, profiles, live }: { evse: Evse; profiles: ChargingProfile[]; live: boolean }) {
  const t = useT();
  const tag = useTag();
  const now = useNow(60_000);
  const limit = live ? limitOf(e, profiles, now) : null;
  if (!limit && !e.slow) return null;
  const kw = (w: number) => kilowatts(tag, w);
  const sentence = (l: Limit): string =>
    l.by === 'vehicle'
      ? t('limit.vehicle', { kw: kw(l.powerW), of: rated(tag, l.offeredW) })
      : l.by === 'station'
        ? t('limit.station', { kw: rated(tag, l.offeredW), of: rated(tag, l.ratedW) })
        : t('limit.schedule', { kw: rated(tag, l.limitW), of: rated(tag, l.couldW) });
  return (
    <p className={styles.why} data-slow={e.slow !== undefined}>
      {e.slow && <strong>{t('port.slow', slowValues(tag, e.slow))}</strong>} {limit && sentence(limit)}
    </p>
  );
}

/** Which setting would make the station tell its power, and the command that sets it. */
function Silent({ station }: { station: StationDetail }) {
  const t = useT();
  const mayCommand = useAllowed('stations.command');
  const { data: settings } = useQuery(configurationQuery(station.id));
  const { setting } = powerCommand(station.protocol, settings);
  return (
    <div className={styles.silent}>
      <p>{t(setting.endsWith('Interval') ? 'port.silentInterval' : 'port.silent', { setting })}</p>
      {mayCommand && (
        <Button
          component={Link}
          size="compact-sm"
          variant="default"
          to="/stations/$id"
          params={{ id: station.id } as never}
          search={((s: object) => ({ ...s, tab: 'commands', prepare: 'power' })) as never}
        >
          {t('port.set')}
        </Button>
      )}
    </div>
  );
}

function ToFull({
  station,
  evse,
  session,
  soc,
}: {
  station: string;
  evse: number;
  session: Session;
  soc: number;
}) {
  const t = useT();
  const { client } = useLive();
  const now = useNow(60_000) + client.clockOffset;
  const { from, to } = measuredSince(session, now);
  const { data } = useQuery({
    ...telemetryQuery(station, evse, 'SoC', from, to, 30),
    placeholderData: keepPreviousData,
  });
  if (soc >= 100) return <>{t('port.full')}</>;
  const left = timeToFull(data, now);
  if (left === null) return <>–</>;
  return (
    <span title={t('port.toFullHint')}>
      {t('port.about', { span: span(Math.ceil(left / 60_000) * 60_000) })}
    </span>
  );
}

function Since({ at }: { at: string }) {
  const { client } = useLive();
  const ms = millis(at);
  return <>{useTicking(useCallback(() => span(Date.now() + client.clockOffset - ms), [client, ms]))}</>;
}
