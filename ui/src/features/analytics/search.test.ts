import { describe, expect, it } from 'vitest';
import { daysOf, parsePatterns, stretchBefore, stretchOf } from './search';

const zone = 'Europe/Berlin';
const iso = (ms: number) => new Date(ms).toISOString();

describe('the address of the patterns', () => {
  it('keeps what it knows and drops the rest', () =>
    expect(
      parsePatterns({ sites: 'a,b,a', period: '13w', with: 'before', measure: 'energy', rate: '12.5', x: 1 }),
    ).toEqual({
      sites: 'a,b',
      period: '13w',
      days: undefined,
      with: 'before',
      measure: 'energy',
      rate: 12.5,
    }));

  it('takes nothing that is no such thing', () => {
    for (const s of [
      { sites: 'a', period: '9w', days: '2026-13-01..2026-13-02', measure: 'x', rate: -1 },
      { sites: 7, period: 8, days: '2026-02-02..2026-02-01', measure: {}, rate: 'NaN' },
      { days: '2026-01-01', rate: 1e9 },
      { days: '2020-01-01..2026-01-01' },
    ])
      expect(Object.values(parsePatterns(s)).filter((v) => v !== undefined)).toEqual([]);
  });

  it('has the days of a stretch, both ends included', () =>
    expect(daysOf('2026-09-01..2026-09-30')).toEqual({
      first: '2026-09-01',
      last: '2026-09-30',
      count: 30,
    }));
});

describe('a stretch of days', () => {
  it('begins at midnight of its zone and ends now', () => {
    const s = stretchOf({}, Date.parse('2026-11-23T09:41:00Z'), zone);
    expect([s.first, s.last]).toEqual(['2026-09-29', '2026-11-23']);
    // Summer time then, winter time now.
    expect([iso(s.from), iso(s.to)]).toEqual(['2026-09-28T22:00:00.000Z', '2026-11-23T09:30:00.000Z']);
  });

  it('of chosen days that are over ends with the last', () => {
    const s = stretchOf({ days: '2026-10-24..2026-10-25' }, Date.parse('2026-11-23T09:41:00Z'), zone);
    expect((s.to - s.from) / 3_600_000).toBe(49);
  });

  it('has another before it, of as many days', () => {
    const s = stretchOf({ days: '2026-10-01..2026-10-28' }, Date.parse('2026-11-23T09:41:00Z'), zone);
    const b = stretchBefore(s, zone);
    expect([b.first, b.last]).toEqual(['2026-09-03', '2026-09-30']);
    expect(b.to).toBe(s.from);
  });

  it('that is not over is held against as much of the one before', () => {
    const s = stretchOf({ period: '4w' }, Date.parse('2026-08-03T09:00:00Z'), zone);
    const b = stretchBefore(s, zone);
    expect(b.to - b.from).toBe(s.to - s.from);
  });
});
