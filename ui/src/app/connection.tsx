import { Button, Tooltip } from '@mantine/core';
import { useCallback } from 'react';
import { clock, exact, SECOND, span } from '../format/time';
import { useT, useTag } from '../i18n/i18n';
import { useTicking } from '../live/clock';
import { useLive, useLiveStatus, useSummary } from '../live/hooks';
import { STALE_AFTER } from '../live/socket';
import styles from './connection.module.css';

/** Whether what is on screen is live, and how old it is. Always in sight. */
export function ConnectionState() {
  const t = useT();
  const tag = useTag();
  const { phase, lastFrameAt } = useLiveStatus();
  const live = phase === 'live';
  const text = useTicking(
    useCallback(() => {
      if (lastFrameAt === 0) return t('live.connecting');
      const old = Date.now() - lastFrameAt;
      if (live && old < STALE_AFTER) return t('live.live');
      return t('live.old', { age: span(old) });
    }, [t, live, lastFrameAt]),
  );
  return (
    <Tooltip label={lastFrameAt ? t('live.shownFrom', { at: exact(tag, lastFrameAt) }) : t('live.none')}>
      <span className={styles.state} data-live={live} role="status" aria-live="off">
        <span className={styles.dot} aria-hidden="true" />
        <span className={`num ${styles.text}`}>{text}</span>
      </span>
    </Tooltip>
  );
}

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
