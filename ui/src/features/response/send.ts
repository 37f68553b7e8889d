import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { IncidentAct } from '../../api/shapes';
import { useIncidentStore } from '../incidents/feed';
import { incidentQuery } from '../incidents/queries';
import { wholeDetail } from '../incidents/shape';

/** Does one thing about an incident that is open on the page; the page shows what became of it. */
export function useRespond(id: string) {
  const queries = useQueryClient();
  const store = useIncidentStore();
  return useMutation({
    mutationFn: ({ action, body }: { action: 'step' | 'call'; body: IncidentAct }) =>
      ok(api.POST('/incidents/{id}/{action}', { params: { path: { id, action } }, body })).then(wholeDetail),
    onSuccess: (detail) => {
      store.change({ ...detail });
      queries.setQueryData(incidentQuery(id).queryKey, detail);
    },
    onError: () => void queries.invalidateQueries({ queryKey: incidentQuery(id).queryKey }),
  });
}
