import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useRef, useSyncExternalStore } from 'react';
import { summaryQuery } from '../api/queries';
import type { Summary } from '../api/shapes';
import type { Frame } from './protocol';
import type { LiveClient, LiveStatus } from './socket';
import type { PortStore, PortView, StationEntry } from './store';

export type Live = { store: PortStore; client: LiveClient };

const LiveContext = createContext<Live | null>(null);
export const LiveProvider = LiveContext.Provider;

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('useLive outside LiveProvider');
  return live;
}

export function useLiveStatus(): LiveStatus {
  const { client } = useLive();
  return useSyncExternalStore(client.subscribeStatus, client.getStatus);
}

/** One port; renders again only when this port changed. */
export function usePort(index: number): PortView | undefined {
  const { store } = useLive();
  useSyncExternalStore(
    useCallback((fn) => store.subscribePorts([index], fn), [store, index]),
    () => store.version(index),
  );
  return store.port(index);
}

/** All ports of one station; renders again only when one of them changed. */
export function useStationPorts(entry: StationEntry): PortView[] {
  const { store } = useLive();
  const { ports } = entry;
  useSyncExternalStore(
    useCallback((fn) => store.subscribePorts(ports, fn), [store, ports]),
    () => {
      let sum = 0;
      for (const i of ports) sum += store.version(i);
      return sum;
    },
  );
  return ports.flatMap((i) => store.port(i) ?? []);
}

/** Renders again when the set of ports changed. */
export function useLayout(): number {
  const { store } = useLive();
  return useSyncExternalStore(
    useCallback((fn) => store.subscribe((_, layoutChanged) => layoutChanged && fn()), [store]),
    () => store.layout,
  );
}

/** Renders again after changes of any port, at most once per interval. */
export function useFlush(intervalMs: number): number {
  const { store } = useLive();
  const shown = useRef(store.revision);
  return useSyncExternalStore(
    useCallback(
      (fn) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const unsubscribe = store.subscribe(() => {
          if (timer !== undefined) return;
          timer = setTimeout(() => {
            timer = undefined;
            shown.current = store.revision;
            fn();
          }, intervalMs);
        });
        shown.current = store.revision;
        return () => {
          unsubscribe();
          clearTimeout(timer);
        };
      },
      [store, intervalMs],
    ),
    () => shown.current,
  );
}

/** Subscribes a topic of the feed for as long as the component is on screen. */
export function useTopic<T extends Frame['type']>(
  topic: string | null,
  type: T,
  handler: (frame: Extract<Frame, { type: T }>) => void,
): void {
  const { client } = useLive();
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => {
    if (topic === null) return;
    const off = client.on(type, (frame) => latest.current(frame));
    const release = client.hold(topic);
    return () => {
      off();
      release();
    };
  }, [client, topic, type]);
}

/** The network at a glance, or one site. */
export function useSummary(site?: string): { summary: Summary | undefined; error: unknown } {
  const queries = useQueryClient();
  useTopic(site === undefined ? 'summary' : null, 'summary', (frame) => {
    queries.setQueryData(summaryQuery().queryKey, frame.data);
  });
  const { data, error } = useQuery(summaryQuery(site));
  return { summary: data, error: data ? null : error };
}
