// Doors as they are now, and who was at them: the lists, and what the feed tells.
import {
  type InfiniteData,
  infiniteQueryOptions,
  queryOptions,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import type { AccessEvent, SystemEvent } from '../../api/shapes';
import { useLive } from '../../live/hooks';
import type { Door } from './door';
import { type Asked, fits, type LogPage, MOST, withNews } from './log';

export const DOORS = ['doors'] as const;
const PAGE = 1000;
const AGAIN = 60_000;

export const doorsQuery = () =>
  queryOptions({
    queryKey: [...DOORS, 'all'],
    queryFn: async ({ signal }): Promise<Door[]> => {
      const out: Door[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await ok(api.GET('/doors', { params: { query: { limit: PAGE, cursor } }, signal }));
        out.push(...page.items);
        cursor = page.nextCursor || undefined;
        if (!cursor) return out;
      }
    },
    refetchInterval: AGAIN,
  });

export function useDoors() {
  const queries = useQueryClient();
  const { client } = useLive();
  const asked = useQuery(doorsQuery());
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: DOORS });
    const offs = [
      client.on('door', (frame) => {
        const d = frame.data;
        queries.setQueryData(doorsQuery().queryKey, (all) => {
          if (!all) return all;
          if (!all.some((x) => x.id === d.id)) {
            again();
            return all;
          }
          // The feed knows no addresses, and not who asks for a second person.
          return all.map((x) => {
            if (x.id !== d.id) return x;
            if (d.waits) again();
            return {
              ...d,
              address: x.address,
              ...(d.waits ? { request: x.request } : {}),
              ...(x.wiring ? { wiring: x.wiring } : {}),
            };
          });
        });
      }),
      client.on('doorGone', again),
      client.onMissed(again),
      client.hold('doors'),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [client, queries]);
  return asked;
}

const logKey = (a: Asked) => [...DOORS, 'log', a.site ?? '', a.door ?? '', a.decision ?? ''] as const;

const logQuery = (a: Asked) =>
  infiniteQueryOptions({
    queryKey: logKey(a),
    queryFn: ({ pageParam, signal }): Promise<LogPage> =>
      ok(
        api.GET('/access/events', {
          params: {
            query: {
              limit: 60,
              site: a.site,
              door: a.door,
              decision: a.decision,
              cursor: pageParam || undefined,
            },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || undefined,
  });

/**
 * Who was at the doors, newest first. What comes while the list is held waits, so that
 * nothing moves under the pointer; `waiting` says how much that is.
 */
export function useLog(asked: Asked, enabled: boolean, held: boolean) {
  const queries = useQueryClient();
  const { client } = useLive();
  const query = useInfiniteQuery({ ...logQuery(asked), enabled });
  const news = useRef<AccessEvent[]>([]);
  const [waiting, setWaiting] = useState(0);
  const { site, door, decision } = asked;

  const show = useCallback(() => {
    if (news.current.length === 0) return;
    const fresh = news.current;
    news.current = [];
    setWaiting(0);
    const key = logKey({ site, door, decision });
    const shown = queries.setQueryData<InfiniteData<LogPage, string>>(key, (all) =>
      all ? { ...all, pages: withNews(all.pages, fresh) } : all,
    );
    if ((shown?.pages[0]?.items.length ?? 0) <= MOST) return;
    // A screen that is never left would grow for ever.
    queries.setQueryData<InfiniteData<LogPage, string>>(key, (all) =>
      all ? { pages: all.pages.slice(0, 1), pageParams: all.pageParams.slice(0, 1) } : all,
    );
    void queries.invalidateQueries({ queryKey: key });
  }, [queries, site, door, decision]);

  const holding = useRef(held);
  useEffect(() => {
    holding.current = held;
    if (!held) show();
  }, [held, show]);

  useEffect(() => {
    if (!enabled) return;
    const mine = { site, door, decision };
    const again = () => void queries.invalidateQueries({ queryKey: logKey(mine) });
    const offs = [
      client.on('access', (frame) => {
        if (!fits(frame.data, mine)) return;
        news.current = [frame.data, ...news.current];
        if (holding.current) setWaiting(news.current.length);
        else show();
      }),
      client.onMissed(again),
      client.hold('access'),
    ];
    return () => {
      for (const off of offs) off();
      news.current = [];
      setWaiting(0);
    };
  }, [client, queries, enabled, site, door, decision, show]);
  return { ...query, waiting, show };
}

/** What the rows are called that decide, of the policies and of the lockdowns. */
export const policyNamesQuery = () =>
  queryOptions({
    queryKey: ['policies', 'names'],
    queryFn: ({ signal }) =>
      ok(api.GET('/policies', { signal })).then((p) => new Map(p.items.map((x) => [x.id ?? '', x.name]))),
    staleTime: AGAIN,
  });

/** Calls for help at doors during the last day, newest first. */
export const alarmsQuery = () =>
  queryOptions({
    queryKey: [...DOORS, 'alarms'],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: {
            query: {
              kind: 'door.alarm',
              from: new Date(Date.now() - 86_400_000).toISOString(),
              limit: 200,
            },
          },
          signal,
        }),
      ).then((p) => p.items as SystemEvent[]),
    refetchInterval: AGAIN,
  });

export function useAlarms(enabled: boolean) {
  const queries = useQueryClient();
  const { client } = useLive();
  const asked = useQuery({ ...alarmsQuery(), enabled });
  useEffect(
    () => client.on('doorAlarm', () => void queries.invalidateQueries({ queryKey: alarmsQuery().queryKey })),
    [client, queries],
  );
  return asked.data;
}
