import { type ReactNode, useCallback } from 'react';
import type { Quantity } from '../format/quantity';
import { type AgeWords, age, exact } from '../format/time';
import { type Translate, useT, useTag } from '../i18n/i18n';
import { useTicking } from '../live/clock';
import { useLive } from '../live/hooks';
import { useZone } from './zone';

export function Figure({ q, className }: { q: Quantity; className?: string }) {
  return (
    <span className={`num ${className ?? ''}`}>
      {q.value}
      <span className="unit">{q.unit}</span>
    </span>
  );
}

export const ageWords = (t: Translate): AgeWords => ({
  now: t('age.now'),
  seconds: (n) => t('age.seconds', { n }),
  minutes: (n) => t('age.minutes', { n }),
  hours: (n) => t('age.hours', { n }),
});

export const millis = (at: string | number | null | undefined): number =>
  typeof at === 'number' ? at : at ? Date.parse(at) : 0;

/** How long ago, counted on the server's clock; the exact time on hover. */
export function Age({ at, prefix }: { at: string | number | null | undefined; prefix?: ReactNode }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const ms = millis(at);
  const text = useTicking(
    useCallback(
      () => age(tag, ageWords(t), ms, Date.now() + client.clockOffset, zone),
      [t, tag, ms, client, zone],
    ),
  );
  if (!ms) return <span className="meta">{t('age.never')}</span>;
  return (
    <time className="num" dateTime={new Date(ms).toISOString()} title={exact(tag, ms, zone)}>
      {prefix}
      {text}
    </time>
  );
}
