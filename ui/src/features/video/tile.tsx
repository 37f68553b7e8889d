import { memo, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { age, exact, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { ageWords } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { StateShape } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { type Camera, type Condition, conditionOf, FAMILY, isFrozen } from './camera';
import { play, type Showing } from './player';
import styles from './tile.module.css';

export const conditionKey = (c: Condition): MessageKey => `video.state.${c}`;

const REASONS = new Set([
  'codec',
  'reordered',
  'noWebRTC',
  'network',
  'masked',
  'noPicture',
  'busy',
  'noDecoder',
]);
const reasonKey = (reason: string | undefined): MessageKey | null =>
  reason && REASONS.has(reason) ? (`video.why.${reason}` as MessageKey) : null;

const isHidden = () => document.hidden;
const onHidden = (changed: () => void) => {
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
};

/** One camera now. It plays while it is on the screen and never passes an old picture for a new one. */
export const Tile = memo(function Tile({
  camera,
  site,
  stream,
  onOpen,
  large = false,
}: {
  camera: Camera;
  site?: string;
  stream: 'main' | 'sub';
  onOpen?: (id: string) => void;
  large?: boolean;
}) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const img = useRef<HTMLImageElement>(null);
  const last = useRef<HTMLCanvasElement>(null);
  const [inView, setInView] = useState(false);
  // A page in the background shows nothing and is told of no picture.
  const visible = !useSyncExternalStore(onHidden, isHidden) && inView;
  const [full, setFull] = useState(false);
  // One click opens, two fill the screen: the first waits for the second.
  const click = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = full ? 'main' : stream;
  const [showing, setShowing] = useState<Showing>({ way: 'webrtc', state: 'connecting' });

  useEffect(() => {
    const el = frame.current;
    if (!el) return;
    const seen = new IntersectionObserver(([e]) => setInView(e?.isIntersecting ?? false));
    seen.observe(el);
    return () => seen.disconnect();
  }, []);

  useEffect(() => {
    const on = () => setFull(document.fullscreenElement === frame.current);
    document.addEventListener('fullscreenchange', on);
    return () => {
      document.removeEventListener('fullscreenchange', on);
      clearTimeout(click.current);
    };
  }, []);
  const fill = () => {
    clearTimeout(click.current);
    if (document.fullscreenElement) void document.exitFullscreen();
    else void frame.current?.requestFullscreen?.().catch(() => undefined);
  };

  useEffect(() => {
    const [v, i, c] = [video.current, img.current, last.current];
    if (!visible || !v || !i || !c) return;
    return play({
      video: v,
      img: i,
      base: `/api/v1/cameras/${encodeURIComponent(camera.id)}`,
      stream: shown,
      report: (s) => {
        // A picture a half second is kept: the last one stays, greyed, while a new
        // connection is made. Afterwards the element has none any more.
        if (s.state === 'playing' && s.way !== 'stills') keep(v, c);
        // However a new picture is asked for, the last one keeps its age.
        setShowing((was) => ({ ...s, at: s.at ?? was.at }));
      },
    });
  }, [visible, camera.id, shown]);

  const condition = conditionOf(camera.state);
  const name = camera.label || camera.id;
  // A camera that sends the same picture again and again shows the past as well.
  const frozen = isFrozen(camera);
  const fresh = showing.state === 'playing' && !frozen;
  const label = t('video.tile.label', { name, site: site ?? '', state: t(conditionKey(condition)) });
  return (
    <article ref={frame} className={styles.tile} data-large={large} data-fresh={fresh} aria-label={label}>
      <div className={styles.picture}>
        <canvas ref={last} className={styles.last} />
        <video
          ref={video}
          className={styles.live}
          data-on={fresh && showing.way !== 'stills'}
          muted
          playsInline
          disablePictureInPicture
        />
        <img ref={img} className={styles.live} data-on={fresh && showing.way === 'stills'} alt="" />
        {!fresh && (
          <Cover
            camera={camera}
            showing={frozen ? { ...showing, at: since(camera) ?? showing.at } : showing}
            condition={condition}
          />
        )}
        {onOpen && (
          <button
            type="button"
            className={styles.open}
            onClick={(e) => {
              if (e.detail === 0) onOpen(camera.id);
              else if (e.detail === 1) click.current = setTimeout(() => !full && onOpen(camera.id), 250);
            }}
            onDoubleClick={fill}
            aria-label={t('video.open', { name })}
          />
        )}
        <button type="button" className={styles.full} onClick={fill} aria-label={t('video.full', { name })}>
          <Icon name="expand" size={16} />
        </button>
      </div>
      <Strip camera={camera} site={site} showing={showing} condition={condition} fresh={fresh} />
    </article>
  );
});

const since = (camera: Camera): number | undefined =>
  camera.stateSince ? Date.parse(camera.stateSince) : undefined;

/** Why there is no picture of now. */
function Cover({ camera, showing, condition }: { camera: Camera; showing: Showing; condition: Condition }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const now = useNow(1000);
  const why = reasonKey(showing.reason);
  const bad = condition !== 'live' && condition !== 'notRecording';
  return (
    <div className={styles.cover}>
      {showing.at !== undefined && (
        <p className={styles.old} title={exact(tag, showing.at, zone)}>
          {t('video.picture.of', { age: age(tag, ageWords(t), showing.at, now, zone) })}
        </p>
      )}
      <p className={styles.why}>
        {bad ? (
          <>
            <StateShape family={FAMILY[condition]} size={14} /> {t(conditionKey(condition))}
            {camera.stateSince && ` · ${span(now - Date.parse(camera.stateSince))}`}
          </>
        ) : (
          t('video.connecting')
        )}
      </p>
      {why && <p className="meta">{t(why)}</p>}
      {showing.retryAt !== undefined && showing.retryAt > now && (
        <p className="meta">{t('video.retry', { s: Math.ceil((showing.retryAt - now) / 1000) })}</p>
      )}
    </div>
  );
}

function Strip({
  camera,
  site,
  showing,
  condition,
  fresh,
}: {
  camera: Camera;
  site?: string;
  showing: Showing;
  condition: Condition;
  fresh: boolean;
}) {
  const t = useT();
  const records = camera.recording !== 'off' && (condition === 'live' || condition === 'tampered');
  return (
    <footer className={styles.strip}>
      <StateShape family={FAMILY[condition]} size={12} />
      <span className={styles.name}>
        {camera.label || camera.id}
        {site && <span className={styles.site}>{site}</span>}
      </span>
      {fresh && showing.way !== 'webrtc' && (
        <span
          className={styles.way}
          title={showing.reason && reasonKey(showing.reason) ? t(reasonKey(showing.reason)!) : undefined}
        >
          {t(showing.way === 'hls' ? 'video.way.hls' : 'video.way.stills')}
        </span>
      )}
      {camera.armed && <span className={styles.way}>{t('video.armed')}</span>}
      <span className={styles.rec} data-on={records}>
        <span className={styles.dot} aria-hidden="true" />
        {t(records ? 'video.recording' : 'video.notRecording')}
      </span>
      <span className={styles.age}>{fresh ? t('video.now') : t(conditionKey(condition))}</span>
    </footer>
  );
}

/** Keeps the picture that is shown, small. */
function keep(video: HTMLVideoElement, canvas: HTMLCanvasElement): void {
  if (video.videoWidth === 0 || video.readyState < 2) return;
  const width = Math.min(640, video.videoWidth);
  const height = Math.round((width * video.videoHeight) / video.videoWidth);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext('2d', { alpha: false })?.drawImage(video, 0, 0, canvas.width, canvas.height);
}
