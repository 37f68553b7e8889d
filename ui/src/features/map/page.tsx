import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { mapSettingsQuery, sitesQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { count, power, text } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import type { Family } from '../../live/status';
import { URGENCY } from '../../live/status';
import { inFamily, noTally, useTallies } from '../../live/tally';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, PanelBoundary, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import styles from './map.module.css';
import { chipOf, type Place, positionOf, siteState } from './model';
import { inBounds } from './overlay';
import { parseAt, SITE_STATES } from './search';
import type { Bounds } from './sheet';
import { MapView } from './view';

const route = getRouteApi('/inside/map');
const MOST = 200;

const stateWord = (f: Family): MessageKey => `map.state.${chipOf(f)}`;

export default function MapPage() {
  const t = useT();
  const tag = useTag();
  const only = useScope();
  const { at, state } = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useAllowed('sites.write');
  const { data: sites, error, refetch } = useQuery(sitesQuery());
  const { data: settings } = useQuery(mapSettingsQuery());
  const tallies = useTallies(1000);
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [lit, setLit] = useState<string[] | null>(null);

  const { placed, nowhere } = useMemo(() => {
    const placed: Place[] = [];
    let nowhere = 0;
    for (const s of sites ?? []) {
      if (only !== undefined && s.id !== only) continue;
      const where = positionOf(s);
      if (!where) {
        nowhere++;
        continue;
      }
      const tally = tallies.get(s.id) ?? noTally();
      placed.push({ id: s.id, name: s.name || s.id, ...where, state: siteState(tally), tally });
    }
    return { placed, nowhere };
  }, [sites, tallies, only]);
  const chosen = useMemo(() => new Set(state?.split(',') ?? []), [state]);
  const places = useMemo(
    () => (chosen.size === 0 ? placed : placed.filter((p) => chosen.has(chipOf(p.state)))),
    [placed, chosen],
  );
  const shown = useMemo(
    () =>
      places
        .filter((p) => bounds === null || inBounds(p, bounds))
        .sort((a, b) => URGENCY[a.state] - URGENCY[b.state] || a.name.localeCompare(b.name)),
    [places, bounds],
  );
  const moved = useCallback(
    (where: string, b: Bounds) => {
      setBounds(b);
      void navigate({
        search: (s) => (s.at === where ? s : { ...s, at: where }),
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  const toggle = (f: string) => {
    const next = new Set(chosen);
    if (!next.delete(f)) next.add(f);
    void navigate({ search: (s) => ({ ...s, state: [...next].join(',') || undefined }), replace: true });
  };
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t('nav.map')}</h1>
        <div className={styles.chips} role="group" aria-label={t('map.filter')}>
          {SITE_STATES.map((f) => {
            const n = placed.filter((p) => chipOf(p.state) === f).length;
            return (
              <button
                key={f}
                type="button"
                className={styles.chip}
                aria-pressed={chosen.has(f)}
                data-none={n === 0}
                onClick={() => toggle(f)}
              >
                <StateShape family={f} size={14} />
                {t(stateWord(f))}
                <span className="num">{count(tag, n)}</span>
              </button>
            );
          })}
        </div>
      </header>
      <section className={styles.map} aria-label={t('nav.map')}>
        <PanelBoundary>
          {sites ? (
            <MapView
              key={settings?.styleUrl ?? ''}
              places={places}
              start={parseAt(at)}
              styleUrl={settings?.styleUrl ?? ''}
              lit={lit?.length === 1 ? lit[0]! : null}
              moved={moved}
              over={setLit}
            />
          ) : error ? (
            <Failed what={t('map.sites')} error={error} retry={() => void refetch()} />
          ) : null}
        </PanelBoundary>
      </section>
      <aside className={styles.side} aria-label={t('map.inView')}>
        <h2 className={styles.sideHead}>
          {t('map.inView')}
          <span className="meta num">{t('map.count', { n: shown.length, total: placed.length })}</span>
        </h2>
        {!sites ? (
          error ? null : (
            <Skeleton rows={6} height={44} />
          )
        ) : placed.length === 0 ? (
          <Empty
            title={sites.length === 0 ? t('map.noSites') : t('map.noPositions')}
            action={
              mayWrite ? (
                <Link to="/settings" search={{ tab: 'sites' }}>
                  {sites.length === 0 ? t('map.addSite') : t('map.addPositions')}
                </Link>
              ) : undefined
            }
          >
            <p>{sites.length === 0 ? t('map.noSitesText') : t('map.noPositionsText')}</p>
          </Empty>
        ) : shown.length === 0 ? (
          <Empty title={chosen.size > 0 ? t('map.nothingChosen') : t('map.nothing')} />
        ) : (
          <ul className={`${styles.list} scroll`}>
            {shown.slice(0, MOST).map((p) => (
              <Item key={p.id} place={p} lit={lit?.includes(p.id) ?? false} over={setLit} />
            ))}
          </ul>
        )}
        {shown.length > MOST && (
          <p className={`${styles.foot} meta`}>{t('map.more', { n: shown.length - MOST })}</p>
        )}
        {nowhere > 0 && placed.length > 0 && (
          <p className={`${styles.foot} meta`}>
            {mayWrite ? (
              <Link to="/settings" search={{ tab: 'sites' }}>
                {t('map.nowhere', { n: nowhere })}
              </Link>
            ) : (
              t('map.nowhere', { n: nowhere })
            )}
          </p>
        )}
      </aside>
    </div>
  );
}

function Item({ place: p, lit, over }: { place: Place; lit: boolean; over: (ids: string[] | null) => void }) {
  const t = useT();
  const tag = useTag();
  const faulted = inFamily(p.tally, 'faulted');
  const offline = inFamily(p.tally, 'offline');
  return (
    <li
      className={styles.item}
      data-lit={lit}
      onPointerEnter={() => over([p.id])}
      onPointerLeave={() => over(null)}
      onFocus={() => over([p.id])}
      onBlur={() => over(null)}
    >
      <StateShape family={p.state} />
      <Link to="/sites/$id" params={{ id: p.id }} className={styles.link}>
        {p.name}
      </Link>
      <span className={`${styles.freeText} num`}>
        {t('map.free', { free: count(tag, p.tally.free), total: count(tag, p.tally.total) })}
      </span>
      <p className={styles.facts}>
        <span>{t(stateWord(p.state))}</span>
        {p.tally.powerW > 0 && <span className="num">{text(power(tag, p.tally.powerW))}</span>}
        {faulted > 0 && <span className="num">{t('map.faulted', { n: faulted })}</span>}
        {offline > 0 && <span className="num">{t('map.offline', { n: offline })}</span>}
      </p>
    </li>
  );
}
