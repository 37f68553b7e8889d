import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { useLive } from '../../live/hooks';

type Schemas = components['schemas'];
export type CameraSetup = Schemas['CameraShape'];
export type Tried = Schemas['TriedShape'];
export type Arming = Schemas['ArmingShape'];
export type Found = Schemas['FoundCamera'];
export type Asked = Schemas['AskedShape'];
export type Zone = Schemas['ZoneShape'];

const PAGE = 1000;

export const camerasQuery = () =>
  queryOptions({
    // Beside the list of the wall, and made anew with it.
    queryKey: ['cameras', 'setup'],
    queryFn: async ({ signal }) => {
      const items: CameraSetup[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(api.GET('/cameras', { params: { query: { limit: PAGE, cursor } }, signal }));
        items.push(...page.items);
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return items;
    },
    refetchInterval: 30_000,
  });

/** The cameras with all that was decided about them; how they are comes at once. */
export function useCameraSetup() {
  const queries = useQueryClient();
  const { client } = useLive();
  const asked = useQuery(camerasQuery());
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: ['cameras'] });
    const offs = [
      client.on('camera', (frame) => {
        const { id, state, stateSince, reason, armed } = frame.data;
        queries.setQueryData(camerasQuery().queryKey, (all) => {
          if (!all?.some((c) => c.id === id)) {
            again();
            return all;
          }
          return all.map((c) => (c.id === id ? { ...c, state, stateSince, reason, armed } : c));
        });
      }),
      client.on('cameraGone', again),
      client.on('arming', () => void queries.invalidateQueries({ queryKey: ['arming'] })),
      client.onMissed(again),
      client.hold('cameras'),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [client, queries]);
  return asked;
}

export const armingQuery = (site: string) =>
  queryOptions({
    queryKey: ['arming', site],
    queryFn: ({ signal }) => ok(api.GET('/sites/{site}/arming', { params: { path: { site } }, signal })),
    refetchInterval: 60_000,
  });

/** The ports of a site, for zones to be tied to. */
export const portsQuery = (site: string) =>
  queryOptions({
    queryKey: ['cameras', 'ports', site],
    queryFn: async ({ signal }) => {
      const out: { value: string; station: string; evse: number }[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(
          api.GET('/stations', { params: { query: { site, limit: PAGE, cursor } }, signal }),
        );
        for (const s of page.items) {
          for (const e of s.evses ?? []) {
            out.push({ value: `station/${s.id}/${e.id}`, station: s.label || s.id, evse: e.id });
          }
        }
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return out;
    },
    staleTime: 60_000,
  });
