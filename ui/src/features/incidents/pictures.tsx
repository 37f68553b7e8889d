// What cameras of the site saw of an incident: from ten seconds before it began.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { bytes } from '../../format/quantity';
import { exact, hourMinute, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import { useZone } from '../../ui/zone';
import { ExportLink } from '../evidence/link';
import { lookedInVain, summed } from './labels';
import { useServerNow } from './now';
import styles from './pictures.module.css';
import { type Copy, copiesQuery } from './queries';
import type { Detail } from './shape';

/** Lines of what was seen beside one clip. */
const MOST_SEEN = 6;

type Clip = Detail['cameraClips'][number];
const none: readonly Copy[] = [];

export function Pictures({ incident: i }: { incident: Detail }) {
  const t = useT();
  const { data: copies } = useQuery({
    ...copiesQuery(i.id),
    enabled: i.cameraClips.some((c) => c.playable),
  });
  if (i.cameraClips.length === 0) return null;
  const first = Date.parse(i.openedAt);
  return (
    <Panel title={t('incident.pictures.title')} aside={<ExportLink incident={i.id} />}>
      <ul className={styles.clips}>
        {i.cameraClips.map((c) => (
          <li key={c.cameraId}>
            <ClipView
              clip={c}
              opened={first}
              copies={copies?.filter((x) => x.cameraId === c.cameraId) ?? none}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ClipView({ clip, opened, copies }: { clip: Clip; opened: number; copies: readonly Copy[] }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const now = useServerNow(1000);
  const [from, to] = [Date.parse(clip.from), Date.parse(clip.to)];
  const grows = to > now;
  // What is recorded of it so far; asked again in steps, so that playing is not disturbed.
  const end = grows ? Math.max(from + 1000, Math.floor((now - 2000) / 10_000) * 10_000) : to;
  return (
    <figure className={styles.clip}>
      {clip.playable ? (
        <Player clip={clip} from={from} to={end} opened={opened} />
      ) : (
        <p className={styles.closed}>{t('incident.pictures.closed')}</p>
      )}
      <figcaption className={styles.caption}>
        <span className={styles.name}>{clip.label}</span>
        <span className="meta" title={`${exact(tag, from, zone)} – ${exact(tag, to, zone)}`}>
          {grows
            ? t('incident.pictures.grows', { from: hourMinute(tag, from, zone) })
            : t('incident.pictures.span', { from: hourMinute(tag, from, zone), length: span(to - from) })}
        </span>
        <Link to="/cameras" search={{ focus: clip.cameraId }} className={styles.live}>
          <Icon name="camera" size={14} />
          {t('incident.pictures.live')}
        </Link>
        <ClipLabels clip={clip} />
        <ClipCopies copies={copies} />
      </figcaption>
    </figure>
  );
}

/** Whether there is a copy where whoever took this machine has not got it. */
function ClipCopies({ copies }: { copies: readonly Copy[] }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  if (copies.length === 0) return null;
  return (
    <ul className={styles.seen} aria-label={t('incident.copies')}>
      {copies.map((c) => (
        <li key={c.id} title={c.detail || c.name} className={styles.copy}>
          <Icon name={c.state === 'done' ? 'check' : c.state === 'failed' ? 'warn' : 'clock'} size={14} />
          <span>
            <span className={styles.name}>{t(`incident.copy.${c.state}`)}</span>{' '}
            {c.place && <span className={`mono ${styles.place}`}>{c.place}</span>}{' '}
            <span className="meta num">
              {hourMinute(tag, Date.parse(c.from), zone)}
              {c.state === 'done' && ` · ${bytes(tag, c.bytes)}`}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What was seen in it, by whom and how sure. */
function ClipLabels({ clip }: { clip: Clip }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const seen = summed(clip.labels);
  if (seen.length === 0) {
    return lookedInVain(clip.labels) ? (
      <span className={`meta ${styles.seen}`}>{t('incident.seen.nothing')}</span>
    ) : null;
  }
  const percent = new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 });
  return (
    <ul className={styles.seen} aria-label={t('incident.pictures.labels', { name: clip.label })}>
      {seen.slice(0, MOST_SEEN).map((x) => (
        <li key={`${x.what} ${x.plate}`} title={exact(tag, x.at, zone)}>
          <span className={styles.name}>
            {x.plate ? t('incident.seen.plateText', { text: x.plate }) : t(`incident.seen.${x.what}`)}
          </span>{' '}
          <span className="meta num">
            {x.score > 0 && `${percent.format(x.score)} · `}
            {t(`incident.seen.by.${x.source}` as MessageKey)} · {hourMinute(tag, x.at, zone)}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Plays a clip, beginning where the incident began. */
function Player({ clip, from, to, opened }: { clip: Clip; from: number; to: number; opened: number }) {
  const t = useT();
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  const [playing, setPlaying] = useState(false);
  // While somebody watches, the clip does not change under them.
  const [shown, setShown] = useState(to);
  useEffect(() => {
    if (playing || to === shown) return;
    setFailed(false);
    setShown(to);
  }, [playing, to, shown]);
  const time = (at: number) => encodeURIComponent(new Date(at).toISOString());
  const src = `/api/v1/cameras/${encodeURIComponent(clip.cameraId)}/clip.mp4?from=${time(from)}&to=${time(shown)}`;
  if (failed) {
    return (
      <p className={styles.closed}>
        {t('incident.pictures.missing')}
        <button type="button" className={styles.again} onClick={() => setFailed(false)}>
          {t('incident.pictures.again')}
        </button>
      </p>
    );
  }
  return (
    <video
      ref={video}
      className={styles.video}
      src={src}
      controls
      muted
      playsInline
      preload="metadata"
      aria-label={t('incident.pictures.clip', { name: clip.label })}
      onLoadedMetadata={(e) => {
        const v = e.currentTarget;
        v.currentTime = Math.min(Math.max(0, (opened - from) / 1000 - 2), Math.max(0, v.duration - 0.1));
      }}
      onPlay={() => setPlaying(true)}
      onPause={() => setPlaying(false)}
      onError={() => setFailed(true)}
    />
  );
}
