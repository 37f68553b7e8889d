// A panel that shows an answer: grey lines while it is awaited, what failed, what
// is missing when there is nothing to show, and the old answer while a new one comes.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useT } from '../../i18n/i18n';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import styles from './patterns.module.css';

export function Part<T extends { enough: boolean; needs: string }>({
  title,
  query,
  rows = 5,
  className,
  nothing,
  children,
}: {
  title: string;
  query: UseQueryResult<T>;
  rows?: number;
  className?: string;
  /** Whether an answer has nothing to show; by default what there is is shown. */
  nothing?: (data: T) => boolean;
  children: (data: T) => ReactNode;
}) {
  const t = useT();
  const { data, error, refetch, isPlaceholderData } = query;
  const panel = (inside: ReactNode) => (
    <Panel title={title} className={className ?? ''}>
      {inside}
    </Panel>
  );
  if (!data)
    return panel(
      error ? <Failed what={title} error={error} retry={() => void refetch()} /> : <Skeleton rows={rows} />,
    );
  if (!data.enough && nothing?.(data))
    return panel(<Empty title={t('analytics.notEnough')}>{data.needs}</Empty>);
  return (
    <div
      className={`${styles.part} ${className ?? ''}`}
      data-old={isPlaceholderData}
      aria-busy={isPlaceholderData}
    >
      {children(data)}
    </div>
  );
}
