import { ActionIcon, Kbd, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { api, ok } from '../api/client';
import { meQuery } from '../api/queries';
import { type MessageKey, useLocale, useT } from '../i18n/i18n';
import { LOCALES, languageNames } from '../i18n/locale';
import { useLive, useSummary, useTopic } from '../live/hooks';
import { Icon, type IconName } from '../ui/icons';
import { QuietBoundary } from '../ui/panel';
import { useSites } from '../ui/sites';
import { useToasts } from '../ui/toast';
import { ZoneRoot } from '../ui/zone';
import { ConnectionBanner, ConnectionState, useStale } from './connection';
import { createKeymap, isTyping } from './keymap';
import { placesFor } from './places';
import styles from './shell.module.css';
import { useScope } from './view';

const ScopePicker = lazy(() => import('./scope'));
const RangePicker = lazy(() => import('./range'));
const Search = lazy(() => import('./search'));
const Help = lazy(() => import('./help'));
const ChangePassword = lazy(() => import('./password'));

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
  const open = useMemo(() => placesFor(me?.permissions ?? []), [me]);

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
  }, [keymap, toasts]);

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
                <Tooltip label={t(p.key)} position="right" disabled={!slim}>
                  <Link
                    to={p.to}
                    className={styles.place}
                    activeOptions={{ exact: p.to === '/', includeSearch: false }}
                    activeProps={{ 'aria-current': 'page' }}
                  >
                    <Icon name={p.icon} />
                    <span className={styles.word}>{t(p.key)}</span>
                  </Link>
                </Tooltip>
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
              <SimulatedMark />
            </QuietBoundary>
            <ConnectionState />
            <Tooltip label={t('help.title')}>
              <ActionIcon
                className={styles.wideOnly}
                variant="subtle"
                color="gray"
                size={36}
                aria-label={t('help.title')}
                onClick={() => setHelping(true)}
              >
                <Icon name="help" />
              </ActionIcon>
            </Tooltip>
            <ThemeMenu />
            <LanguageMenu />
            <UserMenu changePassword={() => setChanging(true)} />
          </div>
        </header>

        <div className={styles.content}>
          <ConnectionBanner />
          <main id="content" tabIndex={-1} className={styles.main} data-stale={stale}>
            <Outlet />
          </main>
        </div>

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

export function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" fill="none" aria-hidden="true" className={styles.mark}>
      <circle cx="12" cy="12" r="10" stroke="currentColor" strokeWidth="2" />
      <path d="M13 5.5 7.5 13H11l-.5 5.5L16.5 11H13z" fill="currentColor" />
    </svg>
  );
}

function SimulatedMark() {
  const t = useT();
  const { summary } = useSummary();
  const { data: me } = useQuery(meQuery());
  const simulated = summary?.stations.simulated ?? 0;
  if (!me?.demo && simulated === 0) return null;
  const whole = me?.demo || (summary && simulated === summary.stations.total);
  return (
    <Tooltip label={t('simulated.note')} multiline maw={280}>
      <span className={styles.simulated}>
        <span className={styles.wideOnly}>
          {whole ? t('simulated.network') : t('simulated.some', { n: simulated })}
        </span>
        <span className={styles.phoneOnly} aria-hidden="true">
          {t('simulated.mark')}
        </span>
      </span>
    </Tooltip>
  );
}

function ThemeMenu() {
  const t = useT();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes = [
    ['auto', 'auto', 'theme.auto'],
    ['dark', 'moon', 'theme.dark'],
    ['light', 'sun', 'theme.light'],
  ] as const satisfies [string, IconName, MessageKey][];
  const now = schemes.find((s) => s[0] === colorScheme) ?? schemes[0];
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('theme.label')}
          title={t('theme.label')}
        >
          <Icon name={now[1]} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(([scheme, icon, key]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon name={icon} size={16} />}
            rightSection={scheme === colorScheme ? <Icon name="check" size={14} /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {t(key)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function LanguageMenu() {
  const t = useT();
  const { locale, setLocale } = useLocale();
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('language.now', { code: locale.toUpperCase() })}
          title={t('language.label')}
          className={styles.language}
        >
          {locale.toUpperCase()}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {LOCALES.map((l) => (
          <Menu.Item
            key={l}
            lang={l}
            rightSection={l === locale ? <Icon name="check" size={14} /> : null}
            onClick={() => setLocale(l)}
          >
            {languageNames[l]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function UserMenu({ changePassword }: { changePassword: () => void }) {
  const t = useT();
  const router = useRouter();
  const queries = useQueryClient();
  const { data: me } = useQuery(meQuery());
  const signOut = async () => {
    // Signed out here even if the server could not be told: nobody stays on the page.
    await ok(api.POST('/signout')).catch(() => {});
    queries.clear();
    await router.navigate({ to: '/signin' });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('user.menu')}
          title={t('user.menu')}
        >
          <Icon name="user" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <span className={styles.userName}>{me?.name}</span>
          <span className="meta">{me?.role}</span>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="key" size={16} />} onClick={changePassword}>
          {t('user.password')}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="signout" size={16} />} onClick={() => void signOut()}>
          {t('user.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
