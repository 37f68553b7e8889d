// What the page asks of whatever draws the ground: MapLibre where the browser
// has WebGL, a plain canvas where it has not.
import type { Ground } from './ground';
import type { Spot } from './model';
import type { View } from './search';

export type Palette = { sea: string; land: string; border: string; town: string; halo: string };

export type Bounds = { west: number; south: number; east: number; north: number };

export type Sheet = {
  view: () => View;
  /** Goes there; not at once where motion is welcome. */
  go: (view: View) => void;
  /** Where a spot of the world lies, in pixels from the upper left. */
  pixel: (spot: Spot) => { x: number; y: number };
  bounds: () => Bounds;
  resize: () => void;
  paint: (palette: Palette) => void;
  destroy: () => void;
};

export type SheetOptions = {
  element: HTMLElement;
  view: View;
  ground: Ground;
  palette: Palette;
  label: string;
  still: boolean;
  moved: () => void;
  rested: () => void;
};

export function readPalette(el: Element): Palette {
  const style = getComputedStyle(el);
  const v = (name: string) => style.getPropertyValue(name).trim();
  return {
    sea: v('--map-sea'),
    land: v('--map-land'),
    border: v('--map-border'),
    town: v('--ink-2'),
    halo: v('--map-land'),
  };
}
