// What of the map stands in the address: where it looks, and which states it
// shows.
import { type Family, isFamily } from '../../live/status';

/** The states a site can be in, worst first: the chips of the filter. */
export const SITE_STATES = [
  'faulted',
  'offline',
  'available',
  'charging',
  'unavailable',
  'unknown',
] as const satisfies Family[];

export type View = { lat: number; lon: number; zoom: number };
export const MIN_ZOOM = 0.5;
export const MAX_ZOOM = 18;

export function parseAt(v: unknown): View | undefined {
  if (typeof v !== 'string') return undefined;
  const [lat, lon, zoom, more] = v.split(',').map(Number);
  if (lat === undefined || lon === undefined || zoom === undefined || more !== undefined) return undefined;
  if (!(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180) || !(zoom >= 0 && zoom <= 22)) return undefined;
  return { lat, lon, zoom: Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom)) };
}

export const atText = (v: View): string => {
  const digits = v.zoom > 10 ? 4 : v.zoom > 5 ? 3 : 2;
  return `${v.lat.toFixed(digits)},${v.lon.toFixed(digits)},${v.zoom.toFixed(1)}`;
};

export type MapSearch = { at?: string; state?: string };

export function parseMap(s: Record<string, unknown>): MapSearch {
  const at = parseAt(s.at);
  const states = typeof s.state === 'string' ? s.state.split(',').filter(isFamily) : [];
  return {
    at: at && typeof s.at === 'string' ? s.at : undefined,
    state: SITE_STATES.filter((f) => states.includes(f)).join(',') || undefined,
  };
}
