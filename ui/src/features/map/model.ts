// What the map shows of a site, and which sites stand so close together that
// one ring speaks for them. Pure, so that both ways of drawing agree.
import type { Site } from '../../api/shapes';
import { FAMILIES, type Family } from '../../live/status';
import { inFamily, type Tally } from '../../live/tally';
import { MIN_ZOOM, type SITE_STATES, type View } from './search';

export type Place = {
  id: string;
  name: string;
  lat: number;
  lon: number;
  state: Family;
  tally: Tally;
};

/** A point of the world on a square of side 1, as Web Mercator has it. */
export type Spot = { x: number; y: number };

const MAX_LAT = 85.0511;

export function spotOf(lat: number, lon: number): Spot {
  const clipped = Math.min(MAX_LAT, Math.max(-MAX_LAT, lat));
  const s = Math.sin((clipped * Math.PI) / 180);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI) };
}

export function atSpot({ x, y }: Spot): { lat: number; lon: number } {
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return { lat, lon: (x - 0.5) * 360 };
}

/** A position on Earth; null for none, and for one that cannot be. */
export function positionOf(site: Pick<Site, 'latitude' | 'longitude'>): { lat: number; lon: number } | null {
  const { latitude: lat, longitude: lon } = site;
  if (typeof lat !== 'number' || typeof lon !== 'number') return null;
  if (!(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) return null;
  return { lat, lon };
}

/** The one word for a site: its trouble first, else what a driver can expect. */
export function siteState(t: Tally): Family {
  if (t.total === 0) return 'unknown';
  if (inFamily(t, 'faulted') > 0) return 'faulted';
  if (inFamily(t, 'offline') > 0) return 'offline';
  if (t.free > 0) return 'available';
  const busy: Family[] = ['charging', 'suspended', 'preparing', 'reserved'];
  const most = busy.reduce((a, b) => (inFamily(t, b) > inFamily(t, a) ? b : a));
  if (inFamily(t, most) > 0) return most;
  return inFamily(t, 'unavailable') > 0 ? 'unavailable' : 'unknown';
}

/** A site that is full of paused cars is full, as one in which all charge is. */
export const chipOf = (f: Family): (typeof SITE_STATES)[number] =>
  f === 'suspended' || f === 'preparing' || f === 'reserved'
    ? 'charging'
    : (f as (typeof SITE_STATES)[number]);

/** The parts of a ring, clockwise from the top: trouble leads. */
export const RING = [
  'faulted',
  'offline',
  'unavailable',
  'charging',
  'available',
] as const satisfies Family[];

const ringOf: Record<Family, (typeof RING)[number]> = {
  faulted: 'faulted',
  offline: 'offline',
  unknown: 'unavailable',
  unavailable: 'unavailable',
  charging: 'charging',
  suspended: 'charging',
  preparing: 'charging',
  reserved: 'charging',
  available: 'available',
};

/** The share of each part of a ring; together 1, or all 0 where there is no port. */
export function ringShares(tallies: readonly Tally[]): number[] {
  const sums = new Array<number>(RING.length).fill(0);
  let total = 0;
  for (const t of tallies) {
    total += t.total;
    FAMILIES.forEach((f, i) => {
      sums[RING.indexOf(ringOf[f])]! += t.counts[i]!;
    });
  }
  return total === 0 ? sums : sums.map((n) => n / total);
}

export type Cluster = { key: string; x: number; y: number; places: Place[] };

const RADIUS = 44;

/**
 * Joins places nearer than a ring's width at this zoom. Places are taken in a
 * fixed order, so that the same sites always give the same rings.
 */
export function clusters(places: readonly Place[], zoom: number): Cluster[] {
  const scale = 512 * 2 ** zoom;
  const reach = RADIUS / scale;
  const cells = new Map<string, Cluster[]>();
  const found: Cluster[] = [];
  const sorted = [...places].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const p of sorted) {
    const { x, y } = spotOf(p.lat, p.lon);
    const [cx, cy] = [Math.floor(x / reach), Math.floor(y / reach)];
    let near: Cluster | undefined;
    for (let dx = -1; dx <= 1 && !near; dx++)
      for (let dy = -1; dy <= 1 && !near; dy++)
        near = cells.get(`${cx + dx}/${cy + dy}`)?.find((c) => Math.hypot(c.x - x, c.y - y) < reach);
    if (near) {
      near.places.push(p);
      continue;
    }
    const c: Cluster = { key: p.id, x, y, places: [p] };
    found.push(c);
    const cell = cells.get(`${cx}/${cy}`);
    if (cell) cell.push(c);
    else cells.set(`${cx}/${cy}`, [c]);
  }
  for (const c of found) {
    if (c.places.length === 1) continue;
    const spots = c.places.map((p) => spotOf(p.lat, p.lon));
    c.x = spots.reduce((sum, s) => sum + s.x, 0) / spots.length;
    c.y = spots.reduce((sum, s) => sum + s.y, 0) / spots.length;
    c.key = `${c.places.length}:${c.key}`;
  }
  return found;
}

/** The view that shows all places within a size of pixels. */
export function fitView(
  places: readonly { lat: number; lon: number }[],
  width: number,
  height: number,
): View {
  if (places.length === 0) return { lat: 30, lon: 10, zoom: 1.2 };
  const spots = places.map((p) => spotOf(p.lat, p.lon));
  const xs = spots.map((s) => s.x);
  const ys = spots.map((s) => s.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const room = (px: number) => Math.max(80, px - 140);
  const zoom = Math.log2(
    Math.min(room(width) / Math.max(right - left, 1e-9), room(height) / Math.max(bottom - top, 1e-9)) / 512,
  );
  return {
    ...atSpot({ x: (left + right) / 2, y: (top + bottom) / 2 }),
    zoom: Math.min(12, Math.max(MIN_ZOOM, zoom)),
  };
}
