// What of the forecast stands in the address: of what it is. The site is that of
// all pages.
export const TARGETS = ['occupied', 'energy', 'power'] as const;
export type Target = (typeof TARGETS)[number];

export type ForecastSearch = { target?: Exclude<Target, 'occupied'> };

export function parseForecast(s: Record<string, unknown>): ForecastSearch {
  return {
    target: TARGETS.find((x): x is Exclude<Target, 'occupied'> => x !== 'occupied' && x === s.target),
  };
}
