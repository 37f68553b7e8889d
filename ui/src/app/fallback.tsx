import { Button } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { useT } from '../i18n/i18n';
import { retryParts } from '../ui/later';
import { Empty, Failed, Skeleton } from '../ui/panel';
import styles from './shell.module.css';

export function PageLoading() {
  return (
    <div className={styles.page}>
      <Skeleton rows={6} />
    </div>
  );
}

export function PageError({ error }: { error: unknown }) {
  const t = useT();
  const router = useRouter();
  const again = () => {
    retryParts();
    void router.invalidate();
  };
  return (
    <div className={styles.alone}>
      <h1 className="srOnly">{t('failed.title', { what: t('failed.thisPage') })}</h1>
      <Failed what={t('failed.thisPage')} error={error} retry={again} />
    </div>
  );
}

export function NotFound() {
  const t = useT();
  return (
    <div className={styles.page}>
      <Empty
        title={t('notFound.title')}
        action={
          <Button component={Link} to="/" variant="default">
            {t('notFound.action')}
          </Button>
        }
      >
        {t('notFound.text')}
      </Empty>
    </div>
  );
}
