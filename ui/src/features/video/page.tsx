import { SegmentedControl } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Suspense, useCallback, useMemo } from 'react';
import { useScope, useView } from '../../app/view';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, PanelBoundary, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { CONDITIONS, conditionOf, FAMILY, type WallSearch } from './camera';
import { useCameras, useRemoved } from './feed';
import styles from './page.module.css';
import { Review } from './review';
import { conditionKey } from './tile';
import { Wall } from './wall';

const OnSite = later(async () => ({ default: (await import('../outputs/onsite')).OnSite }));

const route = getRouteApi('/inside/cameras');

export default function CamerasPage() {
  const t = useT();
  const tag = useTag();
  const scope = useScope();
  const { kiosk } = useView();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const maySee = useAllowed('video.live');
  const mayReview = useAllowed('video.review');
  const maySet = useAllowed('cameras.write');
  const { data, error, refetch } = useCameras();
  const review = mayReview && search.view === 'review';
  const { data: removed } = useRemoved(mayReview && !kiosk);
  const cameras = useMemo(
    () => data?.filter((c) => scope === undefined || c.siteId === scope) ?? [],
    [data, scope],
  );
  const filmed = useMemo(
    () => [...cameras, ...(removed ?? []).filter((c) => scope === undefined || c.siteId === scope)],
    [cameras, removed, scope],
  );
  const change = useCallback(
    (part: Partial<WallSearch>) =>
      void navigate({ search: (s) => ({ ...s, ...part }), replace: true, resetScroll: false }),
    [navigate],
  );
  const counts = CONDITIONS.map((c) => ({ c, n: cameras.filter((x) => conditionOf(x.state) === c).length }));
  return (
    <div className={styles.page}>
      {/* A screen on a wall shows pictures, and how many are missing. */}
      <header className={styles.head} data-kiosk={kiosk === 1}>
        <h1 className={styles.title}>{t('nav.cameras')}</h1>
        {mayReview && !kiosk && (
          <SegmentedControl
            size="xs"
            aria-label={t('video.view')}
            value={search.view ?? 'wall'}
            onChange={(v) => change({ view: v === 'review' ? 'review' : undefined, focus: undefined })}
            data={[
              { value: 'wall', label: t('video.view.wall') },
              { value: 'review', label: t('video.view.review') },
            ]}
          />
        )}
        <ul className={styles.counts} aria-label={t('video.states')}>
          {counts
            .filter(({ n }) => n > 0)
            .map(({ c, n }) => (
              <li key={c} className={styles.count}>
                <StateShape family={FAMILY[c]} size={12} />
                <span className="num">{count(tag, n)}</span> {t(conditionKey(c))}
              </li>
            ))}
        </ul>
      </header>
      {scope !== undefined && !kiosk && !review && (
        <Suspense>
          <OnSite site={scope} />
        </Suspense>
      )}
      <PanelBoundary>
        {error ? (
          <Failed what={t('nav.cameras')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={6} />
        ) : review && filmed.length > 0 ? (
          <Review cameras={filmed} search={search} change={change} />
        ) : cameras.length === 0 ? (
          <Empty
            title={t('video.none')}
            action={
              maySet && (
                <Link to="/settings" search={{ tab: 'cameras' }}>
                  {t('video.none.add')}
                </Link>
              )
            }
          >
            {t(maySet ? 'video.none.text' : 'video.none.ask')}
          </Empty>
        ) : maySee ? (
          <Wall cameras={cameras} search={search} change={change} />
        ) : (
          <Empty title={t('video.notYours')}>{t('video.notYours.text')}</Empty>
        )}
      </PanelBoundary>
    </div>
  );
}
