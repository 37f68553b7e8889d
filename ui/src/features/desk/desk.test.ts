import { describe, expect, it } from 'vitest';
import type { Attempt, Evse, Site, StationDetail } from '../../api/shapes';
import { recentTokens } from './actions';
import { distanceKm, freePorts, nearestSites } from './near';
import { parseDesk, parsePort } from './search';
import { verdictOf } from './verdict';

const now = Date.UTC(2026, 10, 22, 12);
const minutes = (n: number) => new Date(now - n * 60_000).toISOString();
const tried = (ago: number, reason: Attempt['reason']): Attempt =>
  ({ at: minutes(ago + 1), endedAt: minutes(ago), failed: reason !== '', reason }) as Attempt;
const evse = (status: Evse['status'], powerW: number | null = null) => ({ status, powerW });

describe('what a caller is told', () => {
  const cases: [string, ReturnType<typeof verdictOf>, string, string][] = [
    [
      'offline comes before any state',
      verdictOf(evse('Available'), false, [], now),
      'station',
      'tell.offline',
    ],
    [
      'a fault comes before the last try',
      verdictOf(evse('Faulted'), true, [tried(1, 'tokenUnknown')], now),
      'station',
      'tell.faulted',
    ],
    ['charging is fine', verdictOf(evse('Charging', 48_000), true, [], now), 'nobody', 'tell.charging'],
    [
      'charging without a meter is fine too',
      verdictOf(evse('Charging'), true, [], now),
      'nobody',
      'tell.charging',
    ],
    [
      'charging with nothing is not',
      verdictOf(evse('Charging', 20), true, [], now),
      'unclear',
      'tell.chargingNothing',
    ],
    ['the car paused', verdictOf(evse('SuspendedEV'), true, [], now), 'driver', 'tell.suspendedEV'],
    [
      'a refused card a minute ago',
      verdictOf(evse('Preparing'), true, [tried(1, 'tokenBlocked')], now),
      'driver',
      'tell.tokenBlocked',
    ],
    [
      'a refused card yesterday says nothing',
      verdictOf(evse('Available'), true, [tried(1500, 'tokenBlocked')], now),
      'nobody',
      'tell.free',
    ],
    [
      'the station did not start',
      verdictOf(evse('Available'), true, [tried(2, 'notStarted')], now),
      'station',
      'tell.notStarted',
    ],
    ['plugged in, no card', verdictOf(evse('Preparing'), true, [], now), 'driver', 'tell.preparing'],
    ['free and good', verdictOf(evse('Available'), true, [tried(30, '')], now), 'nobody', 'tell.works'],
    [
      'the try that goes on hides none before it',
      verdictOf(evse('Preparing'), true, [{ ...tried(0, ''), endedAt: null }, tried(3, 'noToken')], now),
      'driver',
      'tell.noToken',
    ],
  ];
  for (const [name, got, whose, tell] of cases) it(name, () => expect(got).toEqual({ whose, tell }));
});

const port = (id: number, free: boolean, ratedW: number, ...types: string[]): Evse =>
  ({ id, free, ratedW, current: 'DC', connectors: types.map((type, i) => ({ id: i + 1, type })) }) as Evse;
const station = (id: string, ...evses: Evse[]) => ({ id, evses }) as StationDetail;
const site = (id: string, latitude: number | null, longitude: number | null, free = 1) =>
  ({ id, latitude, longitude, ports: { free } }) as Site;

describe('where to charge instead', () => {
  it('names free ports with the same plug, the most alike in power first', () => {
    const all = [
      station('A', port(1, true, 150_000, 'cCCS2'), port(2, false, 150_000, 'cCCS2')),
      station('B', port(1, true, 50_000, 'cCCS2', 'cG105'), port(2, true, 22_000, 'sType2')),
      station('C', port(1, true, 50_000)),
    ];
    const found = freePorts(port(9, true, 50_000, 'cCCS2'), 'A/2', all).map(
      (p) => `${p.station.id}/${p.evse.id}`,
    );
    expect(found).toEqual(['B/1', 'C/1', 'A/1']);
  });

  it('never names the port itself', () =>
    expect(freePorts(port(1, true, 1), 'A/1', [station('A', port(1, true, 1))])).toEqual([]));

  it('orders sites by distance and leaves out full ones and those without a place', () => {
    const here = site('here', 53.55, 9.99);
    const all = [
      here,
      site('far', 48.1, 11.6),
      site('near', 53.56, 10),
      site('full', 53.55, 9.98, 0),
      site('lost', null, null),
    ];
    expect(nearestSites(here, all, 3).map((n) => n.site.id)).toEqual(['near', 'far']);
    expect(distanceKm(here, site('x', 48.137, 11.575))).toBeCloseTo(612, -1);
  });
});

describe('cards to start with', () => {
  it('are those shown lately, once each, and no masked one', () => {
    const a = (idToken: string, idTokenType = '') => ({ idToken, idTokenType }) as Attempt;
    expect(recentTokens([a('04AB', 'ISO14443'), a(''), a('04AB'), a('****12'), a('X')])).toEqual([
      { value: '04AB', type: 'ISO14443' },
      { value: 'X', type: '' },
    ]);
  });
});

describe('the address of the desk', () => {
  it('keeps a port only if it is one', () => {
    expect(parsePort('DE/HAM/1')).toEqual({ station: 'DE/HAM', evse: 1 });
    for (const bad of ['', 'A', '/1', 'A/', 'A/0', 'A/x', 'A/1.5']) expect(parsePort(bad), bad).toBeNull();
    expect(parseDesk({ evse: 'A', token: 12, q: 1234 })).toEqual({ q: '1234', evse: undefined, token: '12' });
  });
});
