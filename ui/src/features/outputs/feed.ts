// Sirens, lights, speakers and relays as they are now: the list, and what the feed tells.
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, ok } from '../../api/client';
import { useLive } from '../../live/hooks';
import type { Output } from './output';

export const OUTPUTS = ['outputs'] as const;
const PAGE = 1000;
const AGAIN = 60_000;

export const outputsQuery = () =>
  queryOptions({
    queryKey: [...OUTPUTS, 'all'],
    queryFn: async ({ signal }): Promise<Output[]> => {
      const out: Output[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await ok(api.GET('/outputs', { params: { query: { limit: PAGE, cursor } }, signal }));
        out.push(...page.items);
        cursor = page.nextCursor || undefined;
        if (!cursor) return out;
      }
    },
    refetchInterval: AGAIN,
  });

/** How it is spoken to is for those who set it up; the feed does not know. */
const kept = (was: Output, now: Output): Output => ({
  ...now,
  ...(was.driver ? { driver: was.driver } : {}),
  ...(was.address ? { address: was.address } : {}),
  ...(was.username ? { username: was.username } : {}),
  ...(was.preset ? { preset: was.preset } : {}),
  ...(was.topic ? { topic: was.topic } : {}),
  ...(was.onPayload ? { onPayload: was.onPayload } : {}),
  ...(was.offPayload ? { offPayload: was.offPayload } : {}),
  hasSecret: was.hasSecret,
});

export function useOutputs(enabled = true) {
  const queries = useQueryClient();
  const { client } = useLive();
  const asked = useQuery({ ...outputsQuery(), enabled });
  useEffect(() => {
    if (!enabled) return;
    const again = () => void queries.invalidateQueries({ queryKey: OUTPUTS });
    const offs = [
      client.on('output', (frame) => {
        const now = frame.data;
        queries.setQueryData(outputsQuery().queryKey, (all) => {
          if (!all) return all;
          if (!all.some((o) => o.id === now.id)) {
            again();
            return all;
          }
          return all.map((o) => (o.id === now.id ? kept(o, now) : o));
        });
      }),
      client.on('outputGone', again),
      client.onMissed(again),
      client.hold('outputs'),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [client, queries, enabled]);
  return asked;
}
