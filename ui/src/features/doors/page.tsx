// Doors as they are now, and beside them who was there. What is asked for by those
// who stand at a door is answered here: open, lock down, release.
import { Button, SegmentedControl } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useScope, useView } from '../../app/view';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, PanelBoundary, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { ZoneNote, ZoneProvider } from '../../ui/zone';
import { Alarms } from './alarms';
import { DoorCards } from './cards';
import { CONDITIONS, conditionOf } from './door';
import styles from './doors.module.css';
import { useDoors } from './feed';
import { LogPanel } from './logview';
import { Muster } from './muster';
import type { DoorsSearch } from './search';
import { DoorMark } from './state';

const route = getRouteApi('/inside/doors');

export default function DoorsPage() {
  const t = useT();
  const tag = useTag();
  const scope = useScope();
  const sites = useSites();
  const { kiosk } = useView();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useDoors();
  const maySet = useAllowed('doors.write');
  // Names are no matter for a screen on a wall.
  const mayPeople = useAllowed('people.read') && !kiosk;
  const doors = useMemo(
    () => data?.filter((d) => scope === undefined || d.siteId === scope) ?? [],
    [data, scope],
  );
  const change = (part: Partial<DoorsSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true, resetScroll: false });
  const muster = mayPeople && search.view === 'muster';
  const counts = CONDITIONS.map((c) => ({ c, n: doors.filter((d) => conditionOf(d.state) === c).length }));
  return (
    <ZoneProvider value={scope === undefined ? undefined : sites.get(scope)?.timeZone || undefined}>
      <div className={styles.page}>
        <header className={styles.head}>
          <h1 className={styles.title}>{t('nav.doors')}</h1>
          {mayPeople && (
            <SegmentedControl
              size="xs"
              aria-label={t('doors.view')}
              value={search.view ?? 'doors'}
              onChange={(v) => change({ view: v === 'muster' ? 'muster' : undefined })}
              data={[
                { value: 'doors', label: t('doors.view.doors') },
                { value: 'muster', label: t('doors.view.muster') },
              ]}
            />
          )}
          <ul className={styles.counts} aria-label={t('doors.states')}>
            {counts
              .filter(({ n }) => n > 0)
              .map(({ c, n }) => (
                <li key={c} className={styles.count}>
                  <DoorMark condition={c} size={14} />
                  <span className="num">{count(tag, n)}</span> {t(`doors.state.${c}`)}
                </li>
              ))}
          </ul>
          {!kiosk && <ZoneNote />}
          {maySet && !kiosk && (
            <Link to="/settings" search={{ tab: 'doors' }} className={styles.set}>
              <Icon name="settings" size={16} />
              {t('doors.set')}
            </Link>
          )}
        </header>
        {muster ? (
          <Muster site={scope} doors={data} />
        ) : (
          <>
            <Alarms doors={doors} kiosk={kiosk === 1} />
            <div className={styles.columns} data-log={mayPeople}>
              <PanelBoundary>
                {error && !data ? (
                  <Failed what={t('nav.doors')} error={error} retry={() => void refetch()} />
                ) : !data ? (
                  <Skeleton rows={6} />
                ) : doors.length === 0 ? (
                  <section className={styles.nothing}>
                    <Empty
                      title={t(data.length > 0 ? 'doors.noneHere' : 'doors.none')}
                      action={
                        maySet && (
                          <Button
                            component={Link}
                            // biome-ignore lint/suspicious/noExplicitAny: the link's own props do not pass through
                            {...({ to: '/settings', search: { tab: 'doors' } } as any)}
                            leftSection={<Icon name="plus" size={14} />}
                          >
                            {t('doors.noneAdd')}
                          </Button>
                        )
                      }
                    >
                      {t(maySet ? 'doors.noneText' : 'doors.noneAsk')}
                    </Empty>
                  </section>
                ) : (
                  <DoorCards
                    doors={doors}
                    chosen={search.door}
                    choose={mayPeople ? (door) => change({ door }) : undefined}
                  />
                )}
              </PanelBoundary>
              {mayPeople && <LogPanel doors={data} site={scope} search={search} change={change} />}
            </div>
          </>
        )}
      </div>
    </ZoneProvider>
  );
}
