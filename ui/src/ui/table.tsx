import type { ReactNode } from 'react';
import styles from './table.module.css';

/** A table that scrolls sideways where it must, and can then be scrolled by keyboard. */
export function TableFrame({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <div className={`${styles.wrap} ${className ?? ''}`} role="region" aria-label={label} tabIndex={0}>
      <table className={styles.table}>{children}</table>
    </div>
  );
}
