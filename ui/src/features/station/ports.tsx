import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { sessionsQuery } from '../../api/queries';
import type { Evse, Session, StationDetail } from '../../api/shapes';
import { power, rated, sessionEnergy } from '../../format/quantity';
import { span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Age, Figure, millis } from '../../ui/figures';
import { StateLabel } from '../../ui/state';
import { Fault } from './fault';
import { plugName } from './plug';
import styles from './ports.module.css';

/** One card for each port: what it does now, and for whom. */
export function Ports({ station }: { station: StationDetail }) {
  const { data: sessions } = useQuery(sessionsQuery(station.id));
  if (station.evses.length === 0) return null;
  return (
    <div className={styles.ports}>
      {station.evses.map((e) => (
        <Port
          key={e.id}
          evse={e}
          station={station}
          session={sessions?.find((s) => s.state === 'active' && (s.id === e.sessionId || s.evse === e.id))}
        />
      ))}
    </div>
  );
}

function Port({
  evse: e,
  station,
  session,
}: {
  evse: Evse;
  station: StationDetail;
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
        <div>
          <StateLabel status={e.status} online={live} />
          <p className="meta">
            <Age at={e.statusAt} />
          </p>
        </div>
        <p className={styles.power} data-none={!shownPower}>
          {silent || shownPower === null ? (
            <span className={styles.noPower}>
              – <span className="unit">kW</span>
            </span>
          ) : (
            <Figure q={power(tag, shownPower)} />
          )}
        </p>
      </div>
      {e.fault?.code && <Fault fault={e.fault} where={t('port.n', { port: e.id })} />}
      {silent && (
        <p className={styles.silent}>
          {t('port.silent', {
            setting:
              station.protocol === 'ocpp1.6'
                ? 'MeterValuesSampledData'
                : 'SampledDataCtrlr.TxUpdatedMeasurands',
          })}
        </p>
      )}
      <dl className={styles.facts}>
        <div>
          <dt>{t('port.offered')}</dt>
          <dd>{e.offeredW ? <Figure q={power(tag, e.offeredW)} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.ratedName')}</dt>
          <dd>{e.ratedW ? <Figure q={{ value: rated(tag, e.ratedW), unit: 'kW' }} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.energy')}</dt>
          <dd>{session ? <Figure q={sessionEnergy(tag, session.energyWh)} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.soc')}</dt>
          <dd>{soc != null ? <Figure q={{ value: String(Math.round(soc)), unit: '%' }} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('port.session')}</dt>
          <dd className="num">{session ? <Since at={session.startedAt} /> : '–'}</dd>
        </div>
      </dl>
    </section>
  );
}

function Since({ at }: { at: string }) {
  const { client } = useLive();
  const ms = millis(at);
  return <>{useTicking(useCallback(() => span(Date.now() + client.clockOffset - ms), [client, ms]))}</>;
}
