import { useCallback, useSyncExternalStore } from 'react';

// One second hand for the whole page: ages are texts derived from it, and a
// component renders again only when its own text changed.
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(fn: () => void): () => void {
  listeners.add(fn);
  timer ??= setInterval(() => {
    for (const listener of [...listeners]) listener();
  }, 1000);
  return () => {
    listeners.delete(fn);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The text as of now; recomputed each second, rendered only when it differs. */
export function useTicking(text: () => string): string {
  return useSyncExternalStore(subscribe, text);
}

/** The time, in steps. */
export function useNow(stepMs: number): number {
  return useSyncExternalStore(
    subscribe,
    useCallback(() => Math.floor(Date.now() / stepMs) * stepMs, [stepMs]),
  );
}
