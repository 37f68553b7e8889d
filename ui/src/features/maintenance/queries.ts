import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Order = Schemas['WorkOrderShape'];
export type OrderDetail = Schemas['WorkOrderDetail'];
export type Score = Schemas['StationScoreShape'];
export type Warning = Schemas['InspectShape'];
export type OrderState = Order['state'];

/** The columns of the board, in the order of a job's life. */
export const STATES = ['open', 'assigned', 'onSite', 'waitingForParts'] as const;
export const isOver = (o: Pick<Order, 'state'>): boolean => o.state === 'done' || o.state === 'cancelled';

const MOST = 1000;

export const ordersQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: ['workorders', site ?? ''],
    queryFn: ({ signal }) =>
      ok(api.GET('/workorders', { params: { query: { site, state: 'active', limit: MOST } }, signal })),
    refetchInterval: 10_000,
  });

export const closedQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: ['workorders', site ?? '', 'closed'],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/workorders', {
          params: { query: { site, state: 'done,cancelled', limit: 30 } },
          signal,
        }),
      ),
    refetchInterval: 30_000,
  });

export const orderQuery = (id: string) =>
  queryOptions({
    queryKey: ['workorder', id],
    queryFn: ({ signal }) => ok(api.GET('/workorders/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 10_000,
  });

export const assigneesQuery = (site: string) =>
  queryOptions({
    queryKey: ['workorders', 'assignees', site],
    queryFn: ({ signal }) =>
      ok(api.GET('/workorders/assignees', { params: { query: { site: site || undefined } }, signal })),
    staleTime: 60_000,
  });

export const sourceQuery = (incident: string) =>
  queryOptions({
    queryKey: ['incident', incident, 'for an order'],
    queryFn: ({ signal }) => ok(api.GET('/incidents/{id}', { params: { path: { id: incident } }, signal })),
    retry: false,
  });

export const scoresQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: ['health-scores', site ?? ''],
    queryFn: ({ signal }) =>
      ok(api.GET('/health-scores', { params: { query: { site, limit: 200 } }, signal })),
    refetchInterval: 60_000,
  });

export const inspectQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: ['inspect', site ?? ''],
    queryFn: ({ signal }) => ok(api.GET('/inspect', { params: { query: { site, limit: 200 } }, signal })),
    refetchInterval: 30_000,
  });

export type Step = 'start' | 'arrive' | 'wait' | 'done' | 'cancel' | 'reopen';
export type StepBody = NonNullable<Schemas['OrderStepInputBody']>;
export type Change = Schemas['ChangeWorkOrderInputBody'];
export type NewOrder = Schemas['NewWorkOrderInputBody'];

const steps = (id: string, step: Step, body: StepBody) => {
  const params = { path: { id } };
  switch (step) {
    case 'start':
      return api.POST('/workorders/{id}/start', { params, body });
    case 'arrive':
      return api.POST('/workorders/{id}/arrive', { params, body });
    case 'wait':
      return api.POST('/workorders/{id}/wait', { params, body });
    case 'done':
      return api.POST('/workorders/{id}/done', { params, body });
    case 'cancel':
      return api.POST('/workorders/{id}/cancel', { params, body });
    case 'reopen':
      return api.POST('/workorders/{id}/reopen', { params, body });
  }
};

/** What the server answers is the order as it stands; the lists are read again. */
function useKeep() {
  const queries = useQueryClient();
  return (o: OrderDetail) => {
    queries.setQueryData(orderQuery(o.id).queryKey, o);
    void queries.invalidateQueries({ queryKey: ['workorders'] });
    if (o.incidentId) void queries.invalidateQueries({ queryKey: ['incident', o.incidentId] });
  };
}

export function useStep(id: string) {
  const keep = useKeep();
  return useMutation({
    mutationFn: ({ step, body = {} }: { step: Step; body?: StepBody }) => ok(steps(id, step, body)),
    onSuccess: keep,
  });
}

export function useChange(id: string) {
  const keep = useKeep();
  return useMutation({
    mutationFn: (body: Change) => ok(api.PATCH('/workorders/{id}', { params: { path: { id } }, body })),
    onSuccess: keep,
  });
}

export function useCreate() {
  const keep = useKeep();
  return useMutation({
    mutationFn: (body: NewOrder) => ok(api.POST('/workorders', { body })),
    onSuccess: keep,
  });
}
