import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

export type Kiosk = components['schemas']['KioskShape'];

export const kiosksQuery = () =>
  queryOptions({
    queryKey: ['kiosks'],
    queryFn: ({ signal }) =>
      ok(api.GET('/kiosks', { params: { query: { limit: 1000 } }, signal })).then((p) => p.items),
    refetchInterval: 15_000,
  });
