import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Channel = Schemas['ChannelShape'];
export type ChannelType = Schemas['ChannelTypeShape'];
export type Field = Schemas['ChannelFieldShape'];
export type Tested = Schemas['ChannelTestOutputBody'];
export type Routing = Schemas['Routing'];
export type Route = Schemas['Route'];
export type Hours = Schemas['Hours'];
export type Escalation = Schemas['EscalationShape'];
export type Step = Schemas['Step'];
export type Schedule = Schemas['OnCallShape'];
export type Layer = Schemas['Layer'];
export type Member = Schemas['Member'];
export type Shift = Schemas['ShiftShape'];
export type Override = Schemas['Override'];
export type Heartbeat = Schemas['HeartbeatShape'];
export type Delivery = Schemas['DeliveryShape'];

const LIVE = 10_000;

export const channelsQuery = () =>
  queryOptions({
    queryKey: ['channels'],
    queryFn: ({ signal }) => ok(api.GET('/channels', { signal })).then((p) => p.items),
    refetchInterval: LIVE,
  });

export type Device = Schemas['DeviceShape'];

export const devicesQuery = () =>
  queryOptions({
    queryKey: ['devices'],
    queryFn: ({ signal }) => ok(api.GET('/me/devices', { signal })),
  });

export const typesQuery = () =>
  queryOptions({
    queryKey: ['channelTypes'],
    queryFn: ({ signal }) => ok(api.GET('/channels/types', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const routingQuery = () =>
  queryOptions({
    queryKey: ['routing'],
    queryFn: ({ signal }) => ok(api.GET('/routing', { signal })),
  });

export const escalationsQuery = () =>
  queryOptions({
    queryKey: ['escalations'],
    queryFn: ({ signal }) => ok(api.GET('/escalations', { signal })).then((p) => p.items),
  });

export const schedulesQuery = () =>
  queryOptions({
    queryKey: ['oncall'],
    queryFn: ({ signal }) => ok(api.GET('/oncall', { signal })).then((p) => p.items),
    refetchInterval: 60_000,
  });

export const shiftsQuery = (id: string, from: number, to: number, changedAt: string) =>
  queryOptions({
    queryKey: ['shifts', id, from, to, changedAt],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/oncall/{id}/shifts', {
          params: {
            path: { id },
            query: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
          },
          signal,
        }),
      ).then((p) => p.items),
  });

export const heartbeatQuery = () =>
  queryOptions({
    queryKey: ['heartbeat'],
    queryFn: ({ signal }) => ok(api.GET('/heartbeat', { signal })),
    refetchInterval: LIVE,
  });

export const deliveriesQuery = (channel: string | undefined, state: Delivery['state'] | undefined) =>
  infiniteQueryOptions({
    queryKey: ['deliveries', channel, state],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET('/deliveries', {
          params: { query: { limit: 100, channel, state, cursor: pageParam || undefined } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor || null,
    refetchInterval: (q) => (q.state.data && q.state.data.pages.length > 1 ? false : LIVE),
  });
