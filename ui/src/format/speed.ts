// How fast cars get their energy: the same in words and figures on every page.
// Whether a port is slow the server decides (field `slow` of a port, the list in
// /attention); here it is only told.
import { kilowatts, NONE, type Quantity, rated } from './quantity';

/** What a minute of this power delivers: kWh per minute, at most three digits. */
export function perMinute(locale: string, watts: number | null | undefined): Quantity {
  const unit = 'kWh/min';
  if (watts === null || watts === undefined || !Number.isFinite(watts)) return { value: NONE, unit };
  const kwh = watts / 60_000;
  const digits = kwh === 0 ? 0 : kwh < 9.995 ? 2 : kwh < 99.95 ? 1 : 0;
  return {
    value: new Intl.NumberFormat(locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(kwh),
    unit,
  };
}

export type Slow = { powerW: number; couldW: number };

/** "22 of 150 kW", for the words speed.slow of the shell. */
export const slowValues = (locale: string, slow: Slow): { now: string; could: string } => ({
  now:
    slow.powerW >= 9_950
      ? rated(locale, Math.round(slow.powerW / 1000) * 1000)
      : kilowatts(locale, slow.powerW),
  could: rated(locale, slow.couldW),
});
