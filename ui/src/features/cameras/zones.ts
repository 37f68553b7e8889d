// Zones as corners in parts of the picture's width and height. Pure, so that
// dragging and arrow keys agree.
import type { Zone } from './queries';

export type Corner = [number, number];
export const KINDS = ['watch', 'ignore', 'privacy'] as const;
export type Kind = (typeof KINDS)[number];
export const MOST_CORNERS = 64;
export const MOST_ZONES = 32;

const clamp = (v: number): number => Math.min(1, Math.max(0, v));
/** A thousandth of the picture: finer than anybody sees. */
const round = (v: number): number => Math.round(clamp(v) * 1000) / 1000;

export const cornersOf = (z: Zone): Corner[] =>
  (z.polygon as number[][]).map(([x, y]) => [x ?? 0, y ?? 0] as Corner);

/** A rectangle in the middle, moved aside from those that lie there. */
export function freshZone(zones: readonly Zone[], kind: Kind): Zone {
  const by = (zones.length % 5) * 0.04;
  const [l, t, r, b] = [0.3 + by, 0.3 + by, 0.6 + by, 0.7 + by];
  return {
    kind,
    polygon: (
      [
        [l, t],
        [r, t],
        [r, b],
        [l, b],
      ] as Corner[]
    ).map(([x, y]) => [round(x), round(y)]),
  };
}

export const moveCorner = (corners: readonly Corner[], i: number, x: number, y: number): Corner[] =>
  corners.map((c, n) => (n === i ? [round(x), round(y)] : c));

/** All corners together, as far as the picture reaches. */
export function moveAll(corners: readonly Corner[], dx: number, dy: number): Corner[] {
  const xs = corners.map((c) => c[0]);
  const ys = corners.map((c) => c[1]);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return corners.map((c) => [round(c[0] + x), round(c[1] + y)]);
}

/** A new corner in the middle behind corner i. */
export function splitEdge(corners: readonly Corner[], i: number): Corner[] {
  const a = corners[i];
  const b = corners[(i + 1) % corners.length];
  if (!a || !b || corners.length >= MOST_CORNERS) return [...corners];
  const middle: Corner = [round((a[0] + b[0]) / 2), round((a[1] + b[1]) / 2)];
  return [...corners.slice(0, i + 1), middle, ...corners.slice(i + 1)];
}

/** Without a corner, while three are left. */
export const dropCorner = (corners: readonly Corner[], i: number): Corner[] =>
  corners.length <= 3 ? [...corners] : corners.filter((_, n) => n !== i);

const steps: Record<string, Corner> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** How far an arrow key moves; null for every other key. */
export function stepOf(key: string, far: boolean): Corner | null {
  const step = steps[key];
  const by = far ? 0.05 : 0.005;
  return step ? [step[0] * by, step[1] * by] : null;
}

export const sameZones = (a: readonly Zone[], b: readonly Zone[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
