import { type MessageKey, useT } from '../i18n/i18n';
import type { Family, Status } from '../live/status';
import { familyOf } from '../live/status';
import { colorOf, type Mark, SHAPES } from './shapes';
import styles from './state.module.css';

/** What is drawn of a state. It never stands without its word nearby, so it is silent for screen readers. */
export function Drawn({
  marks,
  color,
  size,
  className,
}: {
  marks: readonly Mark[];
  color: string;
  size: number;
  className: string | undefined;
}) {
  return (
    <svg
      className={className}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      style={{ color }}
    >
      {marks.map((m) => (
        <path
          key={m.d}
          d={m.d}
          fill={m.mode === 'stroke' ? 'none' : m.mode === 'fill' ? 'currentColor' : 'var(--surface)'}
          stroke={m.mode === 'stroke' ? 'currentColor' : 'none'}
          strokeWidth={m.width}
          strokeDasharray={m.dash?.join(' ')}
        />
      ))}
    </svg>
  );
}

/** The shape of a state. */
export function StateShape({ family, size = 16 }: { family: Family; size?: number }) {
  return <Drawn marks={SHAPES[family]} color={colorOf(family)} size={size} className={styles.shape} />;
}

export const familyKey = (f: Family): MessageKey => `family.${f}`;
export const statusKey = (s: Status): MessageKey => `status.${s}`;

/** Shape and word. Offline also says, struck through, what the station last said. */
export function StateLabel({ status, online, size }: { status: Status; online: boolean; size?: number }) {
  const t = useT();
  const family = familyOf(status, online);
  return (
    <span className={styles.label}>
      <StateShape family={family} size={size} />
      {online ? (
        <span>{t(statusKey(status))}</span>
      ) : (
        <span>
          {t('family.offline')}{' '}
          {status !== 'Unknown' && (
            <s className={styles.last}>
              <span className="srOnly">{t('state.lastKnown')}</span>
              {t(statusKey(status))}
            </s>
          )}
        </span>
      )}
    </span>
  );
}
