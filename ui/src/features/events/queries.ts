import { infiniteQueryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { SystemEvent } from '../../api/shapes';
import type { Range } from '../../app/view';
import { type Group, kindsOf } from './kinds';

export const PAGE = 200;

export type Ask = { site?: string; subject?: string; chosen: Group[]; range: Range };

export const readEvents = (ask: Ask, limit: number, cursor: string | undefined, signal?: AbortSignal) =>
  ok(
    api.GET('/events', {
      params: {
        query: {
          site: ask.site,
          subject: ask.subject,
          kind: ask.chosen.length > 0 ? kindsOf(ask.chosen).join(',') : undefined,
          from: new Date(ask.range.from).toISOString(),
          to: ask.range.span === null ? new Date(ask.range.to).toISOString() : undefined,
          limit,
          cursor,
        },
      },
      signal,
    }),
  ).then((p) => ({ items: p.items as SystemEvent[], nextCursor: p.nextCursor }));

export const eventsQuery = (ask: Ask) =>
  infiniteQueryOptions({
    queryKey: [
      'events',
      'list',
      ask.site,
      ask.subject,
      ask.chosen.join(),
      ask.range.span ?? [ask.range.from, ask.range.to],
    ],
    queryFn: ({ pageParam, signal }) => readEvents(ask, PAGE, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextCursor || undefined,
    // The feed brings what is new.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
