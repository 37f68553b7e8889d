// What somebody has to know who takes over: what came and went, what is open and
// whose, who works where, what is silent, armed or switched on.
import { Button, SegmentedControl, Textarea } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { useScope } from '../../app/view';
import { count } from '../../format/quantity';
import { dayTime, HOUR } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Age, Figure } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import listPage from '../../ui/listpage.module.css';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { useZone, ZoneNote, ZoneProvider } from '../../ui/zone';
import { useServerNow } from '../incidents/now';
import inbox from '../incidents/page.module.css';
import { SeverityShape } from '../incidents/severity';
import { beganAt, type Incident, isIncident, ownerOf, whole } from '../incidents/shape';
import { useMe } from '../incidents/who';
import { whatText, whereText, whoText } from '../incidents/words';
import styles from './handover.module.css';
import { type Handover, handoverQuery, pastShiftsQuery, SINCE, type Since } from './shift';

const route = getRouteApi('/inside/incidents/handover');

export default function HandoverPage() {
  const site = useScope();
  const sites = useSites();
  return (
    <ZoneProvider value={site === undefined ? undefined : sites.get(site)?.timeZone || undefined}>
      <Page site={site} />
    </ZoneProvider>
  );
}

function Page({ site }: { site: string | undefined }) {
  const t = useT();
  const { since = 'last' } = route.useSearch();
  const navigate = route.useNavigate();
  const now = useServerNow(60_000);
  const from = since === 'last' ? undefined : now - SINCE[since] * HOUR;
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...handoverQuery(from && Math.floor(from / 60_000) * 60_000, site),
    placeholderData: keepPreviousData,
  });
  const may = useAllowed('incidents.act');
  return (
    <div className={`${styles.page} ${paper.paper}`}>
      <header className={`${inbox.head} ${styles.head}`}>
        <h1 className={listPage.title}>{t('response.handover')}</h1>
        <Link to="/incidents" search={{}} className={styles.back}>
          {t('response.toIncidents')}
        </Link>
        <ZoneNote />
      </header>
      <div className={styles.bar}>
        <SegmentedControl
          size="xs"
          aria-label={t('response.since')}
          value={since}
          onChange={(v) =>
            void navigate({
              search: (s) => ({ ...s, since: v === 'last' ? undefined : (v as Exclude<Since, 'last'>) }),
              replace: true,
            })
          }
          data={(Object.keys(SINCE) as Since[]).map((s) => ({ value: s, label: t(`response.since.${s}`) }))}
        />
        <Button size="xs" variant="default" onClick={() => window.print()}>
          {t('response.print')}
        </Button>
      </div>
      {error && !data ? (
        <Panel>
          <Failed what={t('response.handover')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : !data ? (
        <Panel>
          <Skeleton rows={8} />
        </Panel>
      ) : (
        <div className={styles.parts} aria-busy={isPlaceholderData}>
          <Last of={data} />
          <Counts of={data} />
          {may && <TakeOver />}
          <List title={t('response.openNow')} none={t('response.noneOpen')} rows={data.open} owners />
          <div className={styles.pair}>
            <List title={t('response.opened')} none={t('response.noneOpened')} rows={data.opened} />
            <List title={t('response.closed')} none={t('response.noneClosed')} rows={data.closed} />
          </div>
          <div className={styles.pair}>
            <OnSite of={data} />
            <Guarded of={data} />
            <Silent of={data} />
            <Switched of={data} />
          </div>
          <Past />
        </div>
      )}
    </div>
  );
}

function Last({ of }: { of: Handover }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  return (
    <div className={styles.last}>
      <p>
        {of.last
          ? of.last.beforeName
            ? t('response.tookOverFrom', { who: of.last.byName, before: of.last.beforeName })
            : t('response.tookOver', { who: of.last.byName })
          : t('response.nobodyYet')}{' '}
        {of.last && <Age at={of.last.at} />}
      </p>
      {of.last?.note && <blockquote>{of.last.note}</blockquote>}
      <p className="meta">{t('response.from', { at: dayTime(tag, Date.parse(of.since), zone) })}</p>
    </div>
  );
}

function Counts({ of }: { of: Handover }) {
  const t = useT();
  const tag = useTag();
  const grave = of.open.filter((i) => i.severity === 'S1' || i.severity === 'S2').length;
  const tiles: [string, number][] = [
    [t('response.openNow'), of.open.length],
    [t('response.grave'), grave],
    [t('response.opened'), of.opened.length],
    [t('response.closed'), of.closed.length],
  ];
  return (
    <dl className={styles.tiles}>
      {tiles.map(([name, n]) => (
        <div key={name}>
          <dt className="meta">{name}</dt>
          <dd>
            <Figure q={{ value: count(tag, n), unit: '' }} className={styles.figure!} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function TakeOver() {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const [note, setNote] = useState('');
  const take = useMutation({
    mutationFn: () => ok(api.POST('/handover', { body: note.trim() ? { note: note.trim() } : {} })),
    onSuccess: () => {
      setNote('');
      toast({ text: t('response.taken'), tone: 'good' });
      return queries.invalidateQueries({ queryKey: ['handover'] });
    },
  });
  return (
    <form
      className={styles.take}
      onSubmit={(e: FormEvent) => {
        e.preventDefault();
        take.mutate();
      }}
    >
      <Textarea
        label={t('response.handoverNote')}
        description={t('response.handoverNoteText')}
        value={note}
        onChange={(e) => setNote(e.currentTarget.value)}
        maxLength={4000}
        autosize
        minRows={2}
        maxRows={8}
      />
      <Button type="submit" loading={take.isPending}>
        {t('response.takeOver')}
      </Button>
      <FormFault what={t('response.notTaken')} error={take.error} />
    </form>
  );
}

const FEW = 20;

function List({
  title,
  none,
  rows,
  owners = false,
}: {
  title: string;
  none: string;
  rows: readonly Incident[];
  owners?: boolean;
}) {
  const t = useT();
  const tag = useTag();
  const me = useMe();
  const now = useServerNow(60_000);
  const [all, setAll] = useState(false);
  const list = rows.filter(isIncident).map(whole);
  const shown = all ? list : list.slice(0, FEW);
  return (
    <Panel
      title={title}
      aside={<span className="meta num">{count(tag, list.length)}</span>}
      flush={list.length > 0}
    >
      {list.length === 0 ? (
        <p className="meta">{none}</p>
      ) : (
        <ul className={styles.list}>
          {shown.map((i) => {
            const owner = ownerOf(i, now);
            return (
              <li key={i.id}>
                <SeverityShape severity={i.severity} size={14} />
                <span className="srOnly">{i.severity}</span>
                <span className={styles.what}>
                  <Link to="/incidents/$id" params={{ id: i.id }} search={{}}>
                    {whatText(t, i)}
                  </Link>
                  <span className="meta">{whereText(t, i)}</span>
                </span>
                {owners && (
                  <span className={styles.who}>
                    {owner ? whoText(t, i, owner, me) : t('response.noOwner')}
                    {i.response !== 'none' && i.response !== '' && (
                      <span className="meta"> {t(`incident.response.${responseOf(i.response)}`)}</span>
                    )}
                  </span>
                )}
                <span className={`${styles.when} meta`}>
                  <Age at={beganAt(i)} />
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {list.length > FEW && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('response.fewer') : t('response.showAll', { n: list.length })}
        </button>
      )}
    </Panel>
  );
}

const RESPONSES = ['none', 'dispatched', 'onSite', 'contained'] as const;
const responseOf = (r: string) => RESPONSES.find((x) => x === r) ?? 'none';

function Lines({
  title,
  none,
  rows,
}: {
  title: string;
  none: string;
  rows: { key: string; text: ReactNode; meta: ReactNode }[];
}) {
  return (
    <Panel title={title} flush={rows.length > 0}>
      {rows.length === 0 ? (
        <p className="meta">{none}</p>
      ) : (
        <ul className={styles.list}>
          {rows.map((r) => (
            <li key={r.key}>
              <span className={styles.what}>{r.text}</span>
              <span className={`${styles.when} meta`}>{r.meta}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function OnSite({ of }: { of: Handover }) {
  const t = useT();
  return (
    <Lines
      title={t('response.onSite')}
      none={t('response.noneOnSite')}
      rows={of.onSite.map((x) => ({
        key: x.orderId,
        text: (
          <>
            {x.name}
            <span className="meta">
              {x.siteName} ·{' '}
              <Link to="/maintenance" search={{ order: x.orderId }}>
                {x.title}
              </Link>
            </span>
          </>
        ),
        meta: x.since && <Age at={x.since} />,
      }))}
    />
  );
}

function useUntil() {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  return (at: string | null) => (at ? t('response.until', { at: dayTime(tag, Date.parse(at), zone) }) : '');
}

function Guarded({ of }: { of: Handover }) {
  const t = useT();
  const until = useUntil();
  return (
    <Lines
      title={t('response.guarded')}
      none={t('response.noneGuarded')}
      rows={of.guarded.map((x) => ({
        key: x.siteId,
        text: (
          <>
            <Link to="/sites/$id" params={{ id: x.siteId }}>
              {x.siteName || x.siteId}
            </Link>
            <span className="meta">
              {[x.armed && t('response.armed'), x.heightened && t('response.heightened')]
                .filter(Boolean)
                .join(', ')}
            </span>
          </>
        ),
        meta: until(x.heightened ? x.guardUntil : x.until),
      }))}
    />
  );
}

function Silent({ of }: { of: Handover }) {
  const t = useT();
  const until = useUntil();
  return (
    <Lines
      title={t('response.silent')}
      none={t('response.noneSilent')}
      rows={of.silent.map((x) => ({
        key: x.id,
        text: (
          <>
            {x.text || x.id}
            <span className="meta">{t('response.muting', { n: x.muting })}</span>
          </>
        ),
        meta: until(x.until),
      }))}
    />
  );
}

const STATES = ['on', 'unsure', 'overdue'] as const;

function Switched({ of }: { of: Handover }) {
  const t = useT();
  const until = useUntil();
  return (
    <Lines
      title={t('response.outputs')}
      none={t('response.noneOutputs')}
      rows={of.outputs.map((x) => ({
        key: x.id,
        text: (
          <>
            {x.label || x.id}
            <span className="meta">
              {x.siteName} · {t(`response.output.${STATES.find((s) => s === x.state) ?? 'unsure'}`)}
            </span>
          </>
        ),
        meta: until(x.until),
      }))}
    />
  );
}

function Past() {
  const t = useT();
  const { data = [] } = useQuery(pastShiftsQuery());
  if (data.length === 0) return null;
  return (
    <Panel title={t('response.shifts')} flush className={styles.past!}>
      <ul className={styles.list}>
        {data.map((s) => (
          <li key={s.at}>
            <span className={styles.what}>
              {s.beforeName
                ? t('response.tookOverFrom', { who: s.byName, before: s.beforeName })
                : t('response.tookOver', { who: s.byName })}
              {s.note && <span className={styles.noted}>{s.note}</span>}
            </span>
            <span className={`${styles.when} meta`}>
              {t('response.openThen', { n: s.open })} <Age at={s.at} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
