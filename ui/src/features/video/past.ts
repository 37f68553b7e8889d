// What is known of a stretch of the past: what was recorded, what moved, how the
// camera was, what happened at the site and at the ports it watches.
import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { conditionOf } from './camera';

export type Span = { from: number; to: number };
export type Gap = { from: number; to: number | null; reason: string };
export type Mark = {
  from: number;
  to: number;
  what: string;
  kind: 'scene' | 'seen' | 'incident' | 'bookmark' | 'door';
  id: string;
  severity?: string;
};
export type Bookmark = components['schemas']['BookmarkShape'];
/** A time in which a camera was not simply live. */
export type Condition = { from: number; to: number; state: string };
export type Port = { station: string; evse: number };

export const iso = (t: number) => new Date(t).toISOString();
const AGAIN = 10_000;
const FIRST = 2_000;
/** What is over is asked for once. */
export const again = (to: number) => (to > Date.now() - 60_000 ? AGAIN : false);

/** The ports that cameras watch, each once, in order. */
export function portsOf(
  cameras: readonly { zones: readonly { evses?: readonly string[] | null }[] }[],
): Port[] {
  const out = new Map<string, Port>();
  for (const name of cameras.flatMap((c) => c.zones.flatMap((z) => z.evses ?? []))) {
    const m = /^station\/([^/]+)\/(\d+)$/.exec(name);
    if (m) out.set(name, { station: m[1]!, evse: Number(m[2]) });
  }
  return [...out.values()].sort((a, b) => a.station.localeCompare(b.station) || a.evse - b.evse);
}

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
      const earliest = r.earliestAt ? Date.parse(r.earliestAt) : null;
      return { spans, gaps, earliest };
    },
    // The first picture of a camera that begins to record is waited for.
    refetchInterval: (q) => (q.state.data?.earliest === null && again(to) ? FIRST : again(to)),
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
        Math.min(to, Date.now()),
      );
    },
    refetchInterval: again(to),
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

/** What states a thing told of itself in a time, and the last before it; oldest first. */
export async function toldOf(subject: string, kind: string, from: number, to: number, signal: AbortSignal) {
  const read = (query: { from?: string; to: string; limit: number }) =>
    ok(api.GET('/events', { params: { query: { subject, kind, ...query } }, signal }));
  const [before, within] = await Promise.all([
    read({ to: iso(from), limit: 1 }),
    read({ from: iso(from), to: iso(to), limit: 1000 }),
  ]);
  return [...within.items, ...before.items]
    .map((e) => ({ at: Date.parse(e.at), state: String((e.data as { state?: unknown }).state ?? '') }))
    .reverse();
}

/** How the camera was, other than live: also what began before the time. */
export const conditionsQuery = (camera: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['cameras', camera, 'conditions', from, to],
    queryFn: async ({ signal }): Promise<Condition[]> => {
      const told = await toldOf(`camera/${camera}`, 'camera.state', from, to, signal);
      return conditionsOf(told, from, Math.min(to, Date.now()));
    },
    refetchInterval: again(to),
  });

/** States, oldest first, as the times in which something was amiss. */
export function conditionsOf(
  told: readonly { at: number; state: string }[],
  from: number,
  to: number,
): Condition[] {
  return told
    .map((s, i) => ({ from: Math.max(from, s.at), to: Math.min(to, told[i + 1]?.at ?? to), state: s.state }))
    .filter((s) => conditionOf(s.state) !== 'live' && s.to > s.from);
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
          to: end ? Date.parse(end) : Math.min(to, Date.now()),
          what: i.title,
          kind: 'incident' as const,
          id: i.id,
          severity: i.severity,
        };
      });
    },
    refetchInterval: again(to),
  });

/** Marks that people set, of some cameras, in a time. */
export const bookmarksQuery = (cameras: readonly string[], from: number, to: number) =>
  queryOptions({
    queryKey: ['bookmarks', cameras.join(','), from, to],
    queryFn: ({ signal }): Promise<Bookmark[]> =>
      ok(
        api.GET('/bookmarks', {
          params: { query: { camera: cameras.join(','), from: iso(from), to: iso(to), limit: 1000 } },
          signal,
        }),
      ).then((p) => p.items),
    refetchInterval: again(to),
    enabled: cameras.length > 0,
  });

export const bookmarkMark = (b: Bookmark): Mark => ({
  from: Date.parse(b.at),
  to: Date.parse(b.until ?? b.at),
  what: b.text,
  kind: 'bookmark',
  id: b.id,
});
