import { describe, expect, it } from 'vitest';
import { fromClock, toClock } from './zoned';

const iso = (at: number) => new Date(at).toISOString().slice(0, 16);

describe('a time of day typed in a zone', () => {
  const cases: [string, string, string, string][] = [
    ['winter in Berlin', '2026-01-10T12:00', 'Europe/Berlin', '2026-01-10T11:00'],
    ['summer in Berlin', '2026-07-10T12:00', 'Europe/Berlin', '2026-07-10T10:00'],
    ['an hour that comes twice is its first', '2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30'],
    ['an hour that does not exist moves on', '2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30'],
    ['just before clocks change', '2026-03-29T01:59', 'Europe/Berlin', '2026-03-29T00:59'],
    ['UTC', '2026-07-10T12:00', 'UTC', '2026-07-10T12:00'],
    ['half hours', '2026-07-10T12:00', 'Asia/Kolkata', '2026-07-10T06:30'],
    ['the other side of the date line', '2026-07-10T01:00', 'Pacific/Auckland', '2026-07-09T13:00'],
  ];
  for (const [name, text, zone, want] of cases) {
    it(name, () => expect(iso(fromClock(text, zone))).toBe(want));
  }

  it('is no time when it is not whole', () => expect(fromClock('2026-07-10', 'UTC')).toBeNaN());

  it('comes back as it was typed', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC']) {
      expect(toClock(fromClock('2026-11-22T14:05', zone), zone)).toBe('2026-11-22T14:05');
    }
  });

  it('takes a zone nobody knows for our own', () =>
    expect(fromClock('2026-07-10T12:00', 'Mars/Olympus')).toBe(fromClock('2026-07-10T12:00', undefined)));
});
