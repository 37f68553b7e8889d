import { useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { useToast } from '../../ui/toast';

/** A lost card is blocked at once, at doors and chargers alike; the note takes it back. */
export function useLost(): (credential: string, who: string) => void {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const put = async (credential: string, status: 'Blocked' | 'Accepted') => {
    await ok(api.PATCH('/credentials/{id}', { params: { path: { id: credential } }, body: { status } }));
    await queries.invalidateQueries({ queryKey: ['credentials'] });
  };
  const failed = (error: unknown, text: string) =>
    toast({
      text: error instanceof Problem && error.detail ? `${text} ${error.detail}` : text,
      tone: 'bad',
    });
  return (credential, who) => {
    put(credential, 'Blocked').then(
      () =>
        toast({
          text: t('doors.blocked', { who }),
          undo: () =>
            void put(credential, 'Accepted').then(
              () => toast({ text: t('doors.unblocked', { who }) }),
              (error: unknown) => failed(error, t('doors.notUnblocked', { who })),
            ),
        }),
      (error: unknown) => failed(error, t('doors.notBlocked', { who })),
    );
  };
}
