import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { stationsQuery } from '../../api/queries';
import { kilowatts, NONE, rated } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useLayout, useLive, useStationPorts } from '../../live/hooks';
import type { PortView, StationEntry } from '../../live/store';
import { Age } from '../../ui/figures';
import { Empty, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { StateLabel } from '../../ui/state';
import styles from './site.module.css';

/** Each station of the site with its ports, in the order of their ids. */
export function StationCards({ site }: { site: string }) {
  const t = useT();
  const { store } = useLive();
  const layout = useLayout();
  const { data: known } = useQuery(stationsQuery());
  // biome-ignore lint/correctness/useExhaustiveDependencies: layout says that store.stations changed
  const stations = useMemo(() => store.stations.filter((s) => s.site === site), [store, layout, site]);
  const silent = useMemo(() => {
    const shown = new Set(stations.map((s) => s.id));
    return (known ?? []).filter((d) => d.siteId === site && !shown.has(d.id));
  }, [known, stations, site]);
  return (
    <Panel title={t('here.stations')} flush>
      {!store.ready && !known ? (
        <Skeleton rows={4} />
      ) : stations.length + silent.length === 0 ? (
        <Empty title={t('here.noStations')}>
          <p>{t('here.noStationsText')}</p>
        </Empty>
      ) : (
        <ul className={styles.stations}>
          {stations.map((s) => (
            <StationCard key={s.id} entry={s} />
          ))}
          {silent.map((d) => (
            <li key={d.id} className={styles.station}>
              <h3 className={styles.stationHead}>
                <Link to="/stations/$id" params={{ id: d.id }} className="mono">
                  {d.id}
                </Link>
              </h3>
              <p className={`${styles.silent} meta`}>
                {d.onboarding === 'pending' ? t('here.waits') : t('here.silent')}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function StationCard({ entry }: { entry: StationEntry }) {
  const ports = useStationPorts(entry);
  const sites = useSites();
  const name = sites.get(entry.site)?.name ?? '';
  const label = entry.label.startsWith(`${name} `) ? entry.label.slice(name.length + 1) : entry.label;
  return (
    <li className={styles.station}>
      <h3 className={styles.stationHead}>
        <Link to="/stations/$id" params={{ id: entry.id }} className="mono">
          {entry.id}
        </Link>
        {label && label !== entry.id && !/^\d+$/.test(label) && (
          <span className={styles.stationLabel}>{label}</span>
        )}
      </h3>
      <ul className={styles.ports}>
        {ports.map((p) => (
          <PortLine key={p.id} port={p} />
        ))}
      </ul>
    </li>
  );
}

function PortLine({ port: p }: { port: PortView }) {
  const t = useT();
  const tag = useTag();
  const charging = p.online && (p.family === 'charging' || (p.powerW ?? 0) > 0);
  return (
    <li className={styles.port}>
      <span className={`${styles.portNumber} num`}>
        <span className="srOnly">{t('port.n', { port: p.port })}</span>
        <span aria-hidden="true">{p.port}</span>
      </span>
      <span className={styles.portState}>
        <StateLabel status={p.status} online={p.online} />
      </span>
      <span className={`${styles.portPower} num`}>
        {charging && <strong>{p.powerW === null ? NONE : kilowatts(tag, p.powerW)}</strong>}
        {p.ratedW > 0 && (
          <span className="meta">
            {charging ? t('port.rated', { kw: rated(tag, p.ratedW) }) : `${rated(tag, p.ratedW)} kW`}
          </span>
        )}
      </span>
      <span className={`${styles.portAge} meta`}>
        <Age at={p.statusAt * 1000} />
      </span>
    </li>
  );
}
