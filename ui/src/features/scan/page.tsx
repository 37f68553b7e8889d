import { Button, TextInput } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { type Hit, lookup } from '../../app/lookup';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Failed, Panel } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { reader } from './reader';
import styles from './scan.module.css';
import { publicId } from './sticker';

type Found =
  | { at: 'nothing yet' }
  | { at: 'looking'; id: string }
  | { at: 'several'; id: string; hits: Hit[] }
  | { at: 'unknown'; id: string }
  | { at: 'foreign' }
  | { at: 'failed'; error: unknown };

/** From the sticker on a station to its page. */
export default function ScanPage() {
  const t = useT();
  const router = useRouter();
  const [text, setText] = useState('');
  const [found, setFound] = useState<Found>({ at: 'nothing yet' });
  const [filming, setFilming] = useState(false);

  const show = useCallback(
    (h: Hit) =>
      void router.navigate({
        to: '/stations/$id',
        params: { id: h.station || h.id },
        search: { port: h.evse || undefined },
      }),
    [router],
  );
  const find = useCallback(
    async (read: string) => {
      const id = publicId(read);
      if (id === '') {
        setFound({ at: 'foreign' });
        return;
      }
      setFound({ at: 'looking', id });
      try {
        const hits = (await lookup(id)).filter((h) => h.kind === 'evse' || h.kind === 'station');
        // A whole id names one port; what only contains it is a choice.
        const exact = hits.filter((h) => plain(h.label) === plain(id) || plain(h.id) === plain(id));
        const one = exact.length === 1 ? exact[0] : hits.length === 1 ? hits[0] : undefined;
        if (one) show(one);
        else setFound(hits.length > 0 ? { at: 'several', id, hits } : { at: 'unknown', id });
      } catch (error) {
        setFound({ at: 'failed', error });
      }
    },
    [show],
  );
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void find(text);
  };
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t('scan.title')}</h1>
      <Panel>
        <div className={styles.stack}>
          {filming ? (
            <Camera
              read={(value) => {
                setFilming(false);
                void find(value);
              }}
              stop={() => setFilming(false)}
            />
          ) : navigator.mediaDevices ? (
            <Button
              size="md"
              fullWidth
              leftSection={<Icon name="scan" size={18} />}
              onClick={() => {
                setFound({ at: 'nothing yet' });
                setFilming(true);
              }}
            >
              {t('scan.camera')}
            </Button>
          ) : (
            <p className="meta">{t('scan.insecure')}</p>
          )}
          <form onSubmit={submit} className={styles.typed}>
            <TextInput
              size="md"
              label={t('scan.id')}
              description={t('scan.idHint')}
              value={text}
              onChange={(e) => setText(e.currentTarget.value)}
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
              maxLength={200}
              enterKeyHint="search"
            />
            <Button size="md" type="submit" variant="default" disabled={text.trim() === ''}>
              {t('scan.find')}
            </Button>
          </form>
          <div role="status">
            <Result found={found} show={show} again={() => void find(text)} />
          </div>
        </div>
      </Panel>
    </div>
  );
}

const plain = (id: string): string => id.replaceAll(/[*\-\s]/g, '').toLowerCase();

function Result({ found, show, again }: { found: Found; show: (h: Hit) => void; again: () => void }) {
  const t = useT();
  const siteName = useSiteNames();
  switch (found.at) {
    case 'nothing yet':
      return null;
    case 'looking':
      return <p>{t('scan.looking', { id: found.id })}</p>;
    case 'foreign':
      return <p>{t('scan.foreign')}</p>;
    case 'unknown':
      return <p>{t('scan.unknown', { id: found.id })}</p>;
    case 'failed':
      return <Failed what={t('scan.title')} error={found.error} retry={again} />;
    case 'several':
      return (
        <>
          <p className={styles.caption}>{t('scan.several', { n: found.hits.length, id: found.id })}</p>
          <ul className={styles.hits}>
            {found.hits.map((h) => (
              <li key={`${h.kind}/${h.id}`}>
                <button type="button" className={styles.hit} onClick={() => show(h)}>
                  <span className="mono">{h.label || h.id}</span>
                  <span className="meta">
                    {[h.station !== h.label && h.station, siteName(h.site)].filter(Boolean).join(' · ')}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      );
  }
}

const LOOK_EVERY = 200;

/** The picture of the camera at the back; hands over the first code it sees. */
function Camera({ read, stop }: { read: (value: string) => void; stop: () => void }) {
  const t = useT();
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState<'denied' | 'none' | null>(null);
  const latest = useRef(read);
  useEffect(() => {
    latest.current = read;
  });
  useEffect(() => {
    let over = false;
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: 'environment', width: { ideal: 1280 } },
          audio: false,
        });
        const see = await reader();
        if (over || !video.current) {
          for (const track of stream.getTracks()) track.stop();
          return;
        }
        video.current.srcObject = stream;
        await video.current.play();
        const look = async () => {
          if (over || !video.current) return;
          const value = await see(video.current).catch(() => null);
          if (over) return;
          if (value) latest.current(value);
          else timer = setTimeout(() => void look(), LOOK_EVERY);
        };
        await look();
      } catch (error) {
        if (!over) {
          setFault(error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'none');
        }
      }
    };
    void run();
    return () => {
      over = true;
      clearTimeout(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, []);
  return (
    <div className={styles.camera}>
      {fault ? (
        <p role="alert">{t(`scan.fault.${fault}`)}</p>
      ) : (
        <>
          <video ref={video} muted playsInline aria-label={t('scan.picture')} />
          <p className="meta">{t('scan.hold')}</p>
        </>
      )}
      <Button variant="default" size="md" onClick={stop}>
        {t('scan.stop')}
      </Button>
    </div>
  );
}
