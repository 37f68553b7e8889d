import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { SystemEvent } from '../../api/shapes';
import { DAY } from '../../format/time';
import type { Filter } from './filter';
import { type Detail, isIncident, whole, wholeDetail } from './shape';

const PAGE = 200;
/** How far back the list of what is over goes at first sight. */
export const HISTORY = 30 * DAY;

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incident', id],
    queryFn: ({ signal }): Promise<Detail> =>
      ok(api.GET('/incidents/{id}', { params: { path: { id } }, signal })).then((d) => {
        if (!isIncident(d)) throw new Error('the answer is no incident');
        return wholeDetail(d);
      }),
  });

export type Copy = components['schemas']['CopyShape'];

/** What was, or is to be, copied to the second place because of an incident. */
export const copiesQuery = (incident: string) =>
  queryOptions({
    queryKey: ['incident', incident, 'copies'],
    queryFn: ({ signal }): Promise<Copy[]> =>
      ok(api.GET('/video/copies', { params: { query: { incident, limit: PAGE } }, signal })).then(
        (p) => p.items,
      ),
    refetchInterval: ({ state }) =>
      state.data?.some((c) => c.state === 'waiting' || c.state === 'sending') ? 5000 : 60_000,
  });

/** Those that are over, newest first. */
export const closedQuery = (
  f: Pick<Filter, 'site' | 'severities'>,
  from: number,
  notProven: true | undefined = undefined,
) =>
  infiniteQueryOptions({
    queryKey: ['incidents', 'closed', f.site ?? '', f.severities.join(), from, notProven ?? false],
    queryFn: ({ signal, pageParam }) =>
      ok(
        api.GET('/incidents', {
          params: {
            query: {
              state: 'closed',
              notProven,
              site: f.site,
              severity: f.severities.join(',') || undefined,
              from: new Date(from).toISOString(),
              limit: PAGE,
              cursor: pageParam,
            },
          },
          signal,
        }),
      ).then((p) => ({ items: p.items.filter(isIncident).map(whole), nextCursor: p.nextCursor })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextCursor || undefined,
    staleTime: 10_000,
  });

export const knowledgeQuery = (query: Record<string, string>) =>
  queryOptions({
    queryKey: ['knowledge', query],
    queryFn: ({ signal }) => ok(api.GET('/knowledge', { params: { query }, signal })),
    staleTime: 10 * 60_000,
  });

/** What stations say of themselves; measured values have lanes of their own. */
const TOLD = 'status,transaction,authorize,boot,connected,disconnected,component,report,security,firmware';

export const toldQuery = (station: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['events', 'told', station, fromMs, toMs],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/events', {
          params: {
            query: {
              subject: `station/${station}`,
              kind: TOLD,
              from: new Date(fromMs).toISOString(),
              to: new Date(toMs).toISOString(),
              limit: 1000,
            },
          },
          signal,
        }),
      ).then((p) => p.items as SystemEvent[]),
    staleTime: 60_000,
  });

/** The orders that are worked on, for those who close incidents. */
export const activeOrdersQuery = () =>
  queryOptions({
    queryKey: ['workorders', 'active', 'of incidents'],
    queryFn: ({ signal }) =>
      ok(api.GET('/workorders', { params: { query: { state: 'active', limit: 1000 } }, signal })).then(
        (p) => p.items,
      ),
  });

/** Who may work at a site, or anywhere. */
export const assigneesQuery = (site: string) =>
  queryOptions({
    queryKey: ['assignees', site],
    queryFn: ({ signal }) =>
      ok(api.GET('/workorders/assignees', { params: { query: site ? { site } : {} }, signal })).then(
        (p) => p.items,
      ),
    staleTime: 60_000,
  });
