import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Evse, StationDetail } from '../../api/shapes';
import { useT, useTag } from '../../i18n/i18n';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { StateShape } from '../../ui/state';
import styles from './desk.module.css';
import { type FreePort, freePorts, nearestSites } from './near';
import { portText } from './port';
import { stationsOfQuery } from './queries';

const HERE = 3;
const ELSEWHERE = 2;
const SITES_ASKED = 3;

/** Where the caller can charge instead. */
export function Others({ station, evse }: { station: StationDetail; evse: Evse }) {
  const t = useT();
  const sites = useSites();
  const here = sites.get(station.siteId);
  const { data, error, refetch } = useQuery({
    ...stationsOfQuery(station.siteId),
    enabled: station.siteId !== '',
  });
  const near = here ? nearestSites(here, sites.values(), SITES_ASKED) : [];
  const asked = useQueries({ queries: near.map(({ site }) => stationsOfQuery(site.id)) });
  const elsewhere = near.flatMap(({ site, km }, i) => {
    const ports = freePorts(evse, '', asked[i]?.data ?? []);
    return ports.length > 0 ? [{ site, km, ports }] : [];
  })[0];
  const free = freePorts(evse, `${station.id}/${evse.id}`, data ?? []);
  return (
    <Panel title={t('others.title')} flush>
      {error && !data ? (
        <Failed what={t('others.title')} error={error} retry={() => void refetch()} />
      ) : station.siteId === '' ? (
        <p className={styles.hint}>{t('others.noSite')}</p>
      ) : !data ? (
        <Skeleton rows={3} />
      ) : (
        <>
          <h3 className={styles.group}>
            {t('others.here', { n: free.length, site: here?.name ?? station.siteId })}
          </h3>
          <Ports ports={free.slice(0, HERE)} />
          {elsewhere && (
            <>
              <h3 className={styles.group}>
                {t('others.near', {
                  site: elsewhere.site.name || elsewhere.site.id,
                  n: elsewhere.ports.length,
                })}{' '}
                <Distance km={elsewhere.km} />
              </h3>
              <Ports ports={elsewhere.ports.slice(0, ELSEWHERE)} />
            </>
          )}
        </>
      )}
    </Panel>
  );
}

/** The site stands above; what tells its stations apart is the rest of the name. */
const withoutSite = (label: string, site: string): string =>
  label.startsWith(`${site} `) ? label.slice(site.length + 1) : label;

function Distance({ km }: { km: number }) {
  const tag = useTag();
  const words =
    km < 1
      ? new Intl.NumberFormat(tag, { style: 'unit', unit: 'meter' }).format(
          Math.max(50, Math.round(km * 20) * 50),
        )
      : new Intl.NumberFormat(tag, {
          style: 'unit',
          unit: 'kilometer',
          maximumFractionDigits: km < 10 ? 1 : 0,
        }).format(km);
  return <span className="meta num">{words}</span>;
}

function Ports({ ports }: { ports: FreePort[] }) {
  const t = useT();
  const tag = useTag();
  return (
    <ul className={styles.free}>
      {ports.map(({ station: s, evse: e }) => (
        <li key={`${s.id}/${e.id}`}>
          <Link to="/desk" search={{ evse: `${s.id}/${e.id}` }} className={styles.freePort}>
            <StateShape family="available" size={14} />
            <span className="mono">{e.publicId || `${s.id}/${e.id}`}</span>
            <span className={styles.freeName}>{withoutSite(s.label, s.siteName)}</span>
            <span className="meta">{portText(t, tag, e)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
