import { type MessageKey, useT } from '../../i18n/i18n';
import styles from './severity.module.css';
import type { Severity } from './shape';

const SHAPES: Record<Severity, { d: string; hollow?: true }> = {
  S1: { d: 'M8 1.5 15.2 14.5H.8z' },
  S2: { d: 'M8 .9 15.1 8 8 15.1.9 8z' },
  S3: { d: 'M8 2.2 13.8 8 8 13.8 2.2 8z', hollow: true },
  S4: { d: 'M4.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z' },
};

export const severityKey = (s: Severity): MessageKey => `incident.severity.${s}`;

/** The shape of a severity. Its word stands nearby, so it is silent for screen readers. */
export function SeverityShape({
  severity,
  size = 16,
  pulse = false,
}: {
  severity: string;
  size?: number;
  pulse?: boolean;
}) {
  const shape = SHAPES[severity as Severity] ?? SHAPES.S4;
  return (
    <svg
      className={styles.shape}
      data-severity={severity}
      data-pulse={pulse && severity === 'S1'}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
    >
      <path
        d={shape.d}
        fill={shape.hollow ? 'none' : 'currentColor'}
        stroke={shape.hollow ? 'currentColor' : 'none'}
        strokeWidth={1.75}
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** Shape, code and word. */
export function SeverityLabel({ severity, pulse }: { severity: string; pulse?: boolean }) {
  const t = useT();
  return (
    <span className={styles.label}>
      <SeverityShape severity={severity} pulse={pulse ?? false} />
      <span className={styles.code}>{severity}</span>
      {severity in SHAPES && <span>{t(severityKey(severity as Severity))}</span>}
    </span>
  );
}
