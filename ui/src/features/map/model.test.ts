import { describe, expect, it } from 'vitest';
import { FAMILIES, type Family } from '../../live/status';
import { noTally, type Tally } from '../../live/tally';
import {
  atSpot,
  clusters,
  fitView,
  type Place,
  positionOf,
  RING,
  ringShares,
  siteState,
  spotOf,
} from './model';
import { atText, parseAt, parseMap } from './search';

function tally(counts: Partial<Record<Family, number>>, free = counts.available ?? 0): Tally {
  const t = noTally();
  for (const [f, n] of Object.entries(counts)) {
    t.counts[FAMILIES.indexOf(f as Family)] = n;
    t.total += n;
  }
  return { ...t, free };
}

const place = (id: string, lat: number, lon: number): Place => ({
  id,
  name: id,
  lat,
  lon,
  state: 'available',
  tally: tally({ available: 1 }),
});

describe('the state of a site', () => {
  it('is its trouble first, then what a driver can expect', () => {
    expect(siteState(tally({ faulted: 1, available: 9 }))).toBe('faulted');
    expect(siteState(tally({ offline: 1, available: 9 }))).toBe('offline');
    expect(siteState(tally({ charging: 3, available: 1 }))).toBe('available');
    expect(siteState(tally({ charging: 1, suspended: 3 }))).toBe('suspended');
    expect(siteState(tally({ unavailable: 2 }))).toBe('unavailable');
    expect(siteState(tally({ available: 2 }, 0))).toBe('unknown');
    expect(siteState(noTally())).toBe('unknown');
  });

  it('fills a ring', () => {
    const shares = ringShares([tally({ faulted: 1, charging: 1 }), tally({ suspended: 1, available: 1 })]);
    expect(Object.fromEntries(RING.map((f, i) => [f, shares[i]]))).toEqual({
      faulted: 0.25,
      offline: 0,
      unavailable: 0,
      charging: 0.5,
      available: 0.25,
    });
    expect(ringShares([noTally()])).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('positions', () => {
  it('that cannot be are none', () => {
    expect(positionOf({ latitude: 53.5, longitude: 10 })).toEqual({ lat: 53.5, lon: 10 });
    for (const [latitude, longitude] of [
      [null, null],
      [91, 0],
      [0, 181],
      [Number.NaN, 0],
      [Number.POSITIVE_INFINITY, 0],
    ] as [number | null, number | null][]) {
      expect(positionOf({ latitude, longitude })).toBeNull();
    }
  });

  it('come back from the square they are drawn on', () => {
    for (const [lat, lon] of [
      [0, 0],
      [53.5, 10],
      [-33.9, 151.2],
      [85, -179.9],
    ] as [number, number][]) {
      const back = atSpot(spotOf(lat, lon));
      expect(back.lat).toBeCloseTo(lat, 6);
      expect(back.lon).toBeCloseTo(lon, 6);
    }
    expect(spotOf(90, 0).y).toBeGreaterThanOrEqual(0);
  });
});

describe('rings', () => {
  const near = [place('b', 53.55, 10), place('a', 53.551, 10.001), place('c', 48.1, 11.6)];

  it('join what is close and part as one comes nearer', () => {
    expect(clusters(near, 4).map((c) => c.places.length)).toEqual([2, 1]);
    expect(clusters(near, 17)).toHaveLength(3);
  });

  it('are the same whatever the order', () => {
    const keys = (p: Place[]) => clusters(p, 4).map((c) => c.key);
    expect(keys([...near].reverse())).toEqual(keys(near));
  });

  it('are found among thousands', () => {
    const many = Array.from({ length: 5000 }, (_, i) =>
      place(`s${i}`, 47 + ((i * 7) % 800) / 100, 6 + ((i * 13) % 900) / 100),
    );
    const found = clusters(many, 6);
    expect(found.reduce((n, c) => n + c.places.length, 0)).toBe(5000);
    expect(found.length).toBeLessThan(400);
  });
});

describe('the view', () => {
  it('shows all places', () => {
    const v = fitView([place('a', 48, 9), place('b', 54, 14)], 1000, 700);
    const scale = 512 * 2 ** v.zoom;
    const c = spotOf(v.lat, v.lon);
    for (const [lat, lon] of [
      [48, 9],
      [54, 14],
    ] as [number, number][]) {
      const s = spotOf(lat, lon);
      expect(Math.abs(s.x - c.x) * scale).toBeLessThan(500);
      expect(Math.abs(s.y - c.y) * scale).toBeLessThan(350);
    }
    expect(fitView([], 1000, 700).zoom).toBeLessThan(2);
    expect(fitView([place('a', 48, 9)], 1000, 700).zoom).toBe(12);
  });

  it('is in the address, and nothing else is taken for one', () => {
    expect(parseAt(atText({ lat: 53.5428, lon: 9.993, zoom: 12.34 }))).toEqual({
      lat: 53.5428,
      lon: 9.993,
      zoom: 12.3,
    });
    for (const bad of ['', '1,2', '1,2,3,4', '91,0,3', 'a,b,c', '0,0,99', 5, null])
      expect(parseAt(bad)).toBeUndefined();
    expect(parseMap({ at: '1,2,3', state: 'offline,faulted,suspended,x' })).toEqual({
      at: '1,2,3',
      state: 'faulted,offline',
    });
    expect(parseMap({ at: 'x', state: 3 })).toEqual({ at: undefined, state: undefined });
  });
});
