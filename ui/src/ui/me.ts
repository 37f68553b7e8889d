import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../api/queries';

/** Whether the server lets this person do it. It decides again when asked; here it only hides what would be refused. */
export function useAllowed(permission: string): boolean {
  const { data } = useQuery(meQuery());
  return data?.permissions.includes(permission) ?? false;
}
