import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { exact } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { useZone, ZoneNote } from '../../ui/zone';
import { byName, type Camera, type WallSearch } from './camera';
import { lacking, type Recorded } from './glimpse';
import { incidentsQuery, type Mark, recordedQuery, scenesQuery } from './past';
import { Replay, type ReplayState } from './replay';
import styles from './review.module.css';
import { type Thumbs, useGlimpse, useThumbs } from './thumbs';
import { gapKey, type Lane, stepOf, Track } from './track';

const MINUTE = 60_000;
const SPANS = [10, 60, 360, 1440] as const;
const SPEEDS = ['0.25', '0.5', '1', '2', '4', '8', '16'];
const MOST = 4;

/** What cameras saw: up to four in step, on one axis with what happened. */
export function Review({
  cameras,
  search,
  change,
}: {
  cameras: readonly Camera[];
  search: WallSearch;
  change: (part: Partial<WallSearch>) => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const serverNow = useCallback(() => Date.now() + client.clockOffset, [client]);
  const sorted = useMemo(() => [...cameras].sort(byName), [cameras]);
  const chosen = useMemo(() => {
    const known = new Map(cameras.map((c) => [c.id, c]));
    const asked = search.cams?.split(',').flatMap((id) => known.get(id) ?? []) ?? [];
    return (asked.length > 0 ? asked : sorted.slice(0, 1)).slice(0, MOST);
  }, [cameras, sorted, search.cams]);
  const [at, setAt] = useState(() => search.at ?? serverNow() - 30_000);
  const [minutes, setMinutes] = useState<number>(60);
  const [playing, setPlaying] = useState(search.at === undefined);
  const [speed, setSpeed] = useState(1);
  const [scrub, setScrub] = useState<number | null>(null);
  const clock = useRef(at);
  const thumbs = useThumbs();

  // The window moves in steps, so that what is asked stays the same question for a while.
  const step = (minutes * MINUTE) / 4;
  const to = Math.min(
    Math.ceil(at / step) * step + 2 * step,
    Math.ceil(serverNow() / 10_000) * 10_000 + 10_000,
  );
  const from = to - minutes * MINUTE;
  const recorded = useQueries({ queries: chosen.map((c) => recordedQuery(c.id, from, to)) });
  const scenes = useQueries({ queries: chosen.map((c) => scenesQuery(c.id, from, to)) });
  const site = chosen[0]?.siteId ?? '';
  const happened = useQuery({ ...incidentsQuery(site, from, to), enabled: site !== '' });
  const marks = useMemo(
    () =>
      [...scenes.flatMap((s) => s.data ?? []), ...(happened.data ?? [])]
        .filter((m) => m.from >= from)
        .sort((a, b) => a.from - b.from),
    [scenes, happened.data, from],
  );

  const go = useCallback(
    (next: number, done = true) => {
      const bounded = Math.min(next, serverNow() - 2000);
      clock.current = bounded;
      setAt(bounded);
      setScrub(done ? null : bounded);
      if (done) change({ at: Math.round(bounded) });
    },
    [change, serverNow],
  );
  const jump = useCallback(
    (direction: 1 | -1) => {
      const now = clock.current;
      const list = marks.filter((m) =>
        direction > 0 ? m.from - 2000 > now + 500 : m.from - 2000 < now - 500,
      );
      const next: Mark | undefined = direction > 0 ? list[0] : list.at(-1);
      if (next) go(next.from - 2000);
    },
    [marks, go],
  );

  const players = useRef(new Map<string, Replay>());
  useEffect(() => {
    let frame = 0;
    let last = performance.now();
    let shown = 0;
    const beat = (now: number) => {
      const passed = Math.min(250, now - last);
      last = now;
      const all = [...players.current.values()];
      const waits = all.some((p) => p.state === 'loading');
      const limit = serverNow() - 3000;
      if (playing && !waits && scrub === null)
        clock.current = Math.min(limit, clock.current + passed * speed);
      for (const p of all) p.follow(clock.current, speed, playing && !waits && scrub === null, serverNow());
      if (now - shown > 200) {
        shown = now;
        setAt(clock.current);
      }
      frame = requestAnimationFrame(beat);
    };
    frame = requestAnimationFrame(beat);
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, scrub, serverNow]);

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target instanceof HTMLElement && e.target.closest('input, textarea, select, [role="dialog"]'))
        return;
      const by = e.shiftKey ? 1000 / 15 : 10_000;
      if (e.key === ' ') setPlaying((p) => !p);
      else if (e.key === 'ArrowLeft') go(clock.current - by);
      else if (e.key === 'ArrowRight') go(clock.current + by);
      else if (e.key === '[') jump(-1);
      else if (e.key === ']') jump(1);
      else return;
      e.preventDefault();
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, [go, jump]);

  const lanes: Lane[] = [
    ...chosen.map((c, i) => ({
      key: c.id,
      name: c.label || c.id,
      camera: c.id,
      spans: recorded[i]?.data?.spans,
      gaps: recorded[i]?.data?.gaps,
      marks: scenes[i]?.data ?? [],
    })),
    { key: 'incidents', name: t('nav.incidents'), marks: happened.data ?? [] },
  ];
  return (
    <div className={styles.review}>
      <div className={styles.bar}>
        <Chooser sorted={sorted} chosen={chosen} change={change} />
        <TypedTime key={Math.floor(at / 1000)} at={at} zone={zone} go={go} />
        <ZoneNote />
        <SegmentedControl
          size="xs"
          aria-label={t('video.review.span')}
          value={String(minutes)}
          onChange={(v) => setMinutes(Number(v))}
          data={SPANS.map((m) => ({ value: String(m), label: m < 60 ? `${m} min` : `${m / 60} h` }))}
        />
      </div>
      <div className={styles.players} data-count={chosen.length}>
        {chosen.map((c, i) => (
          <Player
            key={c.id}
            camera={c}
            players={players.current}
            scrub={scrub}
            step={stepOf(from, to, 1000)}
            thumbs={thumbs}
            recorded={recorded[i]?.data}
            at={scrub ?? at}
          />
        ))}
      </div>
      <div className={styles.controls}>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => jump(-1)}
          aria-label={t('video.review.before')}
        >
          <Icon name="left" size={16} /> {t('video.review.event')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => go(clock.current - 10_000)}>
          {t('video.review.back')}
        </Button>
        <Button
          size="compact-sm"
          onClick={() => setPlaying((p) => !p)}
          leftSection={<Icon name={playing ? 'pause' : 'play'} size={16} />}
        >
          {t(playing ? 'video.review.pause' : 'video.review.play')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => go(clock.current + 10_000)}>
          {t('video.review.forward')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => jump(1)}
          aria-label={t('video.review.after')}
        >
          {t('video.review.event')} <Icon name="right" size={16} />
        </Button>
        <Select
          size="xs"
          w={84}
          aria-label={t('video.review.speed')}
          value={String(speed)}
          onChange={(v) => v && setSpeed(Number(v))}
          data={SPEEDS.map((s) => ({ value: s, label: `${s}×` }))}
          allowDeselect={false}
        />
        <span className={styles.at}>{exact(tag, at, zone)}</span>
        <Save camera={chosen[0]} at={at} />
      </div>
      <Track
        lanes={lanes}
        from={from}
        to={to}
        at={at}
        go={go}
        thumbs={thumbs}
        zoom={(factor) => {
          const i = SPANS.findIndex((m) => m >= minutes) + (factor > 1 ? 1 : -1);
          setMinutes(SPANS[Math.min(SPANS.length - 1, Math.max(0, i))]!);
        }}
      />
    </div>
  );
}

function Chooser({
  sorted,
  chosen,
  change,
}: {
  sorted: readonly Camera[];
  chosen: readonly Camera[];
  change: (part: Partial<WallSearch>) => void;
}) {
  const t = useT();
  const ids = chosen.map((c) => c.id);
  const put = (next: string[]) => change({ cams: next.join(',') || undefined });
  return (
    <div className={styles.chooser}>
      {chosen.map((c) => (
        <span key={c.id} className={styles.chosen}>
          {c.label || c.id}
          {chosen.length > 1 && (
            <button
              type="button"
              className={styles.drop}
              aria-label={t('video.review.drop', { name: c.label || c.id })}
              onClick={() => put(ids.filter((id) => id !== c.id))}
            >
              <Icon name="close" size={12} />
            </button>
          )}
        </span>
      ))}
      {chosen.length < MOST && sorted.length > chosen.length && (
        <Select
          size="xs"
          w={170}
          searchable
          aria-label={t('video.review.add')}
          placeholder={t('video.review.add')}
          value={null}
          onChange={(v) => v && put([...ids, v])}
          data={sorted
            .filter((c) => !ids.includes(c.id))
            .map((c) => ({ value: c.id, label: c.label || c.id }))}
        />
      )}
    </div>
  );
}

/** A typed time goes there at Enter. */
function TypedTime({ at, zone, go }: { at: number; zone: string | undefined; go: (at: number) => void }) {
  const t = useT();
  const [text, setText] = useState<string | null>(null);
  return (
    <TextInput
      size="xs"
      type="datetime-local"
      step={1}
      aria-label={t('video.review.goto')}
      value={text ?? toClock(Math.floor(at / 1000) * 1000, zone)}
      onChange={(e) => setText(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key !== 'Enter' || text === null) return;
        const next = fromClock(text, zone);
        if (Number.isFinite(next)) go(next);
        setText(null);
      }}
    />
  );
}

function Player({
  camera,
  players,
  scrub,
  step,
  thumbs,
  recorded,
  at,
}: {
  camera: Camera;
  players: Map<string, Replay>;
  scrub: number | null;
  step: number;
  thumbs: Thumbs;
  recorded: Recorded;
  at: number;
}) {
  const t = useT();
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<ReplayState>('loading');
  const base = `/api/v1/cameras/${encodeURIComponent(camera.id)}`;
  useEffect(() => {
    if (!video.current) return;
    const p = new Replay(video.current, base, setState);
    players.set(camera.id, p);
    return () => {
      players.delete(camera.id);
      p.end();
    };
  }, [camera.id, base, players]);
  const name = camera.label || camera.id;
  const why = lacking(recorded, at);
  // While somebody drags a small picture follows; where they rest, the whole one.
  const seen = useGlimpse(thumbs, why === null ? camera.id : undefined, scrub, step);
  const small = seen?.state === 'shown' ? seen.thumb : seen?.state === 'loading' ? seen.last : undefined;
  const rest = useRest(scrub, 300);
  return (
    <figure className={styles.player}>
      <div className={styles.picture}>
        <video
          ref={video}
          muted
          playsInline
          className={styles.video}
          data-on={state === 'showing' || state === 'loading'}
          aria-label={t('video.review.recording', { name })}
        />
        {scrub !== null && why === null && small && <img className={styles.still} src={small.url} alt="" />}
        {scrub !== null && why === null && rest === scrub && seen?.state !== 'none' && (
          <img
            className={styles.still}
            src={`${base}/playback/picture.jpg?at=${encodeURIComponent(new Date(scrub).toISOString())}`}
            alt=""
          />
        )}
        {(scrub === null ? state !== 'showing' : why !== null) && (
          <p className={styles.cover}>
            {why
              ? t('video.review.gap', { reason: t(gapKey(why)) })
              : why === null && state === 'loading'
                ? t('video.review.loading')
                : t('video.review.none')}
          </p>
        )}
      </div>
      <figcaption className={styles.caption}>{name}</figcaption>
    </figure>
  );
}

/** The value once it has stood for a while. */
function useRest<T>(value: T, ms: number): T | undefined {
  const [rested, put] = useState<T>();
  useEffect(() => {
    const timer = setTimeout(() => put(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

/** Saves a minute around the moment, as it was recorded. */
function Save({ camera, at }: { camera: Camera | undefined; at: number }) {
  const t = useT();
  if (!camera) return null;
  const time = (x: number) => encodeURIComponent(new Date(x).toISOString());
  return (
    <Button
      component="a"
      size="compact-sm"
      variant="default"
      leftSection={<Icon name="download" size={16} />}
      href={`/api/v1/cameras/${encodeURIComponent(camera.id)}/clip.mp4?from=${time(at - 30_000)}&to=${time(at + 30_000)}`}
      download={`${camera.id}-${new Date(at).toISOString().slice(0, 19).replaceAll(':', '')}.mp4`}
    >
      {t('video.review.save')}
    </Button>
  );
}
