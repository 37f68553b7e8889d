import { describe, expect, it } from 'vitest';
import type { Site } from '../../api/shapes';
import { FAMILIES } from '../../live/status';
import { noTally } from '../../live/tally';
import { selectSites, siteRow } from './rows';
import { parseSites } from './search';

const site = (id: string, more: Partial<Site> = {}): Site => ({
  id,
  name: `Site ${id}`,
  address: '',
  latitude: null,
  longitude: null,
  timeZone: '',
  openingHours: '',
  gridLimitW: 0,
  freeVend: false,
  stationLists: false,
  upstream: '',
  observers: [],
  public: false,
  publicName: '',
  notices: [],
  stations: 1,
  ports: { total: 4, free: 2, faulted: 1, offline: 0, byPowerClass: [] },
  powerW: 10_000,
  sessions: 1,
  ...more,
});

describe('rows of sites', () => {
  it('shows what the wall shows, and what the server said until then', () => {
    const tally = { ...noTally(), total: 5, free: 3, powerW: 22_000 };
    tally.counts[FAMILIES.indexOf('offline')] = 2;
    const live = siteRow(site('a', { gridLimitW: 44_000 }), tally, 0);
    expect(live).toMatchObject({ total: 5, free: 3, faulted: 0, offline: 2, powerW: 22_000, load: 0.5 });
    expect(siteRow(site('a'), undefined, 0)).toMatchObject({ total: 4, free: 2, faulted: 1, load: null });
  });

  it('counts notices that still hold', () => {
    const notices = [
      { text: 'x', until: '2026-01-01T00:00:00Z' },
      { text: 'y', until: null },
    ];
    expect(siteRow(site('a', { notices }), undefined, Date.parse('2026-02-01T00:00:00Z')).notices).toBe(1);
  });

  it('finds by every word, and sorts by what is asked for', () => {
    const rows = ['b', 'a', 'c'].map((id, i) =>
      siteRow(site(id, { powerW: i * 1000, address: id === 'c' ? 'Harbour' : '' }), undefined, 0),
    );
    const ids = (s: Parameters<typeof selectSites>[1], only?: string) =>
      selectSites(rows, s, only).map((r) => r.id);
    expect(ids({})).toEqual(['a', 'b', 'c']);
    expect(ids({ sort: 'power' })).toEqual(['c', 'a', 'b']);
    expect(ids({ q: 'site harb' })).toEqual(['c']);
    expect(ids({}, 'b')).toEqual(['b']);
  });

  it('takes from the address what it knows', () => {
    expect(parseSites({ q: 12, sort: 'load' })).toEqual({ q: '12', sort: undefined });
    expect(parseSites({ q: '', sort: 'offline' })).toEqual({ q: undefined, sort: 'offline' });
    expect(parseSites({ sort: 'name' })).toEqual({ q: undefined, sort: undefined });
  });
});
