import { useQuery } from '@tanstack/react-query';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useRef } from 'react';
import { meQuery, savedViewsQuery } from '../../api/queries';
import { useStale } from '../../app/connection';
import { Mark } from '../../app/mark';
import { placesFor } from '../../app/places';
import { useView } from '../../app/view';
import { clock, MINUTE, SECOND, span, zoneName } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow, useTicking } from '../../live/clock';
import { useLive, useLiveStatus } from '../../live/hooks';
import { STALE_AFTER } from '../../live/socket';
import { usePageZone } from '../../ui/zone';
import styles from './frame.module.css';
import { mustReload, nextView, onScreen, shiftAt, viewsOf } from './views';

/** How many seconds a part of a tall view stays at least. */
const LEAST_PART = 8;

/** A page on a wall: nothing to press, readable from afar, never old without saying so. */
export default function KioskFrame({ children }: { children: ReactNode }) {
  const t = useT();
  const router = useRouter();
  const { data: me } = useQuery(meQuery());
  const { rotate } = useView();
  const stale = useStale();
  const shown = useRouterState({ select: (s) => s.location.href });
  // A screen shows what was chosen for it, a person what they kept under a name.
  const { data: saved } = useQuery({ ...savedViewsQuery(), enabled: me !== undefined && !me.kiosk });
  const own = useMemo(() => me?.kiosk?.views ?? saved?.map((v) => v.path), [me, saved]);
  const views = useMemo(
    () =>
      viewsOf(
        own,
        placesFor(me?.permissions).map((p) => p.to),
      ),
    [own, me],
  );
  const seconds = me?.kiosk?.rotateSeconds ?? rotate;
  useRotation(views, seconds, shown);
  const content = usePaging(seconds, shown);
  useFreshness();
  useWakeLock();

  // Somebody who only looks may leave; a screen has nowhere to go.
  const mayLeave = me !== undefined && !me.kiosk;
  useEffect(() => {
    if (!mayLeave) return;
    const onKey = (e: KeyboardEvent) => {
      if (e.key !== 'Escape') return;
      void router.navigate({
        to: '.',
        search: (s: object) => ({ ...s, kiosk: undefined, rotate: undefined }),
      } as never);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [mayLeave, router]);

  const minute = Math.floor(useNow(MINUTE) / MINUTE);
  const { x, y } = shiftAt(minute);
  return (
    <div className={styles.screen} data-stale={stale}>
      <div className={styles.shift} style={{ translate: `${x}px ${y}px` }}>
        {stale && <Lost />}
        <main id="content" ref={content} className={styles.content} data-stale={stale}>
          {children}
        </main>
        <footer className={styles.foot}>
          <Mark />
          <span className={styles.name}>{me?.kiosk ? me.name : 'Chargewatch'}</span>
          <Dots views={views} shown={shown} rotating={seconds !== undefined} />
          {mayLeave && <span className="meta">{t('kiosk.leave')}</span>}
          <Freshness />
          <Clock />
        </footer>
      </div>
    </div>
  );
}

function useRotation(views: readonly string[], seconds: number | undefined, shown: string) {
  const router = useRouter();
  useEffect(() => {
    if (!seconds || views.length < 2) return;
    const timer = setTimeout(() => {
      const next = nextView(views, shown);
      // By its address alone: what one view filters by must not stick to the next.
      if (next) router.history.replace(onScreen(next, seconds));
    }, seconds * SECOND);
    return () => clearTimeout(timer);
  }, [views, seconds, shown, router]);
}

/** A view taller than the screen is shown part by part, for nobody can scroll it. */
function usePaging(seconds: number | undefined, shown: string) {
  const content = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each view starts at its top
  useEffect(() => {
    const began = Date.now();
    content.current?.scrollTo({ top: 0 });
    const timer = setInterval(() => {
      const box = content.current;
      if (!box) return;
      const spare = box.scrollHeight - box.clientHeight;
      if (spare < 24) return;
      const parts = Math.ceil(box.scrollHeight / box.clientHeight);
      const each = Math.max(LEAST_PART, (seconds ?? 0) / parts) * SECOND;
      const part = Math.floor((Date.now() - began) / each) % parts;
      box.scrollTo({ top: Math.min(spare, part * box.clientHeight), behavior: 'smooth' });
    }, SECOND);
    return () => clearInterval(timer);
  }, [seconds, shown]);
  return content;
}

const heap = (): number | undefined =>
  (performance as { memory?: { usedJSHeapSize?: number } }).memory?.usedJSHeapSize;

/** Starts afresh for another build of the server, and before memory runs out. */
function useFreshness() {
  const { build } = useLiveStatus();
  const first = useRef('');
  useEffect(() => {
    if (first.current === '') first.current = build;
    const check = () => {
      if (mustReload(first.current, build, heap())) location.reload();
    };
    check();
    const timer = setInterval(check, MINUTE);
    return () => clearInterval(timer);
  }, [build]);
}

/** Keeps the display on, where the browser can. */
function useWakeLock() {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    const take = async () => {
      if (document.hidden) return;
      try {
        lock = await navigator.wakeLock?.request('screen');
      } catch {
        // Then the display's own setting decides.
      }
    };
    void take();
    document.addEventListener('visibilitychange', take);
    return () => {
      document.removeEventListener('visibilitychange', take);
      void lock?.release();
    };
  }, []);
}

function Lost() {
  const t = useT();
  const tag = useTag();
  const { zone } = usePageZone();
  const { lastFrameAt } = useLiveStatus();
  const text = useTicking(
    useCallback(
      () => t('kiosk.lost', { at: clock(tag, lastFrameAt, zone), age: span(Date.now() - lastFrameAt) }),
      [t, tag, zone, lastFrameAt],
    ),
  );
  return (
    <p className={styles.lost} role="alert">
      <span className={styles.hatch} aria-hidden="true" />
      {text}
    </p>
  );
}

function Dots({ views, shown, rotating }: { views: readonly string[]; shown: string; rotating: boolean }) {
  const t = useT();
  if (!rotating || views.length < 2) return <span className={styles.dots} />;
  const before = (views.indexOf(nextView(views, shown) ?? '') - 1 + views.length) % views.length;
  return (
    <span
      className={styles.dots}
      role="img"
      aria-label={t('kiosk.view', { n: before + 1, all: views.length })}
    >
      {views.map((v, i) => (
        <span key={v} data-here={i === before} />
      ))}
    </span>
  );
}

function Freshness() {
  const t = useT();
  const { phase, lastFrameAt } = useLiveStatus();
  const live = phase === 'live';
  const text = useTicking(
    useCallback(() => {
      if (lastFrameAt === 0) return t('live.connecting');
      const old = Date.now() - lastFrameAt;
      return live && old < STALE_AFTER ? t('live.live') : t('live.old', { age: span(old) });
    }, [t, live, lastFrameAt]),
  );
  return (
    <span className={styles.fresh} data-live={live}>
      <span aria-hidden="true" />
      {text}
    </span>
  );
}

function Clock() {
  const tag = useTag();
  const { zone } = usePageZone();
  const { client } = useLive();
  const text = useTicking(
    useCallback(() => {
      const now = Date.now() + client.clockOffset;
      return `${clock(tag, now, zone)} ${zoneName(tag, now, zone)}`;
    }, [tag, zone, client]),
  );
  return <time className={`num ${styles.clock}`}>{text}</time>;
}
