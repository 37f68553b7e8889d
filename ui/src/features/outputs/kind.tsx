import type { ReactNode } from 'react';
import { useT } from '../../i18n/i18n';
import { Drawing } from '../../ui/drawing';
import { type Kind, kindOf } from './output';
import styles from './outputs.module.css';

const DRAWN: Record<Kind, ReactNode> = {
  light: <path d="M4.5 3h7l2.5 4.5v2H2v-2zM8 9.5V17M4.5 17h7M16 4.5l2-1M16.5 8H18.5M15.5 11.5l1.75 1.25" />,
  siren: <path d="M5 15V10a5 5 0 0 1 10 0v5M3 17.5h14V15H3zM10 2.5V1.25M3.5 5l-1-1M16.5 5l1-1M10 8.5v3" />,
  speaker: <path d="M3 7.5h3.5L11 4v12l-4.5-3.5H3zM13.5 7.25a4 4 0 0 1 0 5.5M15.75 5a7 7 0 0 1 0 10" />,
  relay: <path d="M2 10h4M14 10h4M6 10l7-4M6 10v.01M14 10v.01M4 4h12M4 16h12" />,
};

/** What it is, as a drawing; the name beside it says it in words. */
export function KindIcon({ kind, size = 20 }: { kind: string; size?: number }) {
  const t = useT();
  const known = kindOf(kind);
  return (
    <Drawing className={styles.kind} word={t(`outputs.kind.${known}`)} size={size}>
      {DRAWN[known]}
    </Drawing>
  );
}
