import { Button } from '@mantine/core';
import { useCallback } from 'react';
import { clock, SECOND, span } from '../format/time';
import { useT, useTag } from '../i18n/i18n';
import { useTicking } from '../live/clock';
import { useLive, useLiveStatus, useSummary } from '../live/hooks';
import { STALE_AFTER } from '../live/socket';
import styles from './connection.module.css';

/** True once the page shows what was, not what is. */
export function useStale(): boolean {
  const { phase, lastFrameAt } = useLiveStatus();
  return (
    useTicking(
      useCallback(
        () => (phase !== 'live' && lastFrameAt > 0 && Date.now() - lastFrameAt >= STALE_AFTER ? 'stale' : ''),
        [phase, lastFrameAt],
      ),
    ) !== ''
  );
}

/** Loud only when the page can no longer be believed. */
export function ConnectionBanner() {
  const t = useT();
  const tag = useTag();
  const { client } = useLive();
  const { phase, lastFrameAt, retryAt } = useLiveStatus();
  const { summary } = useSummary();
  const text = useTicking(
    useCallback(() => {
      if (phase === 'live') return '';
      const now = Date.now();
      if (lastFrameAt === 0) return retryAt ? t('banner.never') : '';
      if (now - lastFrameAt < STALE_AFTER) return '';
      return t('banner.old', { at: clock(tag, lastFrameAt), age: span(now - lastFrameAt) });
    }, [t, tag, phase, lastFrameAt, retryAt]),
  );
  const next = useTicking(
    useCallback(() => {
      if (phase === 'stale') return t('banner.waiting');
      if (phase !== 'waiting' && phase !== 'connecting') return '';
      const left = Math.ceil((retryAt - Date.now()) / SECOND);
      return retryAt && left > 0 ? t('banner.next', { n: left }) : t('banner.trying');
    }, [t, phase, retryAt]),
  );
  if (text !== '') {
    return (
      <div className={styles.banner} role="alert">
        <span className={styles.square} aria-hidden="true" />
        <span>
          <strong>{text}</strong> <span aria-live="off">{next}</span>
        </span>
        {phase === 'waiting' && (
          <Button variant="default" size="compact-xs" onClick={() => client.retryNow()}>
            {t('banner.now')}
          </Button>
        )}
      </div>
    );
  }
  if (summary && !summary.observing) {
    return (
      <div className={styles.banner} role="alert">
        <span className={styles.square} aria-hidden="true" />
        <strong>{t('banner.notObserving')}</strong>
      </div>
    );
  }
  return null;
}
