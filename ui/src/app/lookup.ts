// Asks the server what a text from a sticker, a call or a card may mean. The
// stations on screen are found without it.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Problem } from '../api/problem';

export type Hit = {
  kind: 'station' | 'evse' | 'site' | 'token';
  id: string;
  label: string;
  station: string;
  evse: number;
  site: string;
  match: string;
};

const kinds = new Set(['station', 'evse', 'site', 'token']);

export function hits(body: unknown): Hit[] {
  const items = (body as { items?: unknown })?.items;
  if (!Array.isArray(items)) return [];
  const text = (v: unknown) => (typeof v === 'string' ? v : '');
  return items.flatMap((i: Record<string, unknown>) =>
    kinds.has(text(i?.kind)) && text(i.id) !== ''
      ? [
          {
            kind: i.kind as Hit['kind'],
            id: text(i.id),
            label: text(i.label),
            station: text(i.station),
            evse: typeof i.evse === 'number' ? i.evse : 0,
            site: text(i.site),
            match: text(i.match),
          },
        ]
      : [],
  );
}

export async function lookup(q: string, signal?: AbortSignal): Promise<Hit[]> {
  const response = await fetch(`/api/v1/search?${new URLSearchParams({ q })}`, {
    signal,
    credentials: 'same-origin',
  });
  if (!response.ok) throw new Problem(response.status, response.statusText, '');
  return hits(await response.json());
}

const LEAST = 2;
const PAUSE = 200;

/** What the server finds for a query, once typing pauses. */
export function useLookup(query: string): Hit[] {
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(query.trim()), PAUSE);
    return () => clearTimeout(timer);
  }, [query]);
  const { data } = useQuery({
    queryKey: ['search', asked],
    queryFn: ({ signal }) => lookup(asked, signal),
    enabled: asked.length >= LEAST,
    staleTime: 30_000,
    retry: false,
    placeholderData: (before) => before,
  });
  return asked.length >= LEAST ? (data ?? []) : [];
}
