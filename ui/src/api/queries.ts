// One place for each question the page asks the server, with its cache key.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from './client';
import type { StationDetail, SystemEvent } from './shapes';

const minute = 60_000;
const PAGE = 1000;
const MAX_PAGES = 20;

type Page<T> = { items: T[]; nextCursor?: string };

async function pages<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await read(cursor);
    items.push(...answer.items);
    cursor = answer.nextCursor || undefined;
    if (!cursor) break;
  }
  return items;
}

export const meQuery = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => ok(api.GET('/me', { signal })),
    staleTime: 5 * minute,
    retry: false,
  });

// The feed brings the summary of the whole network; that of one site is asked for.
export const summaryQuery = (site?: string) =>
  queryOptions({
    queryKey: site === undefined ? ['summary'] : ['summary', site],
    queryFn: ({ signal }) => ok(api.GET('/summary', { params: { query: { site } }, signal })),
    refetchInterval: site === undefined ? false : 3000,
  });

export const siteQuery = (site: string) =>
  queryOptions({
    queryKey: ['site', site],
    queryFn: ({ signal }) => ok(api.GET('/sites/{site}', { params: { path: { site } }, signal })),
    refetchInterval: 10_000,
  });

export const pinsQuery = (site: string) =>
  queryOptions({
    queryKey: ['site', site, 'pins'],
    queryFn: ({ signal }) =>
      ok(api.GET('/sites/{site}/plan/pins', { params: { path: { site } }, signal })).then((p) => p.items),
    staleTime: minute,
  });

export const mapSettingsQuery = () =>
  queryOptions({
    queryKey: ['settings', 'map'],
    queryFn: ({ signal }) => ok(api.GET('/settings/map', { signal })),
    staleTime: 5 * minute,
  });

/** Power of the network or of a site between two instants. */
export const powerQuery = (site: string | undefined, fromMs: number, toMs: number, step = 0) =>
  queryOptions({
    queryKey: ['power', site ?? '', fromMs, toMs, step],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/power', {
          params: {
            query: { site, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), step },
          },
          signal,
        }),
      ),
    staleTime: minute,
  });

/** What fails drivers now, and what is slow. */
export const attentionQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: ['attention', site ?? ''],
    queryFn: ({ signal }) => ok(api.GET('/attention', { params: { query: { site, limit: 200 } }, signal })),
    refetchInterval: 5000,
  });

export const sitesQuery = () =>
  queryOptions({
    queryKey: ['sites'],
    queryFn: ({ signal }) =>
      pages((cursor) => ok(api.GET('/sites', { params: { query: { limit: PAGE, cursor } }, signal }))),
    staleTime: minute,
  });

/** What a list of the whole network says of a station beside its live state. */
export type StationBrief = Pick<
  StationDetail,
  | 'id'
  | 'label'
  | 'siteId'
  | 'vendor'
  | 'model'
  | 'serial'
  | 'firmware'
  | 'protocol'
  | 'status'
  | 'online'
  | 'onboarding'
  | 'simulated'
  | 'lastFrameAt'
  | 'tags'
>;

const brief = (s: StationDetail): StationBrief => ({
  id: s.id,
  label: s.label,
  siteId: s.siteId,
  vendor: s.vendor,
  model: s.model,
  serial: s.serial,
  firmware: s.firmware,
  protocol: s.protocol,
  status: s.status,
  online: s.online,
  onboarding: s.onboarding,
  simulated: s.simulated,
  lastFrameAt: s.lastFrameAt,
  tags: s.tags ?? [],
});

// The table of the whole network is live; what changes rarely (model, firmware)
// comes from here, page by page, at most twenty thousand stations. Their ports
// are dropped page by page, and answers are not compared: that took longer than
// to draw them.
export const stationsQuery = () =>
  queryOptions({
    queryKey: ['stations'],
    queryFn: ({ signal }) =>
      pages(async (cursor) => {
        const page = await ok(api.GET('/stations', { params: { query: { limit: PAGE, cursor } }, signal }));
        return { items: page.items.map(brief), nextCursor: page.nextCursor };
      }),
    staleTime: minute,
    refetchInterval: 2 * minute,
    structuralSharing: false,
  });

export const pendingQuery = () =>
  queryOptions({
    queryKey: ['stations', 'pending'],
    queryFn: ({ signal }) =>
      pages((cursor) =>
        ok(
          api.GET('/stations', { params: { query: { onboarding: 'pending', limit: PAGE, cursor } }, signal }),
        ),
      ),
    refetchInterval: 10_000,
  });

export const handshakesQuery = () =>
  queryOptions({
    queryKey: ['handshakes'],
    queryFn: ({ signal }) => ok(api.GET('/handshakes', { signal })).then((p) => p.items),
    refetchInterval: 10_000,
  });

export const stationQuery = (station: string) =>
  queryOptions({
    queryKey: ['station', station],
    queryFn: ({ signal }) => ok(api.GET('/stations/{station}', { params: { path: { station } }, signal })),
    refetchInterval: 30_000,
  });

export const sessionsQuery = (station: string) =>
  queryOptions({
    queryKey: ['sessions', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/sessions', { params: { query: { station, limit: 50 } }, signal })).then((p) => p.items),
    refetchInterval: 15_000,
  });

/** Frames, newest first, page by page back to where the log begins. */
export const messagesQuery = (
  station: string,
  direction: 'in' | 'out' | undefined,
  action: string | undefined,
) =>
  infiniteQueryOptions({
    queryKey: ['messages', station, direction ?? '', action ?? ''],
    queryFn: ({ signal, pageParam }) =>
      ok(
        api.GET('/stations/{station}/messages', {
          params: {
            path: { station },
            query: {
              limit: 300,
              ...(direction ? { direction } : {}),
              ...(action ? { action } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || undefined,
    maxPages: 20,
  });

export const commandsQuery = (station: string) =>
  queryOptions({
    queryKey: ['commands', station],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/stations/{station}/commands', {
          params: { path: { station }, query: { limit: 50 } },
          signal,
        }),
      ).then((p) => p.items),
    // The feed brings answers; this is for the time without it.
    refetchInterval: (q) => (q.state.data?.some((c) => c.status === 'sent') ? 2000 : false),
  });

export const conformanceQuery = (station: string) =>
  queryOptions({
    queryKey: ['conformance', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/conformance', { params: { path: { station } }, signal })).then(
        (p) => p.items,
      ),
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
      ok(
        api.GET('/telemetry', {
          params: {
            query: {
              station,
              evse,
              measurand,
              from: new Date(fromMs).toISOString(),
              to: new Date(toMs).toISOString(),
              step,
            },
          },
          signal,
        }),
      ),
    staleTime: minute,
  });

export const statesQuery = (station: string, fromMs: number, toMs: number, step: number) =>
  queryOptions({
    queryKey: ['states', station, fromMs, toMs, step],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/stations/{station}/states', {
          params: {
            path: { station },
            query: { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), step },
          },
          signal,
        }),
      ),
    staleTime: minute,
  });

/** Sessions that touch a time. */
export const sessionsOfTimeQuery = (station: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['sessions', station, fromMs, toMs],
    queryFn: ({ signal }) => {
      const from = new Date(fromMs).toISOString();
      const to = new Date(toMs).toISOString();
      return pages((cursor) =>
        ok(api.GET('/sessions', { params: { query: { station, from, to, limit: PAGE, cursor } }, signal })),
      );
    },
    staleTime: minute,
  });

export const configurationQuery = (station: string) =>
  queryOptions({
    queryKey: ['configuration', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/configuration', { params: { path: { station } }, signal })).then(
        (p) => p.items,
      ),
    staleTime: minute,
  });

/** Stations of the same model, the first hundred. */
export const peersQuery = (vendor: string, model: string) =>
  queryOptions({
    queryKey: ['peers', vendor, model],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations', { params: { query: { q: model, limit: 100 } }, signal })).then((p) =>
        p.items.filter((s) => s.vendor === vendor && s.model === model),
      ),
    staleTime: 5 * minute,
  });

/** Parts of a device model that came since a time, newest first. */
export const reportsQuery = (station: string, from: string) =>
  queryOptions({
    queryKey: ['events', station, 'report', from],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: { query: { subject: `station/${station}`, kind: 'report', from, limit: 100 } },
          signal,
        }),
      ).then((p) => p.items as SystemEvent[]),
  });

export const profilesQuery = (station: string) =>
  queryOptions({
    queryKey: ['profiles', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/charging-profiles', { params: { path: { station } }, signal })).then(
        (p) => p.items,
      ),
    staleTime: minute,
  });

export const notesQuery = (station: string) =>
  queryOptions({
    queryKey: ['notes', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/notes', { params: { path: { station } }, signal })).then(
        (p) => p.items,
      ),
    staleTime: minute,
  });

export const certificatesQuery = (station: string) =>
  queryOptions({
    queryKey: ['certificates', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/certificates', { params: { path: { station } }, signal })),
    staleTime: minute,
  });

/** What a station was asked to watch by itself; looked at again while something is asked for. */
export const monitorsQuery = (station: string) =>
  queryOptions({
    queryKey: ['monitors', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/monitors', { params: { path: { station } }, signal })),
    refetchInterval: (q) => (q.state.data?.working ? 5000 : minute),
  });

/** What a station said of its firmware: each boot and each step of an update, newest first. */
export const firmwareEventsQuery = (station: string) =>
  queryOptions({
    queryKey: ['events', station, 'firmware'],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: { query: { subject: `station/${station}`, kind: 'boot,firmware', limit: PAGE } },
          signal,
        }),
      ).then((p) => p.items as SystemEvent[]),
    staleTime: minute,
  });

export const usersQuery = () =>
  queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => ok(api.GET('/users', { signal })).then((p) => p.items),
  });

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => ok(api.GET('/tokens', { signal })).then((p) => p.items),
  });

/** Pages that people kept under a name: one's own and those others share. */
export const savedViewsQuery = () =>
  queryOptions({
    queryKey: ['views'],
    queryFn: ({ signal }) => ok(api.GET('/views', { signal })).then((p) => p.items),
    staleTime: minute,
  });

export const FIRMWARE_IMAGES = ['firmware-images'];

export const firmwareImagesQuery = () =>
  queryOptions({
    queryKey: FIRMWARE_IMAGES,
    queryFn: async ({ signal }) => (await ok(api.GET('/firmware/images', { signal }))).items,
    refetchInterval: 30_000,
  });
