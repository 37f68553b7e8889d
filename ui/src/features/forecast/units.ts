// The figures of a target as people read them: ports as they are, energy and
// power in kilo.
import type { Target } from './search';

export const SCALE: Record<Target, number> = { occupied: 1, energy: 1e-3, power: 1e-3 };

/** A figure without its unit, as exact as its size deserves. */
export function plain(tag: string, v: number): string {
  const digits = Math.abs(v) >= 99.5 ? 0 : 1;
  return new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    v === 0 ? 0 : v,
  );
}

/** How the chance of a free port is said. */
export type Chance = 'sure' | 'likely' | 'perhaps' | 'unlikely';

export const chanceOf = (p: number): Chance =>
  p >= 0.9 ? 'sure' : p >= 0.65 ? 'likely' : p >= 0.35 ? 'perhaps' : 'unlikely';

/** A share between 0 and 1 in whole percents; what is not certain never reads so. */
export function percent(tag: string, p: number): string {
  const shown = p < 1 ? Math.min(p, 0.99) : 1;
  return new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }).format(shown);
}
