import { Button } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { meQuery } from '../../api/queries';
import type { Me } from '../../api/shapes';
import { Mark } from '../../app/mark';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import styles from './pair.module.css';
import { DEFAULT_VIEWS, onScreen, ROTATE } from './views';

const POLL = 2000;
const RETRY = 10_000;
const KEPT = 'chargewatch.screen';

/** Made here and given to nobody but the server, over this connection; a reload keeps the code. */
function ownSecret(): string {
  const kept = sessionStorage.getItem(KEPT);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
  sessionStorage.setItem(KEPT, text);
  return text;
}

type State =
  | { at: 'asking' }
  | { at: 'person'; me: Me }
  | { at: 'waiting'; code: string; until: number; qr: { path: string; size: number } }
  | { at: 'fault'; words: 'busy' | 'away' | 'other' };

export default function PairPage() {
  const t = useT();
  const router = useRouter();
  const { queries } = router.options.context;
  const [state, setState] = useState<State>({ at: 'asking' });
  const [round, setRound] = useState(0);

  const show = useCallback((me: Me) => {
    sessionStorage.removeItem(KEPT);
    const first = me.kiosk?.views[0] ?? DEFAULT_VIEWS[0];
    location.replace(onScreen(first, me.kiosk?.rotateSeconds ?? ROTATE.usual));
  }, []);

  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (run: () => Promise<void>, ms: number) => {
      if (!over) timer = setTimeout(() => void run(), ms);
    };
    const failed = (error: unknown) => {
      if (over) return;
      const status = error instanceof Problem ? error.status : -1;
      setState({ at: 'fault', words: status === 0 ? 'away' : status === 429 ? 'busy' : 'other' });
      later(ask, RETRY);
    };
    const who = () => queries.fetchQuery({ ...meQuery(), staleTime: 0 });
    const ask = async () => {
      try {
        const body = { secret: ownSecret() };
        const x = await ok(api.POST('/kiosks/pair', { body }));
        if (over) return;
        setState({ at: 'waiting', code: x.code, until: Date.parse(x.expiresAt), qr: x.qr });
        later(poll, POLL);
      } catch (error) {
        failed(error);
      }
    };
    const poll = async () => {
      try {
        const x = await ok(api.POST('/kiosks/claim', { body: { secret: ownSecret() } }));
        if (over) return;
        if (x.status === 'approved') show(await who());
        else later(poll, POLL);
      } catch (error) {
        // The code is too old, or the server forgot it: another one.
        if (error instanceof Problem && error.status === 404) later(ask, 0);
        else if (error instanceof Problem && error.unreachable) later(poll, RETRY);
        else failed(error);
      }
    };
    const begin = async () => {
      if (round === 0) {
        try {
          const me = await who();
          if (over) return;
          if (me.kiosk) show(me);
          else setState({ at: 'person', me });
          return;
        } catch (error) {
          if (!(error instanceof Problem && error.status === 401)) {
            if (!over) setState({ at: 'fault', words: 'away' });
            later(begin, RETRY);
            return;
          }
        }
      }
      await ask();
    };
    void begin();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [round, queries, show]);

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Mark />
          <span>Chargewatch</span>
        </div>
        <h1 className={styles.title}>{t('kiosk.pairTitle')}</h1>
        {state.at === 'asking' && <p role="status">{t('loading')}</p>}
        {state.at === 'person' && (
          <>
            <p className={styles.text}>{t('kiosk.person', { name: state.me.name })}</p>
            <div className={styles.actions}>
              <Button size="md" onClick={() => setRound((r) => r + 1)}>
                {t('kiosk.pairThis')}
              </Button>
              <Button
                size="md"
                variant="default"
                onClick={() => void router.navigate({ to: '/', search: { kiosk: 1, rotate: ROTATE.usual } })}
              >
                {t('kiosk.asMe')}
              </Button>
            </div>
          </>
        )}
        {state.at === 'waiting' && <Waiting {...state} />}
        {state.at === 'fault' && (
          <p className={styles.text} role="alert">
            {t(`kiosk.fault.${state.words}`)}
          </p>
        )}
      </div>
    </main>
  );
}

function Waiting({ code, until, qr }: { code: string; until: number; qr: { path: string; size: number } }) {
  const t = useT();
  const left = useTicking(useCallback(() => span(Math.max(0, until - Date.now())), [until]));
  return (
    <div className={styles.waiting}>
      <div>
        <p className={styles.code}>
          <span aria-hidden="true">
            {code.slice(0, 3)}
            <span className={styles.gap} />
            {code.slice(3)}
          </span>
          <span className="srOnly">{code.split('').join(' ')}</span>
        </p>
        <p className={styles.text}>{t('kiosk.how')}</p>
        <p className="meta num">{t('kiosk.left', { left })}</p>
      </div>
      <svg
        viewBox={`0 0 ${qr.size} ${qr.size}`}
        className={styles.qr}
        role="img"
        aria-label={t('kiosk.qr')}
        shapeRendering="crispEdges"
      >
        <rect width={qr.size} height={qr.size} fill="#fff" />
        <path d={qr.path} fill="#000" />
      </svg>
    </div>
  );
}
