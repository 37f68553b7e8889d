// Where stations stand on a plan: parts of its width and height. Pure, so that
// dragging and arrow keys agree.
import type { Pin } from '../../api/shapes';

const clamp = (v: number): number => Math.min(1, Math.max(0, v));
/** A thousandth of the plan: finer than anybody sees, and short to store. */
const round = (v: number): number => Math.round(clamp(v) * 1000) / 1000;

export function placePin(pins: readonly Pin[], station: string, x: number, y: number): Pin[] {
  const at = { station, x: round(x), y: round(y) };
  return pins.some((p) => p.station === station)
    ? pins.map((p) => (p.station === station ? at : p))
    : [...pins, at];
}

export const dropPin = (pins: readonly Pin[], station: string): Pin[] =>
  pins.filter((p) => p.station !== station);

const steps: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** What an arrow key does to a pin; null for every other key. */
export function stepPin(pins: readonly Pin[], station: string, key: string, far: boolean): Pin[] | null {
  const step = steps[key];
  const pin = pins.find((p) => p.station === station);
  if (!step || !pin) return null;
  const by = far ? 0.05 : 0.005;
  return placePin(pins, station, pin.x + step[0] * by, pin.y + step[1] * by);
}

/** A free place for a pin that comes from the list: the middle, beside those that stand there. */
export function freePlace(pins: readonly Pin[]): { x: number; y: number } {
  for (let ring = 0; ring < 12; ring++) {
    for (let k = 0; k < Math.max(1, ring * 6); k++) {
      const angle = (k / Math.max(1, ring * 6)) * 2 * Math.PI;
      const x = 0.5 + Math.cos(angle) * ring * 0.06;
      const y = 0.5 + Math.sin(angle) * ring * 0.06;
      if (x < 0 || x > 1 || y < 0 || y > 1) continue;
      if (pins.every((p) => Math.hypot(p.x - x, p.y - y) > 0.05)) return { x: round(x), y: round(y) };
    }
  }
  return { x: 0.5, y: 0.5 };
}

export const samePins = (a: readonly Pin[], b: readonly Pin[]): boolean => {
  const text = (pins: readonly Pin[]) =>
    pins
      .map((p) => `${p.station} ${p.x} ${p.y}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
};
