import { Button, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { api, ok } from '../../api/client';
import { pendingQuery, stationsQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { count } from '../../format/quantity';
import { useT, useTag, words } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Failed, Skeleton } from '../../ui/panel';
import { StationAddress } from '../stations/address';
import { UPSTREAMS, type Upstream, upstreamsQuery } from '../upstreams/upstream';
import styles from './welcome.module.css';

const UpstreamForm = later(async () => {
  const [form] = await Promise.all([import('../upstreams/form'), words.need('upstreams', 'settings')]);
  return { default: form.UpstreamForm };
});

const TestDialog = later(async () => {
  const [trial] = await Promise.all([import('../upstreams/trial'), words.need('upstreams')]);
  return { default: trial.TestDialog };
});

const ALL = 'all';

/** Stations that speak to another central system go on doing so, through us. */
export function CsmsStep({ sites }: { sites: Site[] }) {
  const t = useT();
  const queries = useQueryClient();
  const allowed = useAllowed('stations.write');
  const { data, error, refetch } = useQuery({ ...upstreamsQuery(), refetchInterval: 3000 });
  const [open, setOpen] = useState<'add' | Upstream | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: UPSTREAMS });
  if (error && !data)
    return <Failed what={t('welcome.step.csms')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={3} />;
  if (!allowed) return <p className={styles.text}>{t('welcome.notAllowed')}</p>;
  return (
    <>
      <p className={styles.text}>{t('welcome.csmsText')}</p>
      {data.map((u) => (
        <System key={u.id} of={u} sites={sites} test={() => setOpen(u)} changed={changed} />
      ))}
      {data.length === 0 && (
        <div className={form.actions}>
          <Button onClick={() => setOpen('add')}>{t('welcome.csmsAdd')}</Button>
        </div>
      )}
      <Suspense>
        {open === 'add' && <UpstreamForm of={undefined} close={() => setOpen(null)} changed={changed} />}
        {open && open !== 'add' && <TestDialog of={open} close={() => setOpen(null)} />}
      </Suspense>
    </>
  );
}

function System({
  of: u,
  sites,
  test,
  changed,
}: {
  of: Upstream;
  sites: Site[];
  test: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [where, setWhere] = useState<string | null>(sites.length === 1 ? (sites[0]?.id ?? null) : ALL);
  const relay = useMutation({
    mutationFn: async () => {
      for (const s of sites.filter((s) => (where === ALL || s.id === where) && s.upstream !== u.id)) {
        await ok(api.PATCH('/sites/{site}', { params: { path: { site: s.id } }, body: { upstream: u.id } }));
      }
    },
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['sites'] });
      await changed();
    },
  });
  const chosen = u.sites.length > 0 || u.stations.length > 0;
  return (
    <section className={styles.watch} aria-label={u.name}>
      <div className={styles.system}>
        <span>
          <strong>{u.name}</strong> <span className="meta mono">{u.host}</span>
        </span>
        <Button variant="default" onClick={test}>
          {t('welcome.csmsTest')}
        </Button>
      </div>
      {sites.length === 0 ? (
        <p className={styles.text}>{t('welcome.csmsNoSite')}</p>
      ) : (
        !chosen && (
          <form
            className={form.form}
            onSubmit={(e) => {
              e.preventDefault();
              relay.mutate();
            }}
          >
            <Select
              label={t('welcome.csmsWhere')}
              description={t('welcome.csmsWhereHint')}
              data={[
                { value: ALL, label: t('welcome.csmsAll') },
                ...sites.map((s) => ({ value: s.id, label: s.name || s.id })),
              ]}
              value={where}
              onChange={(v) => v && setWhere(v)}
              allowDeselect={false}
            />
            <FormFault what={t('welcome.csmsNotRelayed')} error={relay.error} />
            <div className={form.actions}>
              <Button type="submit" loading={relay.isPending}>
                {t('welcome.csmsRelay')}
              </Button>
            </div>
          </form>
        )
      )}
      {chosen && <Point of={u} sites={sites} />}
    </section>
  );
}

/** How stations are pointed here, and the first ones that come. */
function Point({ of: u, sites }: { of: Upstream; sites: Site[] }) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data: waiting } = useQuery({ ...pendingQuery(), refetchInterval: 3000 });
  const { data: stations } = useQuery({ ...stationsQuery(), refetchInterval: 3000 });
  const site = sites.find((s) => u.sites.includes(s.id));
  const approve = useMutation({
    mutationFn: (id: string) =>
      ok(
        api.POST('/stations/{station}/approve', {
          params: { path: { station: id } },
          body: site ? { siteId: site.id } : {},
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['stations'] }),
  });
  const first = stations
    ?.filter((s) => s.online && (u.sites.includes(s.siteId) || u.stations.includes(s.id)))
    .slice(0, 5);
  const come = u.health.stations;
  const trouble = come === 0 ? (u.health.lastUnreached ?? u.health.lastRefused) : null;
  return (
    <>
      <div className={styles.field}>
        <p className={form.label}>{t('welcome.csmsAddress')}</p>
        <StationAddress />
        <p className="meta">{t('welcome.csmsAddressHint')}</p>
      </div>
      <div role="status" className={styles.arrivals}>
        {come === 0 ? (
          <p className="meta">{t('welcome.csmsListening')}</p>
        ) : (
          <p className={styles.come}>
            <Icon name="check" size={16} />
            {t('welcome.csmsCome', { n: come, shown: count(tag, come) })}
          </p>
        )}
        {trouble && (
          <p>
            <Icon name="warn" size={16} /> {t('welcome.csmsTrouble', { id: trouble.station })}{' '}
            <span className="meta">
              <Age at={trouble.at} />
            </span>
          </p>
        )}
      </div>
      {come > 0 && first && first.length > 0 && (
        <ul className={styles.first}>
          {first.map((s) => (
            <li key={s.id}>
              <Link to="/stations/$id" params={{ id: s.id } as never} className="mono">
                {s.id}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {waiting && waiting.length > 0 && (
        <ul className={styles.first}>
          {waiting.slice(0, 5).map((s) => (
            <li key={s.id} className={styles.system}>
              <span>
                <span className="mono">{s.id}</span> <span className="meta">{t('welcome.waits')}</span>
              </span>
              <Button
                size="xs"
                loading={approve.isPending && approve.variables === s.id}
                onClick={() => approve.mutate(s.id)}
              >
                {site ? t('welcome.csmsApproveAt', { site: site.name || site.id }) : t('welcome.approve')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <FormFault what={t('welcome.csmsNotApproved')} error={approve.error} />
    </>
  );
}
