// What the pages about cameras know of one.
import type { Family } from '../../live/status';
import { kindsOf } from './seen';
import { SPANS, USUAL } from './window';

export const CONDITIONS = ['live', 'connecting', 'stalled', 'offline', 'tampered', 'notRecording'] as const;
export type Condition = (typeof CONDITIONS)[number];

export type Camera = {
  id: string;
  label: string;
  siteId: string;
  state: string;
  stateSince?: string | null;
  reason?: string;
  recording: string;
  armed: boolean;
  /** Whether it has a second, smaller stream. */
  sub: boolean;
  /** Whether this person sees single pictures with private parts hidden. */
  masked: boolean;
  zones: readonly { evses?: readonly string[] | null }[];
  /** Whether its sound may be recorded. */
  audio?: boolean;
  /** Pictures a second of its main stream, where it is known. */
  fps?: number;
  /** When it was removed: there are recordings of it until their time is over. */
  removedAt?: string;
};

/** The family whose shape and colour a camera's condition has: calm when it is live. */
export const FAMILY: Record<Condition, Family> = {
  live: 'available',
  connecting: 'unknown',
  stalled: 'offline',
  offline: 'offline',
  tampered: 'faulted',
  notRecording: 'unavailable',
};

export const conditionOf = (state: string): Condition =>
  (CONDITIONS as readonly string[]).includes(state) ? (state as Condition) : 'connecting';

/** Whether its pictures come and are all the same: what they show is of the past. */
export const isFrozen = (c: Camera): boolean => conditionOf(c.state) === 'tampered' && c.reason === 'frozen';

/** Worst first; those of the same condition by site and name. */
const URGENCY: Record<Condition, number> = {
  tampered: 0,
  offline: 1,
  notRecording: 2,
  stalled: 3,
  connecting: 4,
  live: 5,
};

export const byUrgency = (a: Camera, b: Camera): number =>
  URGENCY[conditionOf(a.state)] - URGENCY[conditionOf(b.state)] || byName(a, b);

export const byName = (a: Camera, b: Camera): number =>
  a.siteId.localeCompare(b.siteId) || (a.label || a.id).localeCompare(b.label || b.id);

/** How many tiles a wall shows at once, and in how many columns. */
export const GRIDS = { 1: 1, 4: 2, 6: 3, 9: 3, 12: 4 } as const;
export type Grid = keyof typeof GRIDS;
export const GRID_SIZES = Object.keys(GRIDS).map(Number) as Grid[];

export type WallSearch = {
  view?: 'review';
  /** The moment that is looked at, in milliseconds. */
  at?: number;
  /** How many minutes the timeline shows. */
  span?: number;
  /** Ends of the time that is to be saved. */
  in?: number;
  out?: number;
  grid?: Grid;
  page?: number;
  /** Camera ids in order, joined by commas: a wall somebody chose. */
  cams?: string;
  /** Those of them that are large. */
  big?: string;
  /** The id of a saved wall; "all": every camera, whatever is shown first. */
  wall?: string;
  /** The one that is looked at alone. */
  focus?: string;
  /** Kinds of things seen that are shown and gone to, joined by commas; without it: all there is. */
  seen?: string;
};

export function parseWall(s: Record<string, unknown>): WallSearch {
  const grid = Number(s.grid);
  const page = Number(s.page);
  const instant = (v: unknown) => (Number.isFinite(Number(v)) && Number(v) > 0 ? Number(v) : undefined);
  const span = Number(s.span);
  return {
    view: s.view === 'review' ? 'review' : undefined,
    at: instant(s.at),
    span: (SPANS as readonly number[]).includes(span) && span !== USUAL ? span : undefined,
    in: instant(s.in),
    out: instant(s.out),
    grid: GRID_SIZES.includes(grid as Grid) ? (grid as Grid) : undefined,
    page: Number.isInteger(page) && page > 0 && page < 1000 ? page : undefined,
    cams: typeof s.cams === 'string' && s.cams !== '' ? s.cams.slice(0, 1500) : undefined,
    big: typeof s.big === 'string' && s.big !== '' ? s.big.slice(0, 1500) : undefined,
    wall: typeof s.wall === 'string' && s.wall !== '' ? s.wall.slice(0, 64) : undefined,
    seen: kindsOf(typeof s.seen === 'string' ? s.seen : undefined).join(',') || undefined,
    focus: typeof s.focus === 'string' && s.focus !== '' ? s.focus.slice(0, 128) : undefined,
  };
}

/** The cameras of one page of all, and how many pages there are. */
export function wallPage(
  all: readonly Camera[],
  search: WallSearch,
): { shown: Camera[]; pages: number; page: number } {
  const size = search.grid ?? 9;
  const chosen = [...all].sort(byName);
  const pages = Math.max(1, Math.ceil(chosen.length / size));
  const page = Math.min(search.page ?? 0, pages - 1);
  return { shown: chosen.slice(page * size, (page + 1) * size), pages, page };
}
