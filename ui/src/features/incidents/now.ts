import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';

/** The time by the server's clock, in steps: what is due is decided by it. */
export function useServerNow(stepMs = 5000): number {
  const { client } = useLive();
  return useNow(stepMs) + client.clockOffset;
}
