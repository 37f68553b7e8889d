// Figures for people: at most three significant digits where a person glances,
// the unit apart from the number so that it can stand smaller.
export type Quantity = { value: string; unit: string };

export const NONE = '–';

const formatters = new Map<string, Intl.NumberFormat>();

function number(locale: string, value: number, digits: number): string {
  const key = `${locale}/${digits}`;
  let f = formatters.get(key);
  if (!f) {
    f = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formatters.set(key, f);
  }
  // Never "-0".
  return f.format(value === 0 ? 0 : value);
}

function three(locale: string, value: number): string {
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  const rounded = size >= 999.5 ? Number(value.toPrecision(3)) : value;
  return number(locale, rounded, digits);
}

function scaled(locale: string, value: number | null | undefined, units: [number, string][]): Quantity {
  if (value === null || value === undefined || !Number.isFinite(value))
    return { value: NONE, unit: units[0]![1] };
  if (value === 0) return { value: '0', unit: units[0]![1] };
  let chosen = units[0]!;
  // 999.6 kW reads "1.00 MW", not "1,000 kW".
  for (const u of units) if (Math.abs(value) / u[0] >= 0.9995) chosen = u;
  return { value: three(locale, value / chosen[0]), unit: chosen[1] };
}

export const power = (locale: string, watts: number | null | undefined): Quantity =>
  scaled(locale, watts, [
    [1e3, 'kW'],
    [1e6, 'MW'],
    [1e9, 'GW'],
  ]);

/** Power in kW with one digit, so that a column of ports lines up. */
export const kilowatts = (locale: string, watts: number): string => number(locale, watts / 1000, 1);

/** A rated power as people say it: 22 kW, 11 kW, 3.7 kW. */
export const rated = (locale: string, watts: number): string =>
  number(locale, watts / 1000, Number.isInteger(Math.round(watts / 100) / 10) ? 0 : 1);

export const energy = (locale: string, wattHours: number | null | undefined): Quantity =>
  scaled(locale, wattHours, [
    [1e3, 'kWh'],
    [1e6, 'MWh'],
    [1e9, 'GWh'],
  ]);

/** Energy of one session: kWh with two digits, as on a bill. */
export const sessionEnergy = (locale: string, wattHours: number | null | undefined): Quantity =>
  wattHours === null || wattHours === undefined
    ? { value: NONE, unit: 'kWh' }
    : { value: number(locale, wattHours / 1000, wattHours >= 1e6 ? 0 : 2), unit: 'kWh' };

export const count = (locale: string, n: number): string => number(locale, n, 0);

export const bytes = (locale: string, n: number): string =>
  n < 1000 ? `${number(locale, n, 0)} B` : `${number(locale, n / 1000, 1)} kB`;

/** What is kept on a disk: three digits. */
export const storage = (locale: string, n: number | null | undefined): Quantity =>
  scaled(locale, n, [
    [1e3, 'kB'],
    [1e6, 'MB'],
    [1e9, 'GB'],
    [1e12, 'TB'],
  ]);

export const text = (q: Quantity): string => `${q.value} ${q.unit}`;

/** Milliseconds as an operator reads them: two digits that mean something. */
export function milliseconds(locale: string, seconds: number): string {
  const ms = seconds * 1000;
  return new Intl.NumberFormat(locale, { maximumFractionDigits: ms < 1 ? 2 : ms < 10 ? 1 : 0 }).format(ms);
}
