import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { Problem } from '../api/problem';
import { meQuery } from '../api/queries';
import { parseAccess } from '../features/access/search';
import { parseChannels } from '../features/channels/search';
import { parseDesk } from '../features/desk/search';
import { parseDoors } from '../features/doors/search';
import { parseEvents } from '../features/events/kinds';
import { parseEvidence } from '../features/evidence/search';
import { parseIncidents } from '../features/incidents/search';
import { parseMaintenance } from '../features/maintenance/search';
import { parseMap } from '../features/map/search';
import { parseMeasures } from '../features/measures/search';
import { parsePlaybooks } from '../features/playbooks/search';
import { parseHandover } from '../features/response/shift';
import { parseRules } from '../features/rules/tabs';
import { parseSessions } from '../features/sessions/filter';
import { SETTINGS_TABS, type SettingsTab } from '../features/settings/tabs';
import { parseSites } from '../features/sites/search';
import { parseStation } from '../features/station/search';
import { parseFilter } from '../features/stations/filter';
import { parseWall } from '../features/video/camera';
import { isStep, type Step } from '../features/welcome/facts';
import { words } from '../i18n/i18n';
import { later } from '../ui/later';
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
function page(load: () => Promise<{ default: (props: object) => React.ReactNode }>, ...features: string[]) {
  return later(async () => (await Promise.all([load(), words.need(...features)]))[0]);
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

/** A screen on a wall asks to be let in here, without sign-in. */
const kiosk = createRoute({
  getParentRoute: () => root,
  path: '/kiosk',
  component: page(() => import('../features/kiosk/pair'), 'kiosk'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  validateSearch: parseView,
  search: { middlewares: [retainSearchParams<ViewSearch>([...viewParams])] },
  beforeLoad: async ({ context, location, search }) => {
    try {
      const who = await context.queries.ensureQueryData(meQuery());
      if (who.mustSetPassword) throw redirect({ to: '/signin', search: { next: location.href } });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        if (search.kiosk) throw redirect({ to: '/kiosk' });
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
  component: page(
    () => import('../features/overview/page'),
    'incidents',
    'overview',
    'raid',
    'station',
    'stations',
  ),
});

const cameras = createRoute({
  getParentRoute: () => inside,
  path: '/cameras',
  validateSearch: parseWall,
  staticData: { timeless: true },
  component: page(
    () => import('../features/video/page'),
    'doors',
    'evidence',
    'incidents',
    'outputs',
    'video',
  ),
});

const doors = createRoute({
  getParentRoute: () => inside,
  path: '/doors',
  validateSearch: parseDoors,
  staticData: { timeless: true },
  component: page(() => import('../features/doors/page'), 'doors', 'video'),
});

const evidence = createRoute({
  getParentRoute: () => inside,
  path: '/evidence',
  validateSearch: parseEvidence,
  staticData: { timeless: true },
  component: page(() => import('../features/evidence/page'), 'cameras', 'evidence'),
});

const incidents = createRoute({
  getParentRoute: () => inside,
  path: '/incidents',
  validateSearch: parseIncidents,
  staticData: { timeless: true },
  component: page(() => import('../features/incidents/page'), 'incidents', 'response', 'station'),
});

const incident = createRoute({
  getParentRoute: () => incidents,
  path: '$id',
  staticData: { timeless: true },
  component: page(
    () => import('../features/incidents/detail'),
    'incidents',
    'response',
    'doors',
    'evidence',
    'events',
    'playbooks',
    'detectors',
    'station',
    'outputs',
  ),
});

const measures = createRoute({
  getParentRoute: () => inside,
  path: '/incidents/figures',
  staticData: { timeless: true },
  validateSearch: parseMeasures,
  component: page(
    () => import('../features/measures/page'),
    'measures',
    'detectors',
    'incidents',
    'response',
    'station',
  ),
});

const handover = createRoute({
  getParentRoute: () => inside,
  path: '/incidents/handover',
  staticData: { timeless: true },
  validateSearch: parseHandover,
  component: page(() => import('../features/response/handover'), 'response', 'incidents', 'station'),
});

const maintenance = createRoute({
  getParentRoute: () => inside,
  path: '/maintenance',
  staticData: { timeless: true },
  validateSearch: parseMaintenance,
  component: page(() => import('../features/maintenance/page'), 'maintenance', 'incidents', 'station'),
});

// Each tab reads its own part of the address; the rest of it is the other tabs'.
const analytics = createRoute({
  getParentRoute: () => inside,
  path: '/analytics',
  staticData: { timeless: true },
  component: page(() => import('../features/analytics/shell'), 'analytics'),
});

/** A part of analytics. */
function part<const P extends string, T extends { default: () => React.ReactNode }>(
  path: P,
  load: () => Promise<T>,
  feature: string,
) {
  return createRoute({
    getParentRoute: () => analytics,
    path,
    staticData: { timeless: true },
    component: page(load, feature),
  });
}
const patterns = part('/', () => import('../features/analytics/patterns'), 'analytics');
const forecast = part('forecast', () => import('../features/forecast/tab'), 'forecast');
const planner = part('planner', () => import('../features/planner/tab'), 'planner');
const ranking = part('ranking', () => import('../features/planner/ranking'), 'planner');
const past = part('past', () => import('../features/past/tab'), 'past');

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
  component: page(
    () => import('../features/site/page'),
    'doors',
    'incidents',
    'outputs',
    'site',
    'overview',
    'station',
  ),
});

const stations = createRoute({
  getParentRoute: () => inside,
  path: '/stations',
  staticData: { timeless: true },
  validateSearch: parseFilter,
  component: page(() => import('../features/stations/page'), 'campaigns', 'stations'),
});

const station = createRoute({
  getParentRoute: () => inside,
  path: '/stations/$id',
  validateSearch: parseStation,
  component: page(
    () => import('../features/station/page'),
    'files',
    'incidents',
    'profiles',
    'station',
    'stations',
  ),
});

const desk = createRoute({
  getParentRoute: () => inside,
  path: '/desk',
  staticData: { timeless: true },
  validateSearch: parseDesk,
  component: page(() => import('../features/desk/page'), 'desk', 'station'),
});

const sessions = createRoute({
  getParentRoute: () => inside,
  path: '/sessions',
  validateSearch: parseSessions,
  component: page(() => import('../features/sessions/page'), 'sessions', 'desk', 'events', 'station'),
});

const events = createRoute({
  getParentRoute: () => inside,
  path: '/events',
  validateSearch: parseEvents,
  component: page(() => import('../features/events/page'), 'events', 'desk', 'station'),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  staticData: { timeless: true },
  validateSearch: (s: Record<string, unknown>): { tab?: SettingsTab; q?: string } => ({
    tab: SETTINGS_TABS.find((t) => t === s.tab),
    q: typeof s.q === 'number' ? String(s.q) : text(s.q),
  }),
  component: page(
    () => import('../features/settings/page'),
    'cameras',
    'doors',
    'outputs',
    'kiosk',
    'settings',
    'keeping',
    'response',
    'stations',
    'video',
  ),
});

const health = createRoute({
  getParentRoute: () => inside,
  path: '/health',
  staticData: { timeless: true },
  component: page(() => import('../features/health/page'), 'health'),
});

const access = createRoute({
  getParentRoute: () => inside,
  path: '/access',
  staticData: { timeless: true },
  validateSearch: parseAccess,
  component: page(() => import('../features/access/page'), 'access', 'settings'),
});

const rules = createRoute({
  getParentRoute: () => inside,
  path: '/rules',
  staticData: { timeless: true },
  validateSearch: parseRules,
  component: page(() => import('../features/rules/page'), 'rules', 'detectors', 'response'),
});

const channels = createRoute({
  getParentRoute: () => inside,
  path: '/channels',
  staticData: { timeless: true },
  validateSearch: parseChannels,
  component: page(() => import('../features/channels/page'), 'channels', 'incidents'),
});

const playbooks = createRoute({
  getParentRoute: () => inside,
  path: '/playbooks',
  staticData: { timeless: true },
  validateSearch: parsePlaybooks,
  component: page(
    () => import('../features/playbooks/page'),
    'incidents',
    'playbooks',
    'detectors',
    'station',
  ),
});

const approve = createRoute({
  getParentRoute: () => inside,
  path: '/kiosk/approve',
  staticData: { timeless: true },
  validateSearch: (s: Record<string, unknown>): { code?: string } => ({
    code: text(typeof s.code === 'number' ? String(s.code) : s.code)?.slice(0, 16),
  }),
  component: page(() => import('../features/kiosk/approve'), 'kiosk'),
});

const scan = createRoute({
  getParentRoute: () => inside,
  path: '/scan',
  staticData: { timeless: true },
  component: page(() => import('../features/scan/page'), 'scan'),
});

const me = createRoute({
  getParentRoute: () => inside,
  path: '/me',
  staticData: { timeless: true },
  component: page(() => import('../features/me/page'), 'me', 'channels'),
});

const welcome = createRoute({
  getParentRoute: () => inside,
  path: '/welcome',
  staticData: { timeless: true },
  validateSearch: (s: Record<string, unknown>): { step?: Step; station?: string } => ({
    step: isStep(s.step) ? s.step : undefined,
    station: typeof s.station === 'number' ? String(s.station) : text(s.station)?.slice(0, 48),
  }),
  component: page(() => import('../features/welcome/page'), 'stations', 'upstreams', 'welcome'),
});

const pages = [
  overview,
  cameras,
  doors,
  evidence,
  incidents.addChildren([incident]),
  measures,
  handover,
  analytics.addChildren([patterns, forecast, planner, ranking, past]),
  maintenance,
  map,
  sites,
  site,
  stations,
  station,
  sessions,
  events,
  desk,
  health,
  access,
  rules,
  channels,
  playbooks,
  settings,
  approve,
  scan,
  me,
  welcome,
] as const;

const tree = root.addChildren([signin, kiosk, inside.addChildren(pages)]);

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
