import type { ReactNode } from 'react';
import { useT } from '../../i18n/i18n';
import { Drawing } from '../../ui/drawing';
import { type Kind, kindOf } from './door';
import styles from './state.module.css';

const DRAWN: Record<Kind, ReactNode> = {
  door: <path d="M5 17.5V2.5h10v15M3 17.5h14M12 10.25v.5" />,
  gate: <path d="M2.5 16.5v-12M17.5 16.5v-12M2.5 7h15M2.5 14h15M6.5 7v7M10 7v7M13.5 7v7" />,
  barrier: <path d="M3 17V9h4v8M2 17h6M7 10l11-5M11 8.2l1 2M14.5 6.6l1 2" />,
  cabinet: <path d="M4 2.5h12v15H4zM10 2.5v15M8 9v2M12 9v2" />,
};

/** What kind of door it is, as a drawing with its word for those who do not see it. */
export function KindIcon({ kind, size = 18 }: { kind: string; size?: number }) {
  const t = useT();
  const known = kindOf(kind);
  return (
    <Drawing className={styles.kind} word={t(`doors.kind.${known}`)} size={size}>
      {DRAWN[known]}
    </Drawing>
  );
}
