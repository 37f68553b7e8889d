import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense, useEffect, useMemo, useRef } from 'react';
import { Problem } from '../../api/problem';
import { isTyping, SEQUENCE_MS } from '../../app/keymap';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { Empty, Failed, Panel, PanelBoundary, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneProvider } from '../../ui/zone';
import { CallList } from '../response/calls';
import { Procedure } from '../response/checklist';
import { Right } from '../response/precision';
import { Activity } from './activity';
import { useActor } from './actor';
import { type Act, KEYS } from './acts';
import { Axis } from './axis';
import { Cause } from './cause';
import styles from './detail.module.css';
import { Evidence } from './evidence';
import { useIncidents } from './feed';
import { Actions, Header, usePhone } from './header';
import { Pictures } from './pictures';
import { incidentQuery } from './queries';
import { Folded, Remedies, Similar } from './related';
import type { Detail, Incident } from './shape';

const OnSite = later(async () => ({ default: (await import('../outputs/onsite')).OnSite }));

const route = getRouteApi('/inside/incidents/$id');

export default function IncidentPage() {
  const { id } = route.useParams();
  // Another incident is another page: nothing of the last one may linger.
  return <One key={id} id={id} />;
}

function One({ id }: { id: string }) {
  const t = useT();
  const sites = useSites();
  const { rows, store } = useIncidents();
  const { data, error, refetch } = useQuery(incidentQuery(id));
  const row = useMemo(() => rows.find((r) => r.id === id), [rows, id]);
  // The feed brings the incident; what happened to it is asked for.
  const version = row?.updatedAt ?? '';
  const known = data?.updatedAt ?? '';
  useEffect(() => {
    if (version > known && known !== '') void refetch();
  }, [version, known, refetch]);
  // One that is over leaves the list; one that came back enters it.
  useEffect(() => {
    if (data) store.change({ ...data });
  }, [data, store]);
  const now: Detail | undefined = data && (row && version > known ? { ...data, ...row } : data);
  return (
    <ZoneProvider value={sites.get(now?.siteId ?? '')?.timeZone || undefined}>
      <article className={`${styles.page} scroll`} data-incident="">
        <nav className={styles.back}>
          <Link to="/incidents" search={true}>
            <Icon name="left" size={16} />
            {t('incident.back')}
          </Link>
        </nav>
        {now ? (
          <Loaded incident={now} />
        ) : error instanceof Problem && error.status === 404 ? (
          <>
            <h1 className="srOnly">{t('incident.unknown')}</h1>
            <Empty title={t('incident.unknown')}>{t('incident.unknownText')}</Empty>
          </>
        ) : error ? (
          <>
            <h1 className="srOnly">{t('nav.incidents')}</h1>
            <Failed what={t('incident.one')} error={error} retry={() => void refetch()} />
          </>
        ) : (
          <Skeleton rows={8} />
        )}
      </article>
    </ZoneProvider>
  );
}

/** The keys of the list act on the open incident while the focus is not in the list. */
function useKeys(incident: Incident) {
  const { act } = useActor();
  // After g the next key names a page.
  const wentAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const going = e.timeStamp - wentAt.current <= SEQUENCE_MS;
      wentAt.current = e.key === 'g' ? e.timeStamp : Number.NEGATIVE_INFINITY;
      if (going || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) return;
      if (e.target instanceof HTMLElement && e.target.closest('[data-incident-list],[role=dialog]')) return;
      if (document.querySelector('[role=dialog][aria-modal=true]')) return;
      const kind: Act | undefined = Object.hasOwn(KEYS, e.key) ? KEYS[e.key as keyof typeof KEYS] : undefined;
      if (!kind) return;
      e.preventDefault();
      act(kind, [incident]);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [act, incident]);
}

function Loaded({ incident }: { incident: Detail }) {
  const t = useT();
  const phone = usePhone();
  useKeys(incident);
  return (
    <>
      <PanelBoundary>
        <Header incident={incident} />
      </PanelBoundary>
      <Panel title={t('incident.cause')}>
        <Cause incident={incident} />
        <Evidence incident={incident} />
        <Right incident={incident} />
      </Panel>
      <PanelBoundary>
        <Suspense>
          <OnSite
            site={incident.siteId}
            incident={incident.id}
            needed={incident.family === 'security' && incident.state !== 'closed'}
          />
        </Suspense>
      </PanelBoundary>
      <PanelBoundary>
        <Procedure incident={incident} />
      </PanelBoundary>
      <CallList incident={incident} />
      <PanelBoundary>
        <Pictures incident={incident} />
      </PanelBoundary>
      <PanelBoundary>
        <Axis incident={incident} />
      </PanelBoundary>
      <Folded incident={incident} />
      <Remedies incident={incident} />
      <Activity incident={incident} />
      <Similar incident={incident} />
      {phone && <Actions incident={incident} />}
    </>
  );
}
