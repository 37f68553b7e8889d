// The drawing of each state, shared by the symbols in text and the tiles on the
// wall. Coordinates are on a field of 16 by 16.
import type { Family } from '../live/status';

export type Mark = { d: string; mode: 'stroke' | 'fill' | 'cut'; width?: number; dash?: [number, number] };

const circle = (r: number) => `M${8 - r} 8a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;

export const SHAPES: Record<Family, Mark[]> = {
  available: [{ d: circle(5.5), mode: 'stroke', width: 1.75 }],
  preparing: [
    { d: circle(5.5), mode: 'stroke', width: 1.75 },
    { d: 'M8 2.5a5.5 5.5 0 0 0 0 11z', mode: 'fill' },
  ],
  charging: [
    { d: circle(6.75), mode: 'fill' },
    { d: 'M9.2 3.4 5.1 8.9h2.5l-.7 3.9 4.1-5.6H8.5z', mode: 'cut' },
  ],
  suspended: [
    { d: circle(6.75), mode: 'fill' },
    { d: 'M5.6 5h1.7v6H5.6zM8.7 5h1.7v6H8.7z', mode: 'cut' },
  ],
  reserved: [
    { d: circle(5.5), mode: 'stroke', width: 1.75 },
    { d: circle(2.2), mode: 'fill' },
  ],
  unavailable: [
    { d: circle(5.5), mode: 'stroke', width: 1.75 },
    { d: 'M4.8 8h6.4', mode: 'stroke', width: 1.75 },
  ],
  faulted: [{ d: 'M8 .9 15.1 8 8 15.1.9 8z', mode: 'fill' }],
  offline: [
    { d: 'M2.5 2.5h11v11h-11z', mode: 'stroke', width: 1.5 },
    { d: 'M2.8 8.8 8.8 2.8M2.8 13.2 13.2 2.8M7.2 13.2l6-6', mode: 'stroke', width: 1.1 },
  ],
  unknown: [{ d: 'M2.75 2.75h10.5v10.5H2.75z', mode: 'stroke', width: 1.75, dash: [1.75, 1.75] }],
};

export const colorOf = (family: Family): string => `var(--s-${family})`;
