// What is known of a stretch of the past: what was recorded, what moved, what
// happened at the site.
import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';

export type Span = { from: number; to: number };
export type Gap = { from: number; to: number | null; reason: string };
export type Mark = {
  from: number;
  to: number;
  what: string;
  kind: 'scene' | 'incident';
  id: string;
  severity?: string;
};

const iso = (t: number) => new Date(t).toISOString();

export const recordedQuery = (camera: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['cameras', camera, 'recordings', from, to],
    queryFn: async ({ signal }) => {
      const r = await ok(
        api.GET('/cameras/{camera}/recordings', {
          params: { path: { camera }, query: { from: iso(from), to: iso(to) } },
          signal,
        }),
      );
      const spans: Span[] = r.items.map((s) => ({ from: Date.parse(s.from), to: Date.parse(s.to) }));
      const gaps: Gap[] = r.gaps.map((g) => ({
        from: Date.parse(g.from),
        to: g.to ? Date.parse(g.to) : null,
        reason: g.reason,
      }));
      return { spans, gaps };
    },
    refetchInterval: 10_000,
  });

type SceneData = { id?: string; what?: string; phase?: string };

export const scenesQuery = (camera: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['cameras', camera, 'scenes', from, to],
    queryFn: async ({ signal }): Promise<Mark[]> => {
      const r = await ok(
        api.GET('/events', {
          params: {
            query: {
              subject: `camera/${camera}`,
              kind: 'camera.scene',
              from: iso(from),
              to: iso(to),
              limit: 1000,
            },
          },
          signal,
        }),
      );
      return scenesOf(
        r.items.map((e) => ({ at: Date.parse(e.at), data: (e.data ?? {}) as SceneData })).reverse(),
        to,
      );
    },
    refetchInterval: 10_000,
  });

/** Starts and ends, oldest first, joined into stretches; what goes on reaches to the end. */
export function scenesOf(events: readonly { at: number; data: SceneData }[], to: number): Mark[] {
  const open = new Map<string, Mark>();
  const out: Mark[] = [];
  for (const { at, data } of events) {
    const id = data.id ?? '';
    const what = data.what ?? '';
    if (data.phase === 'started') {
      const mark: Mark = { from: at, to, what, kind: 'scene', id };
      open.set(id, mark);
      out.push(mark);
    } else if (data.phase === 'ended') {
      const mark = open.get(id);
      if (mark) mark.to = at;
      open.delete(id);
    } else {
      out.push({ from: at, to: at, what, kind: 'scene', id });
    }
  }
  return out;
}

export const incidentsQuery = (site: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['incidents', 'past', site, from, to],
    queryFn: async ({ signal }): Promise<Mark[]> => {
      const r = await ok(
        api.GET('/incidents', {
          params: { query: { site, from: iso(from), to: iso(to), limit: 200 } },
          signal,
        }),
      );
      return r.items.map((i) => {
        const end = i.repairedAt ?? i.closedAt;
        return {
          from: Date.parse(i.openedAt),
          to: end ? Date.parse(end) : to,
          what: i.title,
          kind: 'incident' as const,
          id: i.id,
          severity: i.severity,
        };
      });
    },
    refetchInterval: 15_000,
  });
