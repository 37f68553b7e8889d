import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Problem } from '../../api/problem';
import { commandsQuery, stationQuery } from '../../api/queries';
import type { Command, Evse, StationDetail } from '../../api/shapes';
import { power, rated, text } from '../../format/quantity';
import { age, exact } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive, useTopic } from '../../live/hooks';
import { Age, Figure, millis } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { StateLabel } from '../../ui/state';
import { useZone, ZoneProvider } from '../../ui/zone';
import { Fault } from '../station/fault';
import { mergeCommand } from '../station/merge';
import { plugName } from '../station/plug';
import { Actions } from './actions';
import { Tries } from './attempts';
import styles from './desk.module.css';
import { Others } from './others';
import { attemptsQuery } from './queries';
import { verdictOf } from './verdict';

/** Everything about one port, for one call. */
export function PortDesk({ station: id, evse: number }: { station: string; evse: number }) {
  const t = useT();
  const queries = useQueryClient();
  const sites = useSites();
  const mayCommand = useAllowed('stations.command');
  const { data: station, error, refetch } = useQuery(stationQuery(id));
  useTopic(`station/${id}`, 'station', (frame) => {
    if (frame.data.id !== id) return;
    const before = queries.getQueryData(stationQuery(id).queryKey);
    queries.setQueryData(stationQuery(id).queryKey, frame.data);
    const state = (s: StationDetail | undefined) => {
      const e = s?.evses.find((x) => x.id === number);
      return `${s?.online} ${e?.status} ${e?.sessionId}`;
    };
    if (state(before) !== state(frame.data)) void queries.invalidateQueries({ queryKey: ['attempts'] });
  });
  useTopic('commands', 'command', (frame) => {
    if (frame.data.station !== id) return;
    queries.setQueryData(commandsQuery(id).queryKey, (list: Command[] | undefined) =>
      mergeCommand(list ?? [], frame.data),
    );
    void queries.invalidateQueries({ queryKey: ['attempts'] });
  });
  if (!station) {
    return (
      <Panel flush>
        {error instanceof Problem && error.status === 404 ? (
          <Empty title={t('desk.noStation', { id })}>{t('desk.nothing')}</Empty>
        ) : error ? (
          <Failed what={id} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={6} />
        )}
      </Panel>
    );
  }
  const evse = station.evses.find((e) => e.id === number);
  const site = sites.get(station.siteId);
  return (
    <ZoneProvider value={site?.timeZone || undefined}>
      {evse ? (
        <div className={styles.columns}>
          <div className={styles.column}>
            <Port
              station={station}
              evse={evse}
              address={[site?.name, site?.address].filter(Boolean).join(', ')}
            />
            <Tries station={id} evse={number} />
          </div>
          <div className={styles.column}>
            {mayCommand && <Actions station={station} evse={evse} />}
            <Others station={station} evse={evse} />
          </div>
        </div>
      ) : (
        <Panel flush>
          <Empty title={t('desk.noPort', { id, port: number })} />
        </Panel>
      )}
    </ZoneProvider>
  );
}

export function portText(t: Translate, tag: string, e: Evse): string {
  const plugs = [...new Set(e.connectors.map((c) => plugName(t, c.type)).filter(Boolean))].join(', ');
  return [plugs || t('desk.plugUnknown'), e.ratedW ? `${rated(tag, e.ratedW)} kW` : '']
    .filter(Boolean)
    .join(' · ');
}

function Port({ station, evse: e, address }: { station: StationDetail; evse: Evse; address: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const { data: tries } = useQuery(attemptsQuery({ station: station.id, evse: e.id }));
  const verdict = verdictOf(e, station.online, tries ?? [], now);
  const others = station.evses.filter((x) => x.id !== e.id);
  const words = {
    now: t('age.now'),
    seconds: (n: number) => t('age.seconds', { n }),
    minutes: (n: number) => t('age.minutes', { n }),
    hours: (n: number) => t('age.hours', { n }),
  };
  return (
    <section className={styles.port} aria-label={t('port.n', { port: e.id })}>
      <header className={styles.portHead}>
        <div>
          <h2 className={`${styles.publicId} mono`}>{e.publicId || `${station.id}/${e.id}`}</h2>
          <p className={styles.where}>
            <Link to="/stations/$id" params={{ id: station.id }} search={{ port: e.id }}>
              {station.label || station.id}
            </Link>
            {station.label && <span className="mono meta">{station.id}</span>}
            <span className="meta">{address}</span>
          </p>
        </div>
        <p className={styles.plug}>{portText(t, tag, e)}</p>
      </header>
      <div className={styles.state}>
        <span className={styles.stateWord}>
          <StateLabel status={e.status} online={station.online} size={20} />
        </span>
        <span className="meta" title={e.statusAt ? exact(tag, Date.parse(e.statusAt), zone) : undefined}>
          {station.online ? (
            <Age at={e.statusAt} />
          ) : (
            <Age at={station.lastFrameAt} prefix={`${t('desk.heard')} `} />
          )}
        </span>
        {station.online && e.powerW !== null && e.sessionId && (
          <span className={styles.power}>
            <Figure q={power(tag, e.powerW)} />
          </span>
        )}
      </div>
      {e.fault?.code && <Fault fault={e.fault} where={t('port.n', { port: e.id })} />}
      <div className={styles.verdict} data-whose={verdict.whose}>
        <Icon name="headset" size={18} />
        <div>
          <p className={styles.whose}>{t(`whose.${verdict.whose}`)}</p>
          <p className={styles.tell} aria-live="polite">
            {t(verdict.tell, {
              power: e.powerW === null ? t('desk.unmeasured') : text(power(tag, e.powerW)),
              age: age(tag, words, millis(station.lastFrameAt), now, zone),
            })}
          </p>
        </div>
      </div>
      {others.length > 0 && (
        <p className={styles.siblings}>
          <span className="meta">{t('desk.siblings')}</span>
          {others.map((x) => (
            <Link key={x.id} to="/desk" search={{ evse: `${station.id}/${x.id}` }} className={styles.sibling}>
              {t('port.n', { port: x.id })} <StateLabel status={x.status} online={station.online} size={14} />
            </Link>
          ))}
        </p>
      )}
    </section>
  );
}
