// The power of a site or of the network as lines to draw. A step that the
// server left out is a gap: nobody knows what was drawn, which is not nothing.
import type { Power } from '../api/shapes';

export type PowerLine = { at: number[]; value: (number | null)[] };

/** Seconds and watts, shifted in time; `which` is the mean or the greatest within a step. */
export function powerLine(
  power: Power | undefined,
  shiftSeconds = 0,
  which: 'mean' | 'max' = 'mean',
): PowerLine {
  const line: PowerLine = { at: [], value: [] };
  if (!power) return line;
  const step = power.stepSeconds;
  let before = Number.NEGATIVE_INFINITY;
  for (const p of power.points) {
    const at = Date.parse(String(p[0])) / 1000;
    const value = which === 'mean' ? p[2] : p[3];
    if (!Number.isFinite(at) || typeof value !== 'number') continue;
    if (at - before > 1.5 * step && line.at.length > 0) {
      line.at.push(before + step + shiftSeconds);
      line.value.push(null);
    }
    line.at.push(at + shiftSeconds);
    line.value.push(value);
    before = at;
  }
  return line;
}

/** The greatest mean of a step since a moment. */
export function peakSince(line: PowerLine, since: number): { at: number; value: number } | null {
  let best: { at: number; value: number } | null = null;
  line.at.forEach((at, i) => {
    const value = line.value[i];
    if (at >= since && value !== null && value !== undefined && (!best || value > best.value))
      best = { at, value };
  });
  return best;
}

/** The value at a moment, null in a gap and outside. */
export function valueAt(line: PowerLine, at: number, step: number): number | null {
  let low = 0;
  let high = line.at.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (line.at[mid]! <= at) low = mid;
    else high = mid - 1;
  }
  const from = line.at[low];
  return from !== undefined && from <= at && at < from + step ? (line.value[low] ?? null) : null;
}

/** The unit in which all of a chart's values are written. */
export function unitFor(watts: number): { unit: 'kW' | 'MW'; scale: number } {
  return watts >= 2e6 ? { unit: 'MW', scale: 1e-6 } : { unit: 'kW', scale: 1e-3 };
}

export const scaledLine = (line: PowerLine, scale: number): PowerLine => ({
  at: line.at,
  value: line.value.map((v) => (v === null ? null : v * scale)),
});
