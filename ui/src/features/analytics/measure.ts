// How the values of a measure are written: one unit and as many digits for all
// that stand on one axis.
import type { Measure } from './search';

export type Scale = { unit: string; show: (value: number) => string; bare: (value: number) => string };

function written(tag: string, digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(tag, { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

const digitsFor = (top: number): number => (top >= 20 ? 0 : top >= 2 ? 1 : 2);

export function shareScale(tag: string, top = 1): Scale {
  const f = written(tag, top >= 0.2 ? 0 : 1);
  const bare = (v: number) => f.format(v * 100);
  return { unit: '%', bare, show: (v) => `${bare(v)} %` };
}

function sized(tag: string, top: number, units: readonly [number, string][]): Scale {
  let [size, unit] = units[0]!;
  for (const [s, u] of units) if (top >= s) [size, unit] = [s, u];
  const f = written(tag, digitsFor(top / size));
  const bare = (v: number) => f.format(v / size);
  return { unit, bare, show: (v) => `${bare(v)} ${unit}` };
}

export const energyScale = (tag: string, topWh: number): Scale =>
  sized(tag, topWh, [
    [1e3, 'kWh'],
    [1e6, 'MWh'],
    [1e9, 'GWh'],
  ]);

export const powerScale = (tag: string, topW: number): Scale =>
  sized(tag, topW, [
    [1e3, 'kW'],
    [1e6, 'MW'],
  ]);

export function countScale(tag: string, top: number): Scale {
  const f = written(tag, digitsFor(top));
  const show = (v: number) => f.format(v);
  return { unit: '', bare: show, show };
}

export function scaleOf(tag: string, measure: Measure, top: number): Scale {
  if (measure === 'energy') return energyScale(tag, top);
  if (measure === 'starts') return countScale(tag, top);
  return shareScale(tag, top);
}
