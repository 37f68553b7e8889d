import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { OUTPUTS, outputsQuery } from './feed';
import type { Output } from './output';

export type Wish = {
  on: boolean;
  seconds?: number;
  reason?: string;
  announcement?: string;
  language?: 'en' | 'de';
};

export const sendSwitch = (id: string, incident: string | undefined, wish: Wish): Promise<Output> =>
  ok(
    api.POST('/outputs/{output}/switch', {
      params: { path: { output: id } },
      body: { ...wish, ...(incident ? { incident } : {}) },
    }),
  );

/** Takes over how an output is now, or asks where nobody could say. */
export function useTaken() {
  const queries = useQueryClient();
  return {
    taken: (now: Output) =>
      queries.setQueryData(outputsQuery().queryKey, (all) =>
        all?.map((o) => (o.id === now.id ? { ...o, ...now } : o)),
      ),
    again: () => queries.invalidateQueries({ queryKey: OUTPUTS }),
  };
}

/** One press of a button: what became of it is on screen when the device said so. */
export function useSwitch(id: string, incident: string | undefined) {
  const { taken, again } = useTaken();
  return useMutation({
    mutationFn: (wish: Wish) => sendSwitch(id, incident, wish),
    onSuccess: taken,
    onError: again,
  });
}

export function useAnswer(id: string) {
  const { taken, again } = useTaken();
  return useMutation({
    mutationFn: ({ request, accept }: { request: string; accept: boolean }) => {
      const what = { params: { path: { output: id } }, body: { request } };
      return ok(
        accept ? api.POST('/outputs/{output}/accept', what) : api.POST('/outputs/{output}/decline', what),
      );
    },
    onSuccess: taken,
    onError: again,
  });
}
