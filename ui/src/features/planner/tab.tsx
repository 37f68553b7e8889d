// Whether a site needs more ports: what a formula says at once, and what a
// simulation of its own drivers says after some seconds.
import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { meQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { useSites } from '../../ui/sites';
import { useSetSearch, useTabSearch } from '../analytics/search';
import { type Assumed, AssumptionsForm, assumedOf } from './assumptions';
import { Dials } from './dials';
import styles from './planner.module.css';
import { Plans } from './plans';
import { newestQuery, planQuery } from './queries';
import { Answer, Outcomes } from './result';
import { type PlannerSearch, parsePlanner } from './search';

export default function Planner() {
  const t = useT();
  const site = useScope();
  const sites = useSites();
  const set = useSetSearch<PlannerSearch>();
  const names = [...sites.values()]
    .map((s) => ({ value: s.id, label: s.name || s.id }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <div className={`${styles.tab} ${paper.paper}`}>
      <Select
        size="xs"
        className={`${styles.site} ${paper.screenOnly}`}
        aria-label={t('planner.site')}
        placeholder={t('planner.site')}
        data={names}
        value={site ?? null}
        onChange={(v) => set({ site: v ?? undefined, plan: undefined, beside: undefined })}
        searchable
        nothingFoundMessage={t('planner.noSite')}
        maxDropdownHeight={320}
      />
      {site === undefined ? (
        <Panel>
          <Empty title={t('planner.choose')}>{t('planner.chooseText')}</Empty>
        </Panel>
      ) : (
        <OfSite key={site} site={site} name={sites.get(site)?.name ?? site} />
      )}
    </div>
  );
}

function OfSite({ site, name }: { site: string; name: string }) {
  const t = useT();
  const search = useTabSearch(parsePlanner);
  const { data: me } = useQuery(meQuery());
  const may = me?.permissions.includes('analytics.write') ?? false;
  const newest = useQuery({ ...newestQuery(site), enabled: search.plan === undefined });
  const chosen = useQuery({ ...planQuery(search.plan ?? ''), enabled: search.plan !== undefined });
  const beside = useQuery({ ...planQuery(search.beside ?? ''), enabled: search.beside !== undefined });
  const shown = search.plan === undefined ? newest : chosen;
  const limit = useSites().get(site)?.gridLimitW;
  const [changed, setChanged] = useState<Assumed | null>(null);
  const assumed = changed ?? assumedOf(shown.data?.question, limit);
  return (
    <>
      {shown.error ? (
        <Panel>
          <Failed what={t('planner.plan')} error={shown.error} retry={() => void shown.refetch()} />
        </Panel>
      ) : shown.data ? (
        <Answer plan={shown.data} site={name} may={may} />
      ) : (
        <Panel>
          <Skeleton rows={4} />
        </Panel>
      )}
      <div className={`${styles.top} ${paper.screenOnly}`}>
        <Dials site={site} search={search} assumed={assumed} may={may} />
        <AssumptionsForm assumed={assumed} set={setChanged} />
      </div>
      {shown.data && <Outcomes key={shown.data.id} plan={shown.data} />}
      {beside.data && search.beside !== undefined && (
        <>
          <Answer plan={beside.data} site={name} may={may} />
          <Outcomes key={beside.data.id} plan={beside.data} />
        </>
      )}
      <Plans site={site} shown={shown.data?.id} beside={search.beside} may={may} />
    </>
  );
}
