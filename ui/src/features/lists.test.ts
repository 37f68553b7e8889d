import { describe, expect, it } from 'vitest';
import type { PortsSnapshot } from '../live/protocol';
import { PortStore } from '../live/store';
import { layoutWall, portAt, rectOf, SIZES, step } from './overview/layout';
import { ocppAddress } from './stations/address';
import { COLUMNS, columnsText, parseColumns, templates, USUAL } from './stations/columns';
import { matchesText, parseFilter, parseStates, rankStations } from './stations/filter';
import { mergeRows, selectRows } from './stations/order';
import { powerOf } from './stations/row';
import { Slots } from './stations/slots';
import { viewPath } from './stations/views';

function storeOf(rows: [string, number, number, number][]): PortStore {
  const store = new PortStore((flush) => flush());
  const frame: PortsSnapshot = {
    type: 'ports',
    snapshot: true,
    total: rows.length,
    offset: 0,
    ids: rows.map((r) => r[0]),
    labels: rows.map(() => ''),
    sites: ['north'],
    site: rows.map(() => 0),
    status: rows.map((r) => r[1]),
    online: rows.map((r) => r[2]),
    powerW: rows.map((r) => r[3]),
    ratedW: rows.map(() => 0),
    statusAt: rows.map((_, i) => i),
    free: rows.map(() => 0),
  };
  store.applySnapshot(frame);
  return store;
}

const name = (id: string) => id;
const ids = (rows: { id: string }[]) => rows.map((r) => r.id);

describe('list of stations', () => {
  const store = storeOf([
    ['C/1', 0, 1, 0],
    ['A/1', 2, 1, 9000],
    ['A/2', 8, 1, 0],
    ['B/1', 2, 0, 0],
  ]);
  const rows = mergeRows(store.stations, undefined);

  it('stands in the order of ids', () =>
    expect(ids(selectRows(store, rows, name, {}))).toEqual(['A', 'B', 'C']));

  it('keeps a station when one of its ports matches', () =>
    expect(ids(selectRows(store, rows, name, { state: 'faulted' }))).toEqual(['A']));

  it('counts an offline port as offline, whatever it said last', () => {
    expect(ids(selectRows(store, rows, name, { state: 'offline' }))).toEqual(['B']);
    expect(ids(selectRows(store, rows, name, { state: 'charging' }))).toEqual(['A']);
  });

  it('puts the worst first, and equals in the order of ids', () =>
    expect(ids(selectRows(store, rows, name, { sort: 'state' }))).toEqual(['A', 'B', 'C']));

  it('puts the highest power first', () =>
    expect(ids(selectRows(store, rows, name, { sort: 'power' }))[0]).toBe('A'));

  it('lists a station that has no port yet, but none that waits for approval', () => {
    const detail = (id: string, onboarding: string) =>
      ({ id, label: '', siteId: '', onboarding, status: 'Unknown', online: false }) as never;
    expect(ids(mergeRows(store.stations, [detail('D', 'accepted'), detail('E', 'pending')]))).toEqual([
      'A',
      'B',
      'C',
      'D',
    ]);
  });
});

describe('lines of a long list', () => {
  it('stay with rows that stay, and take rows that come', () => {
    const slots = new Slots();
    expect(slots.assign([0, 1, 2, 3])).toEqual([0, 1, 2, 3]);
    expect(slots.assign([2, 3, 4, 5])).toEqual([2, 3, 0, 1]);
    expect(slots.assign([5, 6])).toEqual([1, 0]);
    expect(slots.assign([1, 5, 6, 7])).toEqual([2, 1, 0, 3]);
  });
  it('never show two rows', () => {
    const slots = new Slots();
    for (let from = 0; from < 500; from += 7) {
      const rows = Array.from({ length: 20 + (from % 9) }, (_, i) => from + i);
      const lines = slots.assign(rows);
      expect(new Set(lines).size).toBe(rows.length);
      expect(Math.max(...lines)).toBeLessThan(28 + 1);
    }
  });
});

describe('power of a station', () => {
  const powers = (...rows: [status: number, powerW: number][]) =>
    powerOf(rows.map((r, i) => storeOf([[`A/${i}`, r[0], 1, r[1]]]).port(0)!));

  it('is nothing where no port is in use', () => expect(powers([0, -1], [8, -1])).toBeUndefined());
  it('is unknown where a port charges and none says how much', () =>
    expect(powers([2, -1], [0, -1])).toBeNull());
  it('adds up what is reported', () => {
    expect(powers([2, -1], [2, 7000], [3, 0])).toBe(7000);
    expect(powers([2, 0])).toBe(0);
  });
});

describe('filter in the address', () => {
  it('drops what it does not know', () => {
    expect(parseFilter({ state: 'faulted,nonsense,offline', sort: 'shoe', tab: 'x', q: 7 })).toEqual({
      q: '7',
      site: undefined,
      state: 'faulted,offline',
      sort: undefined,
      tab: undefined,
    });
    expect(parseStates(null)).toEqual([]);
  });

  it('finds every word in any order', () => {
    expect(matchesText('west 42', 'DE-42', 'HafenCity West')).toBe(true);
    expect(matchesText('west 43', 'DE-42', 'HafenCity West')).toBe(false);
  });

  it('ranks ids that begin with the query first', () => {
    const entry = (id: string) => ({ id, label: '', site: '', ports: [] });
    expect(ids(rankStations([entry('XA'), entry('A1')], name, 'a', 5))).toEqual(['A1', 'XA']);
    expect(rankStations([entry('A1')], name, '  ', 5)).toEqual([]);
  });
});

describe('address for a station', () => {
  it('names host, port and identity', () => {
    expect(ocppAddress('charge.example', false, 8887)).toBe('ws://charge.example:8887/ocpp/IDENTITY');
    expect(ocppAddress('::1', true, 9443, 'A')).toBe('wss://[::1]:9443/ocpp/A');
  });
});

describe('status wall', () => {
  const group = (site: string, n: number, from: number) => ({
    site,
    name: site,
    ports: Array.from({ length: n }, (_, i) => from + i),
  });
  const groups = [group('a', 30, 0), group('b', 7, 30), group('c', 1, 37)];

  it('gives each port one place and finds it there again', () => {
    for (const wanted of [4000, 300, 10]) {
      const layout = layoutWall(groups, 900, wanted);
      for (const port of layout.order) {
        const r = rectOf(layout, port)!;
        expect(portAt(layout, r.x + r.w / 2, r.y + r.h / 2)).toBe(port);
        expect(r.x + r.w).toBeLessThanOrEqual(900);
        expect(r.y + r.h).toBeLessThanOrEqual(layout.height);
      }
      expect(new Set(layout.order).size).toBe(38);
    }
  });

  it('chooses smaller tiles for less room, down to the smallest', () => {
    expect(layoutWall(groups, 900, 4000).tile).toBe(SIZES[0]);
    expect(layoutWall(groups, 900, 1).tile).toBe(SIZES.at(-1));
  });

  it('finds no port between tiles or outside', () => {
    const layout = layoutWall(groups, 900, 4000);
    const r = rectOf(layout, 0)!;
    expect(portAt(layout, r.x + r.w + 1, r.y)).toBe(-1);
    expect(portAt(layout, -5, 5)).toBe(-1);
    expect(portAt(layout, 10, 1e6)).toBe(-1);
  });

  it('reaches every port by arrow keys and comes back', () => {
    const layout = layoutWall(groups, 900, 4000);
    const reached = new Set<number>();
    const queue = [step(layout, -1, 'first')];
    while (queue.length > 0) {
      const at = queue.pop()!;
      if (reached.has(at)) continue;
      reached.add(at);
      for (const to of ['left', 'right', 'up', 'down'] as const) queue.push(step(layout, at, to));
    }
    expect(reached.size).toBe(38);
    expect(step(layout, 5, 'last')).toBe(37);
    expect(step(layout, 37, 'right')).toBe(37);
  });

  it('stays on an empty wall', () => expect(step(layoutWall([], 900, 100), 0, 'down')).toBe(-1));
});

describe('columns of the station list', () => {
  it('keeps their order and drops what is none', () => {
    expect(parseColumns('tags,shoe,site')).toEqual(['site', 'tags']);
    expect(parseColumns('shoe')).toBeUndefined();
    expect(parseColumns(7)).toBeUndefined();
  });

  it('leaves the usual choice out of the address', () => {
    expect(columnsText(USUAL)).toBeUndefined();
    expect(columnsText(['site'])).toBe('site');
    expect(columnsText([])).toBeUndefined();
  });

  it('has a width for each, and fewer on a narrow page', () => {
    const all = templates(COLUMNS, true);
    expect(all.wide).not.toContain('undefined');
    expect(all.wide.split(' ').length).toBeGreaterThan(all.narrow.split(' ').length);
    expect(all.wide.startsWith('20px')).toBe(true);
  });
});

describe('a saved view', () => {
  it('keeps the filter and drops what belongs to the reader', () =>
    expect(viewPath('/stations?state=faulted&zone=utc&kiosk=1&range=7d&cols=site%2Ctags&site=ham')).toBe(
      '/stations?state=faulted&cols=site%2Ctags&site=ham',
    ));
  it('may be the bare page', () => expect(viewPath('/stations?zone=utc')).toBe('/stations'));
});
