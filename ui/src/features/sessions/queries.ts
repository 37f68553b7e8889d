import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { SystemEvent } from '../../api/shapes';
import type { Range } from '../../app/view';
import type { SessionsSearch } from './filter';

export const PAGE = 200;

export type Ask = Omit<SessionsSearch, 'open'> & { site?: string; range: Range };

export const readSessions = (ask: Ask, limit: number, cursor: string | undefined, signal?: AbortSignal) =>
  ok(
    api.GET('/sessions', {
      params: {
        query: {
          site: ask.site,
          station: ask.station,
          credential: ask.token,
          active: ask.state === undefined ? undefined : ask.state === 'active' ? 'true' : 'false',
          flagged: ask.flagged,
          from: new Date(ask.range.from).toISOString(),
          // What began since the question is told too.
          to: ask.range.span === null ? new Date(ask.range.to).toISOString() : undefined,
          limit,
          cursor,
        },
      },
      signal,
    }),
  );

/** A moving stretch keeps its list while it moves; new ones are looked for apart. */
const key = ({ range, ...ask }: Ask) => [ask, range.span ?? [range.from, range.to]] as const;

export const sessionsQuery = (ask: Ask) =>
  infiniteQueryOptions({
    queryKey: ['sessions', 'list', ...key(ask)],
    queryFn: ({ pageParam, signal }) => readSessions(ask, PAGE, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextCursor || undefined,
    staleTime: 5_000,
  });

/** The newest few, to know what came and what changed since the list was read. */
export const newestQuery = (ask: Ask) =>
  queryOptions({
    queryKey: ['sessions', 'newest', ...key(ask)],
    queryFn: ({ signal }) => readSessions(ask, 50, undefined, signal).then((p) => p.items),
    refetchInterval: 10_000,
    enabled: ask.range.span !== null,
  });

export const oneQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id],
    queryFn: ({ signal }) => ok(api.GET('/sessions/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  });

export const eventsOfQuery = (station: string, evse: number, from: number, to: number) =>
  queryOptions({
    queryKey: ['events', 'session', station, evse, from, to],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: {
            query: {
              subject: `station/${station}`,
              kind: 'status,transaction,authorize,session.inferred,connected,disconnected,command,commandResult',
              from: new Date(from).toISOString(),
              to: new Date(to).toISOString(),
              limit: 200,
            },
          },
          signal,
        }),
      ).then((p) =>
        (p.items as SystemEvent[]).filter((e) => {
          const port = e.subject.split('/')[2];
          return port === undefined || port === String(evse);
        }),
      ),
  });
