import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { Problem } from '../api/problem';
import { meQuery } from '../api/queries';
import { parseDesk } from '../features/desk/search';
import { parseMap } from '../features/map/search';
import { SETTINGS_TABS, type SettingsTab } from '../features/settings/tabs';
import { parseSites } from '../features/sites/search';
import { parseFilter } from '../features/stations/filter';
import { words } from '../i18n/i18n';
import { ToastRoot } from '../ui/toast';
import { NotFound, PageError, PageLoading } from './fallback';
import { Shell } from './shell';
import { parseView, type ViewSearch, viewParams } from './view';

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: () => (
    <ToastRoot>
      <Outlet />
    </ToastRoot>
  ),
});

/** A page, loaded when it is first opened, with the words of the features it shows. */
function page<T extends { default: React.ComponentType }>(load: () => Promise<T>, ...features: string[]) {
  return lazyRouteComponent(async () => (await Promise.all([load(), words.need(...features)]))[0]);
}

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);

/** Only paths of our own: a sign-in link must not send anybody elsewhere. */
const ownPath = (v: unknown): string | undefined =>
  typeof v === 'string' && /^\/(?![/\\])/.test(v) ? v : undefined;

const signin = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (s: Record<string, unknown>): { token?: string; next?: string } => ({
    token: text(s.token),
    next: ownPath(s.next),
  }),
  component: page(() => import('../features/signin/page'), 'signin'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  validateSearch: parseView,
  search: { middlewares: [retainSearchParams<ViewSearch>([...viewParams])] },
  beforeLoad: async ({ context, location }) => {
    try {
      const me = await context.queries.ensureQueryData(meQuery());
      if (me.mustSetPassword) throw redirect({ to: '/signin', search: { next: location.href } });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        throw redirect({
          to: '/signin',
          search: { next: location.href === '/' ? undefined : location.href },
        });
      }
      throw error;
    }
  },
  component: Shell,
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: '/',
  validateSearch: (s: Record<string, unknown>): { view?: 'list'; sort?: 'worst'; out?: 'all' } => ({
    view: s.view === 'list' ? 'list' : undefined,
    sort: s.sort === 'worst' ? 'worst' : undefined,
    out: s.out === 'all' ? 'all' : undefined,
  }),
  staticData: { timeless: true },
  component: page(() => import('../features/overview/page'), 'overview', 'station', 'stations'),
});

const map = createRoute({
  getParentRoute: () => inside,
  path: '/map',
  staticData: { timeless: true },
  validateSearch: parseMap,
  component: page(() => import('../features/map/page'), 'map'),
});

const sites = createRoute({
  getParentRoute: () => inside,
  path: '/sites',
  staticData: { timeless: true },
  validateSearch: parseSites,
  component: page(() => import('../features/sites/page'), 'sites'),
});

const site = createRoute({
  getParentRoute: () => inside,
  path: '/sites/$id',
  validateSearch: (s: Record<string, unknown>): { out?: 'all' } => ({
    out: s.out === 'all' ? 'all' : undefined,
  }),
  component: page(() => import('../features/site/page'), 'site', 'overview', 'station'),
});

const stations = createRoute({
  getParentRoute: () => inside,
  path: '/stations',
  staticData: { timeless: true },
  validateSearch: parseFilter,
  component: page(() => import('../features/stations/page'), 'stations'),
});

const stationTabs = ['messages', 'commands', 'conformance'] as const;
export type StationTab = (typeof stationTabs)[number];

const station = createRoute({
  getParentRoute: () => inside,
  path: '/stations/$id',
  validateSearch: (s: Record<string, unknown>): { tab?: StationTab; port?: number } => ({
    tab: stationTabs.find((t) => t === s.tab),
    port: typeof s.port === 'number' && Number.isInteger(s.port) ? s.port : undefined,
  }),
  component: page(() => import('../features/station/page'), 'station', 'stations'),
});

const desk = createRoute({
  getParentRoute: () => inside,
  path: '/desk',
  staticData: { timeless: true },
  validateSearch: parseDesk,
  component: page(() => import('../features/desk/page'), 'desk', 'station'),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  staticData: { timeless: true },
  validateSearch: (s: Record<string, unknown>): { tab?: SettingsTab; q?: string } => ({
    tab: SETTINGS_TABS.find((t) => t === s.tab),
    q: typeof s.q === 'number' ? String(s.q) : text(s.q),
  }),
  component: page(() => import('../features/settings/page'), 'settings', 'stations'),
});

const tree = root.addChildren([
  signin,
  inside.addChildren([overview, map, sites, site, stations, station, desk, settings]),
]);

export function createAppRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: PageError,
    defaultPendingComponent: PageLoading,
    defaultPendingMs: 300,
    defaultNotFoundComponent: NotFound,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
  interface StaticDataRouteOption {
    /** The page shows now and nothing else: no stretch of time is offered. */
    timeless?: true;
  }
}
