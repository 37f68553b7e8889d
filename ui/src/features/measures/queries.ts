import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { MINUTE } from '../../format/time';
import { SPANS, type Span } from './search';

type Schemas = components['schemas'];
export type Answer = Schemas['FiguresAnswer'];
export type Figures = Schemas['FiguresShape'];
export type Group = Schemas['GroupShape'];
export type Part = Schemas['CourseShape'];
export type Promised = Schemas['SLAShape'];
export type Minutes = Schemas['SLAMinutes'];

export type Asked = {
  span: Span;
  site: string | undefined;
  severity: string | undefined;
  kind: string | undefined;
  zone: string;
};

/** What is asked, up to this minute: the same question keeps its answer for so long. */
export function spanOf(span: Span, now: number): { from: string; to: string } {
  const to = Math.floor(now / MINUTE) * MINUTE;
  return { from: new Date(to - SPANS[span]).toISOString(), to: new Date(to).toISOString() };
}

export const figuresQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ['incidents', 'figures', asked],
    queryFn: ({ signal }) => {
      const { span, ...rest } = asked;
      return ok(
        api.GET('/incidents/figures', {
          params: { query: { ...rest, ...spanOf(span, Date.now()) } },
          signal,
        }),
      );
    },
    refetchInterval: 5 * MINUTE,
    staleTime: MINUTE,
  });

/** Where the same stands as a table for a spreadsheet. */
export function tableAddress({ span, ...rest }: Asked): string {
  const q = new URLSearchParams(spanOf(span, Date.now()));
  for (const [k, v] of Object.entries(rest)) if (v) q.set(k, v);
  return `/api/v1/incidents/figures.csv?${q}`;
}

export const promisesQuery = () =>
  queryOptions({
    queryKey: ['sla'],
    queryFn: ({ signal }) => ok(api.GET('/sla', { signal })).then((p) => p.items),
    staleTime: MINUTE,
  });
