import { type MessageKey, type Translate, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { StateShape } from '../../ui/state';
import { conditionOf, FAMILY } from '../video/camera';
import styles from './cameras.module.css';

const REASONS = new Set([
  'refused',
  'unreachable',
  'address',
  'certificate',
  'authentication',
  'notFound',
  'codec',
  'noFrames',
  'closed',
  'protocol',
  'noBytes',
  'disk',
  'diskFull',
  'covered',
  'defocused',
  'turned',
  'blinded',
  'frozen',
]);

/** What a reason means and what to do, in words; null for one that is not known. */
export const reasonKey = (reason: string): MessageKey | null =>
  REASONS.has(reason) ? (`cameras.why.${reason}` as MessageKey) : null;

/** Pictures a second and bits a second, in the unit that reads best. */
export function rateText(t: Translate, tag: string, s: { fps: number; bitsPerSecond: number }): string {
  const n = (v: number) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(v);
  const fps = n(s.fps);
  return s.bitsPerSecond < 1e6
    ? t('cameras.rateSlow', { fps, rate: n(Math.round(s.bitsPerSecond / 1e3)) })
    : t('cameras.rate', { fps, rate: n(s.bitsPerSecond / 1e6) });
}

/** Shape, word and since when; the reason below it. */
export function CameraState({
  state,
  since,
  reason,
}: {
  state: string;
  since?: string | null;
  reason: string;
}) {
  const t = useT();
  const c = conditionOf(state);
  const why = c === 'live' ? null : reasonKey(reason);
  return (
    <span className={styles.state}>
      <span className={styles.word}>
        <StateShape family={FAMILY[c]} size={14} />
        {t(`video.state.${c}`)}
        {since && c !== 'live' && (
          <span className="meta">
            <Age at={since} />
          </span>
        )}
      </span>
      {why && <span className={`meta ${styles.why}`}>{t(why)}</span>}
    </span>
  );
}
