// What a driver would run into now, in words: what, where, since when, and what
// is left for those who come.
import { Button } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { attentionQuery } from '../../api/queries';
import type { Attention, Outage, SlowPort } from '../../api/shapes';
import { count } from '../../format/quantity';
import { slowValues } from '../../format/speed';
import { DAY, dayTime, exact, hourMinute, span } from '../../format/time';
import { type MessageKey, type Translate, useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import type { Family } from '../../live/status';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { faultWords } from '../station/fault-words';
import styles from './outages.module.css';

const FEW = 5;

const families: Record<Outage['reason'], Family> = {
  faulted: 'faulted',
  stationFaulted: 'faulted',
  nothing: 'faulted',
  offline: 'offline',
  siteOffline: 'offline',
  unknown: 'unknown',
  unavailable: 'unavailable',
  stationUnavailable: 'unavailable',
  notAccepted: 'unknown',
};

/** "Port 2", "Ports 1 and 2". */
export function portsText(t: Translate, tag: string, evses: readonly number[]): string {
  return t('outage.ports', {
    n: evses.length,
    list: new Intl.ListFormat(tag, { type: 'conjunction' }).format(evses.map(String)),
  });
}

/** What is wrong, in one sentence. */
export function outageText(t: Translate, tag: string, o: Outage): string {
  return t(`outage.${o.reason}` as MessageKey, {
    where: portsText(t, tag, o.evses),
    n: o.reason === 'siteOffline' ? o.stations : o.evses.length,
    what: t(faultWords(o.fault?.code)),
  });
}

/** What is left for drivers. */
export function leftText(t: Translate, o: Outage): string {
  if (o.reason === 'notAccepted') return t('outage.left.notAccepted');
  if (o.reason === 'siteOffline') return t('outage.left.site', { n: o.ports });
  const { total, working, free } = o.others;
  const kind = o.class === 'unknown' ? '' : t('outage.kind', { class: t(`class.${o.class}`) });
  if (total === 0) return t('outage.left.only', { kind });
  if (working === 0) return t('outage.left.none', { kind });
  if (free === 0) return t('outage.left.busy', { kind, n: working });
  return t('outage.left.free', { kind, n: free });
}

const severe = (o: Outage): boolean => o.reason !== 'notAccepted' && o.others.working === 0;

/** "since 14:02 (38 min)", counted on. */
function Since({ at }: { at: string | null }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const ms = at ? Date.parse(at) : 0;
  const text = useTicking(() => {
    const length = Date.now() + client.clockOffset - ms;
    return t('outage.since', {
      at: length < DAY ? hourMinute(tag, ms, zone) : dayTime(tag, ms, zone),
      span: span(length),
    });
  });
  if (!ms) return <span>{t('outage.never')}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(tag, ms, zone)} className="num">
      {text}
    </time>
  );
}

/** The newest answer, but what lies under the pointer or the focus stays where it is. */
function useHeld<T>(fresh: T | undefined): [T | undefined, boolean, (held: boolean) => void, () => void] {
  const [held, setHeld] = useState(false);
  const [kept, setKept] = useState(fresh);
  useEffect(() => {
    if (!held) setKept(fresh);
  }, [held, fresh]);
  return [held && kept ? kept : fresh, held && kept !== fresh, setHeld, () => setKept(fresh)];
}

/** Asks again at once when the table of ports says that something broke or came back. */
function useAttention(site: string | undefined) {
  const { store } = useLive();
  const queries = useQueryClient();
  const query = useQuery({ ...attentionQuery(site), placeholderData: keepPreviousData });
  const seen = useRef('');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = store.subscribe(() => {
      const now = store.counts.slice(5).join();
      if (now === seen.current) return;
      const first = seen.current === '';
      seen.current = now;
      if (first || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        void queries.invalidateQueries({ queryKey: attentionQuery(site).queryKey });
      }, 500);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [store, queries, site]);
  return query;
}

const same = (a: Attention | undefined, b: Attention | undefined): boolean =>
  a?.cannotCharge.map((o) => `${o.siteId}/${o.station}/${o.evses}/${o.reason}`).join() ===
  b?.cannotCharge.map((o) => `${o.siteId}/${o.station}/${o.evses}/${o.reason}`).join();

export function CannotCharge({
  site,
  all,
  showAll,
  nothingWrong,
}: {
  site: string | undefined;
  all: boolean;
  showAll: (all: boolean) => void;
  /** Whether there are ports at all. */
  nothingWrong: boolean;
}) {
  const t = useT();
  const tag = useTag();
  const { data: fresh, error, refetch } = useAttention(site);
  const [data, changed, setHeld, apply] = useHeld(fresh);
  const shown = all ? data?.cannotCharge : data?.cannotCharge.slice(0, FEW);
  return (
    <Panel
      flush
      className={styles.panel}
      title={
        <>
          {t('outage.title')}
          {data && data.ports > 0 && (
            <span className={`${styles.count} num`}>
              {t('outage.count', { n: data.ports, text: count(tag, data.ports) })}
            </span>
          )}
        </>
      }
      aside={
        <>
          {changed && !same(data, fresh) && (
            <Button size="compact-xs" variant="default" onClick={apply}>
              {t('outage.changed')}
            </Button>
          )}
          {data && data.total > FEW && (
            <Button
              size="compact-xs"
              variant="subtle"
              color="gray"
              onClick={() => showAll(!all)}
              aria-expanded={all}
            >
              {all ? t('outage.fewer') : t('outage.all', { n: data.total })}
            </Button>
          )}
        </>
      }
    >
      {error && !data ? (
        <Failed what={t('outage.what')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} height={48} />
      ) : data.total === 0 ? (
        nothingWrong ? (
          <p className={styles.fine}>
            <StateShape family="available" />
            {t('outage.fine')}
          </p>
        ) : (
          <Empty title={t('outage.noPorts')} />
        )
      ) : (
        <ul
          className={styles.list}
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          {shown!.map((o) => (
            <OutageRow
              key={`${o.siteId}/${o.station}/${o.reason}/${o.evses}`}
              outage={o}
              withSite={site === undefined}
            />
          ))}
        </ul>
      )}
      {data && all && data.total > data.cannotCharge.length && (
        <p className={`${styles.more} meta`}>
          {t('outage.more', { n: data.total - data.cannotCharge.length })}
        </p>
      )}
      {data && data.slow.length > 0 && <Slow ports={data.slow} withSite={site === undefined} all={all} />}
    </Panel>
  );
}

function OutageRow({ outage: o, withSite }: { outage: Outage; withSite: boolean }) {
  const t = useT();
  const tag = useTag();
  return (
    <li className={styles.row} data-severe={severe(o)}>
      <StateShape family={families[o.reason]} />
      <p className={styles.sentence}>
        {o.reason === 'siteOffline' ? (
          <Link to="/sites/$id" params={{ id: o.siteId }} className={styles.link}>
            {outageText(t, tag, o)}
          </Link>
        ) : (
          <Link
            to="/stations/$id"
            params={{ id: o.station }}
            search={o.evses.length === 1 ? { port: o.evses[0] } : {}}
            className={styles.link}
          >
            {outageText(t, tag, o)}
          </Link>
        )}
      </p>
      <p className={styles.left}>{leftText(t, o)}</p>
      <p className={styles.meta}>
        {withSite && o.siteName && <span>{o.siteName}</span>}
        {o.station && <span className="mono">{o.station}</span>}
        <span>
          <Since at={o.since} />
        </span>
      </p>
    </li>
  );
}

function Slow({ ports, withSite, all }: { ports: SlowPort[]; withSite: boolean; all: boolean }) {
  const t = useT();
  const tag = useTag();
  const shown = all ? ports : ports.slice(0, 2);
  return (
    <section className={styles.slow} aria-label={t('outage.slow')}>
      <h3 className={styles.slowTitle}>{t('outage.slowTitle', { n: ports.length })}</h3>
      <ul className={styles.list}>
        {shown.map((p) => (
          <li key={`${p.station}/${p.evse}`} className={styles.row}>
            <StateShape family="charging" />
            <p className={styles.sentence}>
              <Link
                to="/stations/$id"
                params={{ id: p.station }}
                search={{ port: p.evse }}
                className={styles.link}
              >
                {t('outage.slowPort', { port: p.evse, words: t('speed.slow', slowValues(tag, p)) })}
              </Link>
            </p>
            <p className={styles.left}>
              {p.socPercent === null
                ? t('outage.slowWhy')
                : t('outage.slowSoc', { percent: Math.round(p.socPercent) })}
            </p>
            <p className={styles.meta}>
              {withSite && p.siteName && <span>{p.siteName}</span>}
              <span className="mono">{p.station}</span>
              {p.since && (
                <span>
                  <Since at={p.since} />
                </span>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
