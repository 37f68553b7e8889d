import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { meQuery, type StationBrief, sitesQuery, stationsQuery, usersQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { PanelBoundary, Skeleton } from '../../ui/panel';
import { upstreamsQuery } from '../upstreams/upstream';
import { CsmsStep } from './csms';
import { DemoStep, demoQuery } from './demo';
import { current, progress, type Step } from './facts';
import { SiteStep } from './site';
import { StationStep } from './station';
import { TeamStep } from './team';
import styles from './welcome.module.css';

const route = getRouteApi('/inside/welcome');

function factsOf(sites: Site[], stations: StationBrief[]) {
  const simulated = new Set(stations.filter((s) => s.simulated).map((s) => s.siteId));
  return {
    own: sites.filter((s) => !simulated.has(s.id)),
    heard: stations.filter((s) => !s.simulated && s.lastFrameAt).length,
  };
}

/** From an empty server to a station that talks, in ten minutes. */
export default function WelcomePage() {
  const t = useT();
  const navigate = route.useNavigate();
  const { step: asked } = route.useSearch();
  const { data: me } = useQuery(meQuery());
  const mayInvite = useAllowed('users.write');
  const { data: sites } = useQuery({ ...sitesQuery(), refetchInterval: 10_000 });
  const { data: stations } = useQuery({ ...stationsQuery(), refetchInterval: 10_000 });
  const mayRelay = useAllowed('system.read');
  const { data: systems } = useQuery({ ...upstreamsQuery(), enabled: mayRelay });
  const { data: people } = useQuery({ ...usersQuery(), enabled: mayInvite });
  const { data: demo } = useQuery(demoQuery());
  // What stands open stays open when it becomes done: there may be more to read in it.
  const [held, setHeld] = useState<Step | null>();
  const facts = me && sites && stations ? factsOf(sites, stations) : undefined;
  const steps = progress({
    sites: facts?.own.length ?? 0,
    heard: facts?.heard ?? 0,
    people: people?.length ?? 1,
    relayed: mayRelay
      ? (systems?.reduce((n, u) => n + u.sites.length + u.stations.length, 0) ?? 0)
      : undefined,
    demoOn: demo?.on,
    mayInvite,
  });
  const next = current(steps);
  const ready = facts !== undefined && (people !== undefined || !mayInvite);
  useEffect(() => {
    if (ready && held === undefined) setHeld(next ?? null);
  }, [ready, held, next]);
  if (!facts || !me || !sites) {
    return (
      <div className={styles.page}>
        <Skeleton rows={6} />
      </div>
    );
  }
  const open = steps.find((s) => s.step === asked)?.step ?? held ?? undefined;
  const go = (step: Step | null | undefined) => {
    setHeld(step);
    void navigate({ search: (s) => ({ ...s, step: step ?? undefined }) });
  };
  const parts: Record<Step, () => React.ReactNode> = {
    admin: () => <p className={styles.text}>{t('welcome.adminText', { name: me.name })}</p>,
    site: () => <SiteStep sites={facts.own} done={() => go(undefined)} />,
    csms: () => <CsmsStep sites={facts.own} />,
    station: () => <StationStep sites={facts.own.length > 0 ? facts.own : sites} />,
    team: () => <TeamStep people={people ?? []} />,
    demo: () => <DemoStep />,
  };
  const left = steps.filter((s) => !s.done && !s.optional).length;
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.title}>{t('welcome.title')}</h1>
        <p className={styles.text}>{left > 0 ? t('welcome.text', { n: left }) : t('welcome.ready')}</p>
      </header>
      <ol className={styles.steps}>
        {steps.map(({ step, done, optional }, i) => (
          <li key={step} className={styles.step} data-open={step === open}>
            <button
              type="button"
              className={styles.head}
              aria-expanded={step === open}
              onClick={() => go(step === open ? null : step)}
            >
              <span className={styles.mark} data-done={done}>
                {done ? <Icon name="check" size={14} /> : i + 1}
              </span>
              <span className={styles.name}>{t(`welcome.step.${step}` as MessageKey)}</span>
              <span className="meta">{done ? t('welcome.done') : optional ? t('welcome.optional') : ''}</span>
            </button>
            {step === open && (
              <div className={styles.body}>
                <PanelBoundary>{parts[step]()}</PanelBoundary>
              </div>
            )}
          </li>
        ))}
      </ol>
      <footer className={styles.foot}>
        <Button component={Link} to="/" variant={left > 0 ? 'default' : 'filled'}>
          {left > 0 ? t('welcome.later') : t('welcome.go')}
        </Button>
        {left > 0 && <span className="meta">{t('welcome.resume')}</span>}
      </footer>
    </div>
  );
}
