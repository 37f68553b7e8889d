import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../../api/queries';

/** The id of who is signed in, as incidents name people. */
export const useMe = (): string => useQuery(meQuery()).data?.id ?? '';
