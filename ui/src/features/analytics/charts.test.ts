import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../format/time';
import { niceTop, roundUp, ticksAlong, ticksUp } from './axis';
import { gridOf, meanOf } from './heatmap';
import { DOINGS } from './layers';
import { scaleOf } from './measure';
import { binsOf, joined, measured, sharesOf, stepFor } from './occupancy';
import { placeOf, stepsFor } from './quantiles';
import type { Point } from './shapes';
import { sorted } from './sites';
import { rowsOf } from './uptime';
import { weekdaysText } from './weekdays';

const point = (at: number, over: Partial<Point> = {}): Point => ({
  at: new Date(at).toISOString(),
  sites: 1,
  ports: 1,
  openSeconds: 0,
  occupiedPorts: null,
  occupiedSeconds: 0,
  chargingSeconds: 0,
  idleSeconds: 0,
  blockedSeconds: 0,
  reservedSeconds: 0,
  faultedSeconds: 0,
  unavailableSeconds: 0,
  unobservedSeconds: 0,
  freeSeconds: 0,
  allBusySeconds: 0,
  starts: 0,
  energyWh: null,
  peakW: null,
  ...over,
});

describe('an axis', () => {
  it('reaches a round number with at most four steps', () => {
    for (const v of [0.001, 0.07, 0.33, 0.8, 1, 3, 17, 99, 101, 586_000]) {
      const axis = niceTop(v);
      expect(axis.top).toBeGreaterThanOrEqual(v);
      expect(axis.top / axis.step).toBeLessThanOrEqual(4.000_001);
      expect(ticksUp(axis).at(-1)).toBeCloseTo(axis.top, 9);
    }
    expect(niceTop(0).top).toBe(1);
    expect([0, 0.45, 0.8, 1.19, 9.1, 100].map(roundUp)).toEqual([1, 0.5, 0.8, 1.2, 10, 100]);
  });

  it('has its ticks at midnights of the zone, weeks on Mondays', () => {
    const from = Date.parse('2026-09-28T22:00:00Z');
    const at = ticksAlong(from, from + 56 * DAY, 'Europe/Berlin', 12).map((t) =>
      new Date(t.at).toISOString(),
    );
    expect(at[0]).toBe('2026-10-04T22:00:00.000Z');
    // After the clocks went back midnight is an hour later in UTC.
    expect(at).toContain('2026-10-25T23:00:00.000Z');
    expect(at.length).toBe(8);
  });

  it('has months over a year and hours within a day', () => {
    const from = Date.parse('2026-01-01T00:00:00Z');
    expect(ticksAlong(from, from + 365 * DAY, 'UTC', 13).every((t) => t.kind === 'month')).toBe(true);
    expect(ticksAlong(from, from + DAY, 'UTC', 9).map((t) => (t.at - from) / HOUR)).toEqual([
      0, 3, 6, 9, 12, 15, 18, 21, 24,
    ]);
  });
});

describe('what ports did', () => {
  const t0 = Date.parse('2026-09-01T00:00:00Z');
  it('is shares of all their time, which with the free part are one', () => {
    const shares = sharesOf([
      point(t0, {
        occupiedSeconds: 30,
        chargingSeconds: 20,
        idleSeconds: 10,
        freeSeconds: 50,
        faultedSeconds: 20,
      }),
    ])!;
    expect(shares[DOINGS.indexOf('charging')]).toBeCloseTo(0.2);
    expect(shares[DOINGS.indexOf('faulted')]).toBeCloseTo(0.2);
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(0.5);
  });

  it('is not known where there were no ports or nobody saw them', () => {
    expect(sharesOf([point(t0)])).toBeNull();
    const s = { from: t0, to: t0 + HOUR, points: [point(t0, { unobservedSeconds: 3600 })] };
    expect(measured('starts', s)).toBeNull();
    expect(binsOf('occupied', [s], () => '')[0]!.parts).toEqual([0, 0, 0, 0, 0, 0, 1]);
  });

  it('has energy only where something tells of it', () => {
    const s = (energyWh: number | null) => ({
      from: t0,
      to: t0 + HOUR,
      points: [point(t0, { freeSeconds: 3600, energyWh })],
    });
    expect(measured('energy', s(null))).toBeNull();
    expect(measured('energy', s(0))).toBe(0);
  });

  it('counts its share of operative time without what was broken or unseen', () => {
    const points = [
      point(t0, { occupiedSeconds: 600, freeSeconds: 600, faultedSeconds: 1200, unobservedSeconds: 1200 }),
    ];
    expect(measured('occupied', { from: t0, to: t0 + HOUR, points })).toBeCloseTo(0.5);
  });

  it('has no port free as a share of the time in which any was fit to serve', () => {
    const at = (openSeconds: number) => ({
      from: t0,
      to: t0 + HOUR,
      points: [point(t0, { freeSeconds: 3600, allBusySeconds: 900, openSeconds })],
    });
    expect(measured('allBusy', at(1800))).toBeCloseTo(0.5);
    expect(measured('allBusy', at(0))).toBeNull();
  });

  it('is joined to weeks over years, and a hole stays a hole', () => {
    const days = Array.from({ length: 420 }, (_, i) => point(t0 + i * DAY, { freeSeconds: 1 }));
    const weeks = joined(days, '1d', t0 + 420 * DAY);
    expect(weeks.length).toBe(60);
    expect(weeks[1]!.from).toBe(weeks[0]!.to);
    const gap = joined([days[0]!, days[9]!], '1d', t0 + 30 * DAY);
    expect(gap[0]!.to).toBe(t0 + DAY);
  });

  it('is asked for in steps that a stretch has room for', () =>
    expect([DAY, 7 * DAY, 56 * DAY].map(stepFor)).toEqual(['15m', '1h', '1d']));
});

describe('hours by weekdays', () => {
  it('stand in their cells; the mean leaves out what nobody saw', () => {
    const cells = [
      { weekday: 1, hour: 0, value: 0.2, weeks: 1 },
      { weekday: 1, hour: 1, value: 0.6, weeks: 3 },
      { weekday: 1, hour: 2, value: null, weeks: 0 },
      { weekday: 9, hour: 2, value: 1, weeks: 1 },
    ];
    const grid = gridOf(cells);
    expect(grid[0]![1]!.value).toBe(0.6);
    expect(grid.flat().filter(Boolean).length).toBe(3);
    expect(meanOf(grid[0]!)).toBeCloseTo(0.5);
    expect(meanOf(grid[1]!)).toBeNull();
  });

  it('are named as people name them', () => {
    expect(weekdaysText('en', [1, 2, 3, 4, 5])).toBe('Mon–Fri');
    expect(weekdaysText('de', [6, 7])).toBe('Sa, So');
    expect(weekdaysText('en', [4, 1, 3])).toBe('Mon, Wed, Thu');
  });
});

describe('times on an axis of steps', () => {
  const spread = { p10: 1000, p25: 2000, p50: 4000, p75: 10_000, p90: 30_000 };
  it('reaches around all of them', () => {
    const steps = stepsFor([spread]);
    expect(steps[0]).toBeLessThanOrEqual(1000);
    expect(steps.at(-1)).toBeGreaterThanOrEqual(30_000);
  });

  it('rise from its begin to its end', () => {
    const steps = stepsFor([spread]);
    const at = Object.values(spread).map((s) => placeOf(s, steps));
    expect([...at].sort((a, b) => a - b)).toEqual(at);
    expect(placeOf(steps[0]! / 2, steps)).toBe(0);
    expect(placeOf(1e9, steps)).toBe(1);
  });

  it('below a minute and above a week still stand on it', () => {
    const steps = stepsFor([{ p10: 5, p25: 9, p50: 20, p75: 40, p90: 1e7 }]);
    expect(placeOf(5, steps)).toBe(0);
    expect(placeOf(1e7, steps)).toBe(1);
  });
});

describe('figures', () => {
  it('are written in one unit on an axis', () => {
    expect(scaleOf('en', 'occupied', 0.8).show(0.256)).toBe('26 %');
    expect(scaleOf('en', 'energy', 2_500_000).show(500_000)).toBe('0.5 MWh');
    expect(scaleOf('de', 'starts', 1.5).show(0.25)).toBe('0,25');
  });

  it('of sites come most first, unknown last', () => {
    const site = (name: string, peakW: number | null) =>
      ({ site: name, name, peakW }) as Parameters<typeof sorted>[0][number];
    const sites = [site('B', null), site('C', 1), site('A', 2)];
    expect(sorted(sites, 'peak', 'en').map((s) => s.name)).toEqual(['A', 'C', 'B']);
    expect(sorted(sites, 'name', 'en').map((s) => s.name)).toEqual(['A', 'B', 'C']);
  });

  it('of availability come worst first, the stations of one site below it', () => {
    const up = (availability: number | null) => ({
      ports: 1,
      availability,
      withoutPlanned: null,
      observedShare: 1,
      failures: 0,
      mtbfSeconds: null,
      mttrSeconds: null,
    });
    const a = {
      site: 'a',
      name: 'A',
      ...up(0.99),
      stations: [
        { station: '1', name: '', ...up(null) },
        { station: '2', name: 'Two', ...up(0.5) },
      ],
    };
    expect(rowsOf([a]).map((r) => r.name)).toEqual(['A', 'Two', '1']);
    expect(rowsOf([a, { ...a, site: 'b', name: 'B', ...up(0.9) }]).map((r) => r.name)).toEqual(['B', 'A']);
  });
});
