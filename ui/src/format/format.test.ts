import { describe, expect, it } from 'vitest';
import { energy, kilowatts, power, rated, sessionEnergy, text } from './quantity';
import { type AgeWords, age, clock, dayTime, exact, span, zoneName } from './time';

describe('quantities', () => {
  const powers: [number | null, string][] = [
    [0, '0 kW'],
    [850, '0.85 kW'],
    [7400, '7.40 kW'],
    [48_200, '48.2 kW'],
    [148_600, '149 kW'],
    [999_400, '999 kW'],
    [999_600, '1.00 MW'],
    [4_830_000, '4.83 MW'],
    [123_456_789, '123 MW'],
    [null, '– kW'],
    [Number.NaN, '– kW'],
  ];
  for (const [w, want] of powers) {
    it(`says ${w} W as ${want}`, () => expect(text(power('en-GB', w))).toBe(want));
  }

  it('never shows more than three digits on a tile', () => {
    for (let w = 1; w < 9e11; w *= 1.37) {
      const digits = power('en-GB', w).value.replace(/\D/g, '').replace(/^0+/, '');
      expect(digits.length, `${w} W`).toBeLessThanOrEqual(3);
    }
  });

  it('grows from kWh to GWh', () => {
    expect(text(energy('en-GB', 8_421_300))).toBe('8.42 MWh');
    expect(text(energy('en-GB', 2.5e9))).toBe('2.50 GWh');
  });

  it('speaks the language of the reader', () => {
    expect(text(power('de-DE', 48_200))).toBe('48,2 kW');
    expect(kilowatts('de-DE', 48_250)).toBe('48,3');
  });

  it('writes a rating as people say it', () => {
    expect(rated('en-GB', 22_000)).toBe('22');
    expect(rated('en-GB', 3680)).toBe('3.7');
  });

  it('writes the energy of a session as on a bill', () => {
    expect(text(sessionEnergy('en-GB', 18_340))).toBe('18.34 kWh');
    expect(text(sessionEnergy('en-GB', null))).toBe('– kWh');
  });
});

describe('times', () => {
  const words: AgeWords = {
    now: 'just now',
    seconds: (n) => `${n} s ago`,
    minutes: (n) => `${n} min ago`,
    hours: (n) => `${n} h ago`,
  };
  const now = Date.UTC(2026, 10, 22, 13, 0, 0);
  const ages: [number, string][] = [
    [0, 'just now'],
    [-5000, 'just now'],
    [45_000, '45 s ago'],
    [4 * 60_000, '4 min ago'],
    [23 * 3_600_000, '23 h ago'],
  ];
  for (const [ms, want] of ages) {
    it(`calls ${ms} ms "${want}"`, () => expect(age('en-GB', words, now - ms, now)).toBe(want));
  }

  it('turns absolute after a day, in the zone asked for', () => {
    expect(age('en-GB', words, now - 26 * 3_600_000, now, 'Europe/Berlin')).toBe('21 Nov, 12:00');
  });

  it('calls a time that never was a dash', () => expect(age('en-GB', words, 0, now)).toBe('–'));

  it('names the zone with an exact time', () => {
    expect(exact('en-GB', now, 'Europe/Berlin')).toContain('14:00:00');
    expect(exact('en-GB', now, 'Europe/Berlin')).toContain(zoneName('en-GB', now, 'Europe/Berlin'));
  });

  it('falls back to the zone of the browser when a site names none that exists', () =>
    expect(clock('en-GB', now, 'Mars/Olympus')).toMatch(/^\d\d:\d\d:\d\d$/));

  it('counts 24 hours also where the language would say pm', () =>
    expect(clock('en-US', now, 'Europe/Berlin')).toBe('14:00:00'));

  it('keeps the hour that comes twice apart by its zone', () => {
    const before = Date.UTC(2026, 9, 25, 0, 30);
    const after = Date.UTC(2026, 9, 25, 1, 30);
    expect(dayTime('en-GB', before, 'Europe/Berlin')).toBe(dayTime('en-GB', after, 'Europe/Berlin'));
    expect(exact('en-GB', before, 'Europe/Berlin')).not.toBe(exact('en-GB', after, 'Europe/Berlin'));
  });

  const spans: [number, string][] = [
    [0, '0 s'],
    [38_000, '38 s'],
    [12 * 60_000, '12 min'],
    [64 * 60_000, '1 h 04 min'],
    [2 * 3_600_000, '2 h'],
    [50 * 3_600_000, '2 d 2 h'],
    [-1, '0 s'],
  ];
  for (const [ms, want] of spans) it(`spans ${ms} ms as ${want}`, () => expect(span(ms)).toBe(want));
});
