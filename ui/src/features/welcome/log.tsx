import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { api, ok } from '../../api/client';
import { handshakesQuery } from '../../api/queries';
import type { SystemEvent } from '../../api/shapes';
import { clock, span } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive, useTopic } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { useZone } from '../../ui/zone';
import { reasonWords } from '../stations/pending';
import { type Attempt, newestFirst } from './facts';
import styles from './welcome.module.css';

const KINDS = 'connected,disconnected,boot,status';

const eventsOf = (station: string) => ['welcome', 'events', station] as const;

/** What a station did and what became of it, newest first, as it happens. */
export function useAttempts(station: string): Attempt[] {
  const t = useT();
  const queries = useQueryClient();
  const mayRefused = useAllowed('handshakes.read');
  const { data: refused } = useQuery({ ...handshakesQuery(), enabled: mayRefused, refetchInterval: 2000 });
  const { data: events } = useQuery({
    queryKey: eventsOf(station),
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: { query: { subject: `station/${station}`, kind: KINDS, limit: 20 } },
          signal,
        }),
      ).then((p) => p.items as SystemEvent[]),
    refetchInterval: 10_000,
  });
  useTopic('events', 'event', ({ data }) => {
    if (data.subject === `station/${station}` || data.subject.startsWith(`station/${station}/`)) {
      void queries.invalidateQueries({ queryKey: eventsOf(station) });
      if (data.kind === 'connected' || data.kind === 'boot') {
        void queries.invalidateQueries({ queryKey: ['stations'], exact: true });
        void queries.invalidateQueries({ queryKey: ['station', station] });
      }
    }
  });
  const tried: Attempt[] = (refused ?? [])
    .filter((h) => h.identity === station)
    .map((h) => ({
      at: Date.parse(h.lastAt),
      good: h.reason === 'waits for approval' ? undefined : false,
      words: h.reason === 'waits for approval' ? t('welcome.waits') : reasonWords(t, h.reason),
      count: h.count,
    }));
  const heard: Attempt[] = (events ?? []).map((e) => ({
    at: Date.parse(e.receivedAt),
    good: e.kind === 'disconnected' ? undefined : true,
    words: words(t, e),
    count: 1,
  }));
  return newestFirst([...tried, ...heard]);
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

function words(t: Translate, e: SystemEvent): string {
  switch (e.kind) {
    case 'connected':
      return t('welcome.connected');
    case 'disconnected':
      return t('welcome.disconnected');
    case 'boot': {
      const d = e.data;
      const model = [text(d.vendor), text(d.model)].filter(Boolean).join(' ');
      return model ? t('welcome.booted', { model }) : t('welcome.bootedPlain');
    }
    default:
      return t('welcome.told');
  }
}

/** The newest attempt in a sentence, and the ones before it. */
export function HandshakeLog({ station, attempts }: { station: string; attempts: Attempt[] }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const last = attempts[0];
  const sentence = useTicking(
    useCallback(() => {
      if (!last) return t('welcome.nothing', { id: station });
      const ago = span(Math.max(0, Date.now() + client.clockOffset - last.at));
      return last.good === false
        ? t('welcome.refused', { ago, why: last.words })
        : t('welcome.heard', { ago, what: last.words });
    }, [t, last, station, client]),
  );
  return (
    <section className={styles.log} aria-label={t('welcome.log')}>
      <p className={styles.sentence} data-good={last?.good} role="status" aria-live="off">
        {last ? (
          <Icon name={last.good === false ? 'warn' : last.good ? 'check' : 'clock'} size={16} />
        ) : (
          <span className={styles.listening} aria-hidden="true" />
        )}
        <span>{sentence}</span>
      </p>
      {last && last.good === undefined && attempts.some((a) => a.words === t('welcome.waits')) && (
        <p>
          <Link to="/stations" search={{ tab: 'pending' }}>
            {t('welcome.approve')}
          </Link>
        </p>
      )}
      {attempts.length > 0 && (
        <ol className={styles.attempts}>
          {attempts.map((a) => (
            <li key={`${a.at}/${a.words}`}>
              <time className="num mono">{clock(tag, a.at, zone)}</time>
              <span>{a.words}</span>
              {a.count > 1 && <span className="meta num">{t('welcome.times', { n: a.count })}</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
