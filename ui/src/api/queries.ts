// One place for each question the page asks the server, with its cache key.
import { queryOptions } from '@tanstack/react-query';
import { get, seg } from './client';
import type {
  Command,
  Conformance,
  Handshake,
  Me,
  Message,
  Page,
  Session,
  Site,
  StationDetail,
  Summary,
  SystemEvent,
  Telemetry,
  Token,
  User,
} from './shapes';

const minute = 60_000;

export const meQuery = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => get<Me>('/me', {}, signal),
    staleTime: 5 * minute,
    retry: false,
  });

export const summaryQuery = () =>
  queryOptions({ queryKey: ['summary'], queryFn: ({ signal }) => get<Summary>('/summary', {}, signal) });

export const sitesQuery = () =>
  queryOptions({
    queryKey: ['sites'],
    queryFn: ({ signal }) => pages<Site>('/sites', {}, signal),
    staleTime: minute,
  });

// The table of the whole network is live; what changes rarely (model, firmware)
// comes from here, page by page, at most twenty thousand stations.
export const stationsQuery = () =>
  queryOptions({
    queryKey: ['stations'],
    queryFn: ({ signal }) => pages<StationDetail>('/stations', {}, signal),
    staleTime: minute,
    refetchInterval: 2 * minute,
  });

export const pendingQuery = () =>
  queryOptions({
    queryKey: ['stations', 'pending'],
    queryFn: ({ signal }) => pages<StationDetail>('/stations', { onboarding: 'pending' }, signal),
    refetchInterval: 10_000,
  });

export const handshakesQuery = () =>
  queryOptions({
    queryKey: ['handshakes'],
    queryFn: ({ signal }) => get<Page<Handshake>>('/handshakes', {}, signal).then((p) => p.items),
    refetchInterval: 10_000,
  });

export const stationQuery = (id: string) =>
  queryOptions({
    queryKey: ['station', id],
    queryFn: ({ signal }) => get<StationDetail>(`/stations/${seg(id)}`, {}, signal),
    refetchInterval: 30_000,
  });

export const sessionsQuery = (station: string) =>
  queryOptions({
    queryKey: ['sessions', station],
    queryFn: ({ signal }) =>
      get<Page<Session>>('/sessions', { station, limit: 50 }, signal).then((p) => p.items),
    refetchInterval: 15_000,
  });

export const messagesQuery = (station: string) =>
  queryOptions({
    queryKey: ['messages', station],
    queryFn: ({ signal }) =>
      get<Page<Message>>(`/stations/${seg(station)}/messages`, { limit: 300 }, signal).then((p) => p.items),
  });

export const commandsQuery = (station: string) =>
  queryOptions({
    queryKey: ['commands', station],
    queryFn: ({ signal }) =>
      get<Page<Command>>(`/stations/${seg(station)}/commands`, { limit: 50 }, signal).then((p) => p.items),
    refetchInterval: (q) => (q.state.data?.some((c) => c.status === 'sent') ? 2000 : false),
  });

export const conformanceQuery = (station: string) =>
  queryOptions({
    queryKey: ['conformance', station],
    queryFn: ({ signal }) =>
      get<{ items: Conformance[] }>(`/stations/${seg(station)}/conformance`, {}, signal).then((p) => p.items),
    refetchInterval: minute,
  });

export const telemetryQuery = (
  station: string,
  evse: number,
  measurand: string,
  fromMs: number,
  toMs: number,
  step: number,
) =>
  queryOptions({
    queryKey: ['telemetry', station, evse, measurand, fromMs, toMs, step],
    queryFn: ({ signal }) =>
      get<Telemetry>(
        '/telemetry',
        {
          station,
          evse,
          measurand,
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          step,
        },
        signal,
      ),
    staleTime: minute,
  });

export const statusEventsQuery = (station: string, fromMs: number) =>
  queryOptions({
    queryKey: ['events', station, 'status', fromMs],
    queryFn: ({ signal }) =>
      get<Page<SystemEvent>>(
        '/events',
        {
          subject: `station/${station}`,
          kind: 'status,transaction,connected,disconnected',
          from: new Date(fromMs).toISOString(),
          limit: 1000,
        },
        signal,
      ).then((p) => p.items),
    refetchInterval: minute,
  });

export const usersQuery = () =>
  queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => get<Page<User>>('/users', {}, signal).then((p) => p.items),
  });

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => get<Page<Token>>('/tokens', {}, signal).then((p) => p.items),
  });

const MAX_PAGES = 20;

async function pages<T>(path: string, params: Record<string, string>, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Page<T> = await get<Page<T>>(path, { ...params, limit: 1000, cursor }, signal);
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (!cursor) break;
  }
  return items;
}
