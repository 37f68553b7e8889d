// Asks the server what a text from a sticker, a call or a card may mean. The
// stations on screen are found without it.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ok } from '../api/client';
import type { components } from '../api/gen';

export type Hit = components['schemas']['FoundShape'];

export const lookup = (q: string, signal?: AbortSignal): Promise<Hit[]> =>
  ok(api.GET('/search', { params: { query: { q } }, signal })).then((p) => p.items);

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
    placeholderData: (before) => before,
  });
  return asked.length >= LEAST ? (data ?? []) : [];
}
