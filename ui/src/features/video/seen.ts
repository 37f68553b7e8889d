// What was seen in a camera's pictures, as marks of the timeline: reports that tell
// the same kind of thing shortly after each other are one time in which it was seen.
import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';

export const SEEN = ['person', 'vehicle', 'animal', 'plate'] as const;
export type SeenKind = (typeof SEEN)[number];

/** A stretch in which a kind of thing was seen. */
export type Seen = {
  from: number;
  to: number;
  what: SeenKind;
  /** How sure the surest was, 0 to 1; 0: nobody said. */
  score: number;
  /** What plates said. */
  plates: readonly { id: string; text: string }[];
};

type Report = Pick<components['schemas']['LabelsShape'], 'seenAt' | 'items'>;

/** Reports of the same thing so far apart are of the same visit. */
const SAME = 10_000;
const AGAIN = 10_000;
/** Reports asked for at once, and how often more are asked for. */
const PAGE = 1000;
const MOST_PAGES = 5;

const kindOf = (what: string): SeenKind | undefined => SEEN.find((k) => k === what);

/** Joins reports, in any order, into stretches in order of time. */
export function seenOf(reports: readonly Report[]): Seen[] {
  const open = new Map<SeenKind, Seen>();
  const out: Seen[] = [];
  const told = reports.map((r) => ({ at: Date.parse(r.seenAt), items: r.items })).sort((a, b) => a.at - b.at);
  for (const { at, items } of told) {
    for (const x of items) {
      const what = kindOf(x.what);
      if (!what) continue;
      let seen = open.get(what);
      if (!seen || at - seen.to > SAME) {
        seen = { from: at, to: at, what, score: 0, plates: [] };
        open.set(what, seen);
        out.push(seen);
      }
      seen.to = at;
      seen.score = Math.max(seen.score, x.score);
      if (x.plate && !seen.plates.some((p) => p.id === x.plateId))
        seen.plates = [...seen.plates, { id: x.plateId, text: x.plate }];
    }
  }
  return out;
}

export const seenQuery = (camera: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['cameras', camera, 'labels', from, to],
    queryFn: async ({ signal }): Promise<Seen[]> => {
      const all: Report[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = {
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          limit: PAGE,
          cursor,
        };
        const r = await ok(
          api.GET('/cameras/{camera}/labels', { params: { path: { camera }, query }, signal }),
        );
        all.push(...r.items);
        cursor = r.nextCursor || undefined;
        if (!cursor) break;
      }
      return seenOf(all);
    },
    refetchInterval: to > Date.now() - 60_000 ? AGAIN : false,
  });

/** What is seen at about the same place of a timeline, drawn as one mark. */
export type Cluster = { from: number; kinds: readonly SeenKind[] };

/** Marks that would cover each other are one, with its kinds in order of weight. */
export function clustered(seen: readonly Seen[], reach: number): Cluster[] {
  const out: { from: number; kinds: SeenKind[] }[] = [];
  for (const s of seen) {
    const last = out.at(-1);
    if (!last || s.from - last.from > reach) out.push({ from: s.from, kinds: [s.what] });
    else if (!last.kinds.includes(s.what)) last.kinds.push(s.what);
  }
  for (const c of out) c.kinds.sort((a, b) => SEEN.indexOf(a) - SEEN.indexOf(b));
  return out;
}

/** Kinds as an address names them; what is not known is left out. */
export const kindsOf = (text: string | undefined): SeenKind[] =>
  SEEN.filter((k) => text?.split(',').includes(k));
