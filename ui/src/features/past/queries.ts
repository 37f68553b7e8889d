import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

type Schemas = components['schemas'];
export type Preview = Schemas['PastPreviewShape'];
export type Import = Schemas['PastImportShape'];
export type Counts = Schemas['PastCountsShape'];
export type Finding = Schemas['PastFindingShape'];
export type Settings = Schemas['PastSettings'];
export type Place = Schemas['PastPlace'];

/** Whether somebody works on an import, or will at once. */
export const atWork = (x: Import): boolean => ['queued', 'running', 'undoing'].includes(x.state);

export const importsQuery = () =>
  queryOptions({
    queryKey: ['imports'],
    queryFn: () => ok(api.GET('/analytics/imports', { params: { query: { limit: 100 } } })),
    refetchInterval: (query) => (query.state.data?.items.some(atWork) ? 500 : 30_000),
  });

export const previewQuery = (id: number) =>
  queryOptions({
    queryKey: ['imports', id, 'preview'],
    queryFn: () => ok(api.GET('/analytics/imports/{id}/preview', { params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const MOST_BYTES = 256 << 20;

/** Sends a file; the answer is what it would come to. */
export async function send(file: File): Promise<Preview> {
  return ok<Preview>(
    fetch(`/api/v1/analytics/imports?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/csv', 'Accept-Language': document.documentElement.lang || 'en' },
      body: file,
    }).then(async (response) => {
      const data = await response.json();
      return { response, data, error: response.ok ? undefined : data };
    }),
  );
}

export const change = (id: number, body: Settings) =>
  ok(api.PATCH('/analytics/imports/{id}', { params: { path: { id } }, body }));

const path = (id: number) => ({ params: { path: { id } } });
export const run = (id: number) => ok(api.POST('/analytics/imports/{id}/run', path(id)));
export const cancel = (id: number) => ok(api.POST('/analytics/imports/{id}/cancel', path(id)));
export const undo = (id: number) => ok(api.POST('/analytics/imports/{id}/undo', path(id)));
export const forget = (id: number) => ok(api.DELETE('/analytics/imports/{id}', path(id)));
