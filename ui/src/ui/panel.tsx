import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Problem } from '../api/problem';
import { useT } from '../i18n/i18n';
import { Icon } from './icons';
import { retryParts } from './later';
import styles from './panel.module.css';

export function Panel({
  title,
  aside,
  children,
  flush = false,
  className,
  id,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  className?: string;
  id?: string;
}) {
  return (
    <section className={`${styles.panel} ${className ?? ''}`} id={id}>
      {title !== undefined && (
        <header className={styles.head}>
          <h2 className={styles.title}>{title}</h2>
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      )}
      <div className={flush ? styles.flush : styles.body}>
        <PanelBoundary>{children}</PanelBoundary>
      </div>
    </section>
  );
}

/** An empty page says why and offers the one next step. */
export function Empty({
  title,
  children,
  action,
}: {
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      <p className={styles.emptyTitle}>{title}</p>
      {children && <div className={styles.emptyText}>{children}</div>}
      {action && <div className={styles.emptyAction}>{action}</div>}
    </div>
  );
}

/** Names the part that failed, in words, and leaves the rest of the page alive. */
export function Failed({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  const t = useT();
  const problem = error instanceof Problem ? error : null;
  return (
    <div className={styles.failed} role="alert">
      <span className={styles.failedIcon}>
        <Icon name="warn" size={16} />
      </span>
      <div>
        <p className={styles.failedTitle}>{t('failed.title', { what })}</p>
        <p className="meta">
          {problem?.unreachable
            ? t('failed.unreachable')
            : problem?.status === 403
              ? t('failed.forbidden')
              : problem
                ? [
                    problem.detail || problem.title,
                    problem.requestId && t('failed.request', { id: problem.requestId }),
                  ]
                    .filter(Boolean)
                    .join(' · ')
                : t('failed.page')}
        </p>
      </div>
      {retry && (
        <Button variant="default" onClick={retry} leftSection={<Icon name="retry" size={14} />}>
          {t('action.retry')}
        </Button>
      )}
    </div>
  );
}

function Broken({ error, reset }: { error: unknown; reset: () => void }) {
  const t = useT();
  return <Failed what={t('failed.part')} error={error} retry={reset} />;
}

/** One broken part must never blank the page. */
export class PanelBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  private readonly reset = () => {
    retryParts();
    this.setState({ error: null });
  };

  override render() {
    if (this.state.error !== null) {
      return <Broken error={this.state.error} reset={this.reset} />;
    }
    return this.props.children;
  }
}

/** For small parts of the frame: where one breaks there is nothing, and the page stays. */
export class QuietBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? null : this.props.children;
  }
}

/** Grey lines in the shape of what will come; shown only when waiting is long enough to notice. */
export function Skeleton({ rows = 3, height = 36 }: { rows?: number; height?: number }) {
  const t = useT();
  return (
    <div className={styles.skeleton} role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} style={{ height }}>
          <span style={{ width: `${70 - ((i * 17) % 40)}%` }} />
        </div>
      ))}
    </div>
  );
}
