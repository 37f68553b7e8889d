import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useT } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import styles from './logview.module.css';

/** What just happened is on the disk some seconds later. */
const AGAIN = 4000;
const TRIES = 4;

/** The picture of a moment, small; it opens the review at that time. */
export function Moment({
  camera,
  at,
  received,
  label,
}: {
  camera: string;
  at: number;
  received: number;
  label: string;
}) {
  const t = useT();
  const { client } = useLive();
  const [tried, setTried] = useState(0);
  const [state, setState] = useState<'asked' | 'shown' | 'waits' | 'none'>('asked');
  useEffect(() => {
    if (state !== 'waits') return;
    const timer = setTimeout(() => {
      setTried((n) => n + 1);
      setState('asked');
    }, AGAIN);
    return () => clearTimeout(timer);
  }, [state]);
  const time = encodeURIComponent(new Date(at).toISOString());
  const src = `/api/v1/cameras/${encodeURIComponent(camera)}/playback/thumbnail.jpg?at=${time}${tried > 0 ? `&try=${tried}` : ''}`;
  const failed = () =>
    setState(tried < TRIES && Date.now() + client.clockOffset - received < 60_000 ? 'waits' : 'none');
  const text = t('doors.review', { what: label });
  return (
    <Link
      to="/cameras"
      search={{ view: 'review', cams: camera, at: at - 2000 }}
      className={styles.moment}
      aria-label={text}
      title={state === 'none' ? t('doors.noPicture') : text}
      data-state={state}
    >
      {(state === 'asked' || state === 'shown') && (
        <img
          key={tried}
          src={src}
          alt=""
          loading="lazy"
          decoding="async"
          onLoad={() => setState('shown')}
          onError={failed}
        />
      )}
      {state !== 'shown' && <Icon name="camera" size={16} />}
    </Link>
  );
}
