import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { api, ok } from '../api/client';

export function useSignOut(): () => Promise<void> {
  const router = useRouter();
  const queries = useQueryClient();
  return async () => {
    // Signed out here even if the server could not be told: nobody stays on the page.
    await ok(api.POST('/signout')).catch(() => {});
    queries.clear();
    await router.navigate({ to: '/signin' });
  };
}
