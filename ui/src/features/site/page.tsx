import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { Problem } from '../../api/problem';
import { siteQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { zoneName } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useSummary } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, PanelBoundary, Skeleton } from '../../ui/panel';
import { ZoneProvider } from '../../ui/zone';
import { SiteDoors } from '../doors/sitepanel';
import { IncidentPanel } from '../incidents/panel';
import { Headline } from '../overview/headline';
import { CannotCharge } from '../overview/outages';
import { Guard } from './guard';
import { LoadPanel } from './load';
import { PlanPanel } from './plan';
import styles from './site.module.css';
import { StationCards } from './stations';

const BusyTimes = later(() => import('./busy'));
const OnSite = later(async () => ({ default: (await import('../outputs/onsite')).OnSite }));

const route = getRouteApi('/inside/sites/$id');

export default function SitePage() {
  const t = useT();
  const { id } = route.useParams();
  const { data: site, error, refetch } = useQuery(siteQuery(id));
  return (
    <ZoneProvider value={site?.timeZone || undefined}>
      <div className={styles.page}>
        <nav className={styles.crumbs} aria-label={t('here.path')}>
          <Link to="/sites">{t('nav.sites')}</Link>
          <Icon name="right" size={12} />
          <span aria-current="page">{site?.name || id}</span>
        </nav>
        {site ? (
          <Loaded site={site} />
        ) : error instanceof Problem && error.status === 404 ? (
          <Panel flush>
            <Empty title={t('here.unknown', { id })} action={<Link to="/sites">{t('here.toSites')}</Link>}>
              <p>{t('here.unknownText')}</p>
            </Empty>
          </Panel>
        ) : error ? (
          <Panel flush>
            <Failed what={t('here.one')} error={error} retry={() => void refetch()} />
          </Panel>
        ) : (
          <Panel flush>
            <Skeleton rows={6} />
          </Panel>
        )}
      </div>
    </ZoneProvider>
  );
}

function Loaded({ site }: { site: Site }) {
  const { summary } = useSummary(site.id);
  const { out } = route.useSearch();
  const mayIncidents = useAllowed('incidents.read');
  const mayDoors = useAllowed('doors.read');
  const mayCameras = useAllowed('cameras.read');
  const mayAnalytics = useAllowed('analytics.read');
  const navigate = route.useNavigate();
  return (
    <>
      <PanelBoundary>
        <Header site={site} />
      </PanelBoundary>
      {mayCameras && (
        <PanelBoundary>
          <Guard site={site.id} />
        </PanelBoundary>
      )}
      <PanelBoundary>
        <Headline site={site.id} summary={summary} />
      </PanelBoundary>
      {mayIncidents && <IncidentPanel site={site.id} />}
      <div className={styles.pair}>
        <LoadPanel site={site} powerW={summary?.powerW} />
        <CannotCharge
          site={site.id}
          all={out === 'all'}
          showAll={(all) =>
            void navigate({ search: (s) => ({ ...s, out: all ? 'all' : undefined }), replace: true })
          }
          nothingWrong={site.ports.total > 0}
        />
      </div>
      <Suspense>
        <OnSite site={site.id} />
      </Suspense>
      {mayDoors && <SiteDoors site={site.id} />}
      {mayAnalytics && (
        <Suspense>
          <BusyTimes site={site.id} />
        </Suspense>
      )}
      <StationCards site={site.id} />
      <PlanPanel site={site} />
    </>
  );
}

function Header({ site }: { site: Site }) {
  const t = useT();
  const tag = useTag();
  const mayWrite = useAllowed('sites.write');
  const now = Date.now();
  const notices = site.notices.filter((n) => !n.until || Date.parse(n.until) > now);
  const hours = site.openingHours.trim();
  return (
    <section className={styles.header}>
      <div className={styles.top}>
        <div>
          <h1 className={styles.title}>{site.name || site.id}</h1>
          <p className={styles.sub}>
            {site.address && <span>{site.address}</span>}
            {hours && <span>{hours === '24/7' ? t('here.always') : t('here.hours', { hours })}</span>}
            <span>
              {site.timeZone
                ? t('here.zoneIs', { zone: site.timeZone, short: zoneName(tag, now, site.timeZone) })
                : t('here.noZone')}
            </span>
          </p>
        </div>
        <div className={styles.links}>
          {site.latitude !== null && site.longitude !== null && (
            <Link
              to="/map"
              search={{ at: `${site.latitude.toFixed(4)},${site.longitude.toFixed(4)},13` }}
              className={styles.button}
            >
              <Icon name="map" size={16} />
              {t('here.onMap')}
            </Link>
          )}
          {mayWrite && (
            <Link to="/settings" search={{ tab: 'sites', q: site.id }} className={styles.button}>
              <Icon name="edit" size={16} />
              {t('here.edit')}
            </Link>
          )}
        </div>
      </div>
      {notices.map((n) => (
        <p key={n.text} className={styles.notice}>
          <Icon name="bell" size={16} />
          <span>{n.text}</span>
        </p>
      ))}
    </section>
  );
}
