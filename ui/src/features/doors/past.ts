// How doors were and who was at them, for the axis of a review.
import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { again, iso, toldOf } from '../video/past';
import { type Condition, conditionOf } from './door';

/** A time in which a door was not simply locked. */
export type DoorSpan = { from: number; to: number; state: Condition };
export type Coming = { at: number; name: string; allowed: boolean; out: boolean };

export const doorStatesQuery = (door: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['doors', door, 'states', from, to],
    queryFn: async ({ signal }): Promise<DoorSpan[]> => {
      const told = await toldOf(`door/${door}`, 'door.state', from, to, signal);
      return spansOf(told, from, Math.min(to, Date.now()));
    },
    refetchInterval: again(to),
  });

/** States, oldest first, as the times in which the door was other than locked. */
export function spansOf(
  told: readonly { at: number; state: string }[],
  from: number,
  to: number,
): DoorSpan[] {
  return told
    .map((s, i) => ({
      from: Math.max(from, s.at),
      to: Math.min(to, told[i + 1]?.at ?? to),
      state: conditionOf(s.state),
    }))
    .filter((s) => s.state !== 'locked' && s.to > s.from);
}

export const comingsQuery = (door: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['doors', door, 'comings', from, to],
    queryFn: ({ signal }): Promise<Coming[]> =>
      ok(
        api.GET('/access/events', {
          params: { query: { door, from: iso(from), to: iso(to), limit: 500 } },
          signal,
        }),
      ).then((p) =>
        p.items.map((e) => ({
          at: Date.parse(e.at),
          name: e.name,
          allowed: e.decision === 'allow',
          out: e.out,
        })),
      ),
    refetchInterval: again(to),
  });
