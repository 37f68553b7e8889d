import { describe, expect, it } from 'vitest';
import { perMinute, slowValues } from './speed';

describe('energy per minute', () => {
  it('is a sixtieth of the power', () => {
    expect(perMinute('en-GB', 150_000)).toEqual({ value: '2.50', unit: 'kWh/min' });
    expect(perMinute('en-GB', 11_000).value).toBe('0.18');
    expect(perMinute('de-DE', 1_230_000).value).toBe('20,5');
    expect(perMinute('en-GB', 60_000_000).value).toBe('1,000');
  });
  it('tells nothing from not known', () => {
    expect(perMinute('en-GB', 0).value).toBe('0');
    expect(perMinute('en-GB', null).value).toBe('–');
    expect(perMinute('en-GB', Number.NaN).value).toBe('–');
  });
});

it('tells how much slower a port is than it could be', () => {
  expect(slowValues('en-GB', { powerW: 22_300, couldW: 150_000 })).toEqual({ now: '22', could: '150' });
  expect(slowValues('en-GB', { powerW: 1234, couldW: 22_000 })).toEqual({ now: '1.2', could: '22' });
});
