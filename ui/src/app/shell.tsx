import { Kbd } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { meQuery } from '../api/queries';
import { useT, words } from '../i18n/i18n';
import { useLive, useTopic } from '../live/hooks';
import { Icon } from '../ui/icons';
import { later } from '../ui/later';
import { QuietBoundary } from '../ui/panel';
import { useSites } from '../ui/sites';
import { useToasts } from '../ui/toast';
import { ZoneRoot } from '../ui/zone';
import { ConnectionBanner, useStale } from './connection';
import { createKeymap, isTyping } from './keymap';
import { Mark } from './mark';
import { placesFor } from './places';
import styles from './shell.module.css';
import { useScope, useView } from './view';

const ScopePicker = later(() => import('./scope'));
const RangePicker = later(() => import('./range'));
const BarEnd = later(() => import('./barend'));
const Search = later(() => import('./search'));
const Help = later(() => import('./help'));
const ChangePassword = later(() => import('./password'));
const KioskFrame = later(async () => {
  const [frame] = await Promise.all([import('../features/kiosk/frame'), words.need('kiosk')]);
  return frame;
});

const IncidentBadge = later(async () => {
  const [badge] = await Promise.all([import('../features/incidents/badge'), words.need('incidents')]);
  return badge;
});

const SecondPerson = later(async () => {
  const [asked] = await Promise.all([import('../features/outputs/asked'), words.need('outputs')]);
  return asked;
});

const RAIL_KEY = 'chargewatch.rail';

function useRail(): [boolean, () => void] {
  const [slim, setSlim] = useState(() => {
    try {
      return localStorage.getItem(RAIL_KEY) === 'slim';
    } catch {
      return false;
    }
  });
  const toggle = useCallback(
    () =>
      setSlim((was) => {
        try {
          localStorage.setItem(RAIL_KEY, was ? 'wide' : 'slim');
        } catch {
          // Kept for this visit only.
        }
        return !was;
      }),
    [],
  );
  return [slim, toggle];
}

export function Shell() {
  const t = useT();
  const router = useRouter();
  const { client } = useLive();
  const [slim, toggleRail] = useRail();
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  const [changing, setChanging] = useState(false);
  const toasts = useToasts();
  const stale = useStale();
  const zone = useNetworkZone();
  const { data: me } = useQuery(meQuery());
  const { kiosk } = useView();
  const open = useMemo(() => placesFor(me?.permissions), [me]);

  useEffect(() => {
    client.start();
    return () => client.stop();
  }, [client]);
  useTopic('ports', 'ports', () => {});

  const openSearch = useCallback(() => setSearching(true), []);
  const keymap = useMemo(
    () =>
      createKeymap(() => [
        { keys: '?', run: () => setHelping(true) },
        ...open.flatMap((p) =>
          p.keys ? [{ keys: p.keys, run: () => void router.navigate({ to: p.to }) }] : [],
        ),
        {
          keys: '/',
          run: () => {
            const field = document.querySelector<HTMLElement>('[data-filter-field]');
            if (field) field.focus();
            else setSearching(true);
          },
        },
      ]),
    [router, open],
  );
  useEffect(() => {
    if (kiosk) return;
    const onKey = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'k') {
        e.preventDefault();
        setSearching(true);
        return;
      }
      if (
        (e.ctrlKey || e.metaKey) &&
        !e.shiftKey &&
        e.key.toLowerCase() === 'z' &&
        !isTyping(e.target) &&
        toasts.undo()
      ) {
        e.preventDefault();
        return;
      }
      keymap(e);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keymap, toasts, kiosk]);

  if (kiosk) {
    return (
      <ZoneRoot value={zone}>
        <Suspense>
          <KioskFrame>
            <Outlet />
          </KioskFrame>
        </Suspense>
      </ZoneRoot>
    );
  }
  return (
    <ZoneRoot value={zone}>
      <div className={styles.shell} data-slim={slim}>
        <a className={styles.skip} href="#content">
          {t('nav.skip')}
        </a>
        <nav className={styles.rail} aria-label={t('nav.label')}>
          <Link to="/" className={styles.brand} aria-label={t('nav.home')}>
            <Mark />
            <span className={styles.word}>Chargewatch</span>
          </Link>
          <ul className={styles.places}>
            {open.map((p) => (
              <li key={p.to} data-phone={p.phone ? (p.phoneOnly ? 'only' : 'too') : 'no'}>
                <Link
                  to={p.to}
                  className={styles.place}
                  activeOptions={{ exact: p.to === '/', includeSearch: false }}
                  activeProps={{ 'aria-current': 'page' }}
                >
                  <Icon name={p.icon} />
                  <span className={styles.word}>{t(p.key)}</span>
                  {p.to === '/incidents' && (
                    <QuietBoundary>
                      <Suspense>
                        <IncidentBadge />
                      </Suspense>
                    </QuietBoundary>
                  )}
                </Link>
              </li>
            ))}
          </ul>
          <button
            type="button"
            className={styles.collapse}
            onClick={toggleRail}
            aria-expanded={!slim}
            aria-label={slim ? t('nav.expand') : t('nav.collapse')}
          >
            <Icon name={slim ? 'right' : 'left'} />
            <span className={styles.word}>{t('nav.collapse')}</span>
          </button>
        </nav>

        <header className={styles.bar}>
          <Link to="/" className={styles.phoneBrand} aria-label={t('nav.home')}>
            <Mark />
          </Link>
          <button type="button" className={styles.search} onClick={openSearch} aria-keyshortcuts="Control+K">
            <Icon name="search" size={18} />
            <span>{t('search.placeholder')}</span>
            <Kbd size="xs" aria-hidden="true">
              Ctrl K
            </Kbd>
          </button>
          <div className={styles.scope}>
            <QuietBoundary>
              <Suspense>
                <ScopePicker />
              </Suspense>
            </QuietBoundary>
          </div>
          <QuietBoundary>
            <Suspense>
              <RangePicker />
            </Suspense>
          </QuietBoundary>
          <div className={styles.barEnd}>
            <QuietBoundary>
              <Suspense>
                <BarEnd help={() => setHelping(true)} changePassword={() => setChanging(true)} />
              </Suspense>
            </QuietBoundary>
          </div>
        </header>

        <div className={styles.content}>
          <ConnectionBanner />
          <main id="content" tabIndex={-1} className={styles.main} data-stale={stale}>
            <Outlet />
          </main>
        </div>

        <QuietBoundary>
          <Suspense>{me?.permissions.includes('outputs.switch') && <SecondPerson />}</Suspense>
        </QuietBoundary>
        <Suspense>
          {searching && <Search close={() => setSearching(false)} />}
          {changing && <ChangePassword close={() => setChanging(false)} />}
          {helping && <Help close={() => setHelping(false)} />}
        </Suspense>
      </div>
    </ZoneRoot>
  );
}

/** The zone of the chosen site, or the one that all sites share; else the reader's own. */
function useNetworkZone(): string | undefined {
  const sites = useSites();
  const scope = useScope();
  if (scope !== undefined) return sites.get(scope)?.timeZone || undefined;
  const zones = new Set([...sites.values()].map((s) => s.timeZone));
  return zones.size === 1 ? [...zones][0] || undefined : undefined;
}
