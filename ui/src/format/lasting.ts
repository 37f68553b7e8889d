// Times that are figures: three significant digits in the unit that fits.
import { NONE, type Quantity } from './quantity';

const UNITS: [number, string][] = [
  [1, 's'],
  [60, 'min'],
  [3600, 'h'],
  [86_400, 'd'],
];

export function lasting(tag: string, seconds: number | null | undefined): Quantity {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds))
    return { value: NONE, unit: '' };
  let [size, unit] = UNITS[0]!;
  // Two of a unit before it is used: "90 min" says more than "1.5 h".
  for (const [s, u] of UNITS) if (seconds >= 2 * s) [size, unit] = [s, u];
  const n = seconds / size;
  const digits = size === 1 || n >= 99.5 ? 0 : n >= 9.95 ? 1 : 2;
  const shown = n >= 999.5 ? Number(n.toPrecision(3)) : n;
  return {
    value: new Intl.NumberFormat(tag, {
      minimumFractionDigits: 0,
      maximumFractionDigits: unit === 'min' ? Math.min(digits, 1) : digits,
    }).format(shown),
    unit,
  };
}

export function percent(tag: string, share: number | null | undefined): Quantity {
  if (share === null || share === undefined) return { value: NONE, unit: '' };
  // All but one is not all.
  const n = share * 100;
  const shown = n > 99 && n < 100 ? 99 : n > 0 && n < 1 ? 1 : Math.round(n);
  return { value: new Intl.NumberFormat(tag).format(shown), unit: '%' };
}
