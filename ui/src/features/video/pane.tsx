// One camera's recording on the review page.
import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { clock } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { useZone } from '../../ui/zone';
import type { Camera } from './camera';
import { lacking, NO_THUMB, type Recorded } from './glimpse';
import { Listening, type SoundState } from './listen';
import { Replay, type ReplayState } from './replay';
import styles from './review.module.css';
import { type Thumbs, useGlimpse } from './thumbs';
import { gapKey } from './track';

export function Pane({
  camera,
  site,
  players,
  scrub,
  step,
  thumbs,
  recorded,
  at,
  head,
}: {
  camera: Camera;
  site: string;
  players: Map<string, Replay>;
  /** Where somebody drags to. */
  scrub: number | null;
  step: number;
  thumbs: Thumbs;
  recorded: Recorded;
  at: number;
  head?: React.ReactNode;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
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
  const sound = useRef<Listening | null>(null);
  const [heard, setHeard] = useState<SoundState | null>(null);
  const listen = (on: boolean) => {
    const player = players.get(camera.id);
    sound.current?.end();
    sound.current = on && player ? new Listening(base, setHeard) : null;
    if (player) player.sound = sound.current;
    setHeard(on ? 'loading' : null);
  };
  if (sound.current) sound.current.recorded = recorded?.spans;
  const name = camera.label || camera.id;
  const moment = scrub ?? at;
  const why = lacking(recorded, moment);
  // While somebody drags a small picture follows; where they rest, the whole one.
  const seen = useGlimpse(thumbs, why === null ? camera.id : undefined, scrub, step);
  const small = seen?.state === 'shown' ? seen.thumb : seen?.state === 'loading' ? seen.last : undefined;
  const rest = useRest(scrub, 300);
  const cover =
    scrub !== null
      ? why === null
        ? seen?.state === 'none' && t(NO_THUMB[seen.code] ?? 'video.review.none')
        : t(why ? 'video.review.gap' : 'video.review.none', { reason: why ? t(gapKey(why)) : '' })
      : state === 'loading'
        ? t('video.review.loading')
        : state === 'none' &&
          (why ? t('video.review.gap', { reason: t(gapKey(why)) }) : t('video.review.none'));
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
            key={scrub}
            className={styles.still}
            src={`${base}/playback/picture.jpg?at=${encodeURIComponent(new Date(scrub).toISOString())}`}
            onError={(e) => e.currentTarget.remove()}
            alt=""
          />
        )}
        {cover && (
          <p className={styles.cover} data-quiet={state === 'loading' && scrub === null}>
            {cover}
          </p>
        )}
      </div>
      <figcaption className={styles.caption}>
        <span className={styles.name}>{name}</span>
        <span className={styles.site}>
          {camera.removedAt && (
            <>
              <Age at={camera.removedAt} prefix={t('video.removed.at')} />
              {site && ' · '}
            </>
          )}
          {site}
        </span>
        {camera.audio && (
          <Button
            size="compact-xs"
            variant={heard ? 'light' : 'subtle'}
            color="gray"
            aria-pressed={heard !== null}
            title={t(heard === 'none' ? 'video.sound.none' : 'video.sound.hint')}
            onClick={() => listen(heard === null)}
          >
            {t(heard === 'none' ? 'video.sound.silent' : heard ? 'video.sound.on' : 'video.sound')}
          </Button>
        )}
        <span className={styles.time}>{clock(tag, scrub !== null && small ? small.at : moment, zone)}</span>
        {head}
      </figcaption>
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
