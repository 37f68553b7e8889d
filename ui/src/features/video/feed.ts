// The cameras as they are now: the list, and what the feed tells of it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, ok } from '../../api/client';
import type { CameraShape } from '../../api/shapes';
import { useLive } from '../../live/hooks';
import type { Camera } from './camera';

const KEY = ['cameras'] as const;
const AGAIN = 60_000;
const PAGE = 1000;

export const cameraOf = (c: CameraShape): Camera => ({
  id: c.id,
  label: c.label,
  siteId: c.siteId,
  state: c.state,
  stateSince: c.stateSince,
  reason: c.reason,
  recording: c.recording,
  armed: c.armed,
  sub: c.hasSub,
  masked: c.masked,
  zones: c.zones ?? [],
  audio: c.audio,
  fps: c.main?.fps,
});

async function read(signal: AbortSignal): Promise<Camera[]> {
  const out: Camera[] = [];
  for (let cursor: string | undefined; ; ) {
    const answer = await ok(api.GET('/cameras', { params: { query: { limit: PAGE, cursor } }, signal }));
    out.push(...answer.items.map(cameraOf));
    cursor = answer.nextCursor || undefined;
    if (!cursor) return out;
  }
}

/** Cameras that were removed and of which there are recordings, for who may review. */
export function useRemoved(wanted: boolean) {
  return useQuery({
    queryKey: ['cameras', 'removed'],
    queryFn: async ({ signal }): Promise<Camera[]> => {
      const out: Camera[] = [];
      for (let cursor: string | undefined; ; ) {
        const query = { removed: true, limit: PAGE, cursor };
        const answer = await ok(api.GET('/video/kept', { params: { query }, signal }));
        for (const c of answer.items)
          if (c.removedAt) out.push(removedCamera({ ...c, removedAt: c.removedAt }));
        cursor = answer.nextCursor || undefined;
        if (!cursor) return out;
      }
    },
    enabled: wanted,
    refetchInterval: AGAIN,
  });
}

/** Nothing is known of it but its name, and nothing comes any more. */
export const removedCamera = (c: {
  cameraId: string;
  label: string;
  siteId: string;
  removedAt: string;
}): Camera => ({
  id: c.cameraId,
  label: c.label,
  siteId: c.siteId,
  state: 'offline',
  recording: 'off',
  armed: false,
  sub: false,
  masked: false,
  audio: false,
  zones: [],
  removedAt: c.removedAt,
});

export function useCameras() {
  const queries = useQueryClient();
  const { client } = useLive();
  const asked = useQuery({ queryKey: KEY, queryFn: ({ signal }) => read(signal), refetchInterval: AGAIN });
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: KEY });
    const offs = [
      client.on('camera', (frame) => {
        const c = frame.data;
        queries.setQueryData<Camera[]>(KEY, (all) => {
          if (!all) return all;
          const old = all.find((x) => x.id === c.id);
          if (!old) {
            again();
            return all;
          }
          // What depends on who looks is not in the feed.
          return all.map((x) => (x.id === c.id ? { ...cameraOf(c), masked: old.masked } : x));
        });
      }),
      client.on('cameraGone', again),
      client.on('arming', again),
      client.onMissed(again),
      client.hold('cameras'),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [client, queries]);
  return asked;
}
