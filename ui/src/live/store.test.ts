import { describe, expect, it } from 'vitest';
import type { PortsDelta, PortsSnapshot } from './protocol';
import { FAMILIES } from './status';
import { PortStore, splitPortId } from './store';

type Port = { id: string; site?: string; status?: number; online?: number; powerW?: number; free?: number };

function snapshot(ports: Port[], offset = 0, total = ports.length): PortsSnapshot {
  const sites = [...new Set(ports.map((p) => p.site ?? ''))];
  return {
    type: 'ports',
    snapshot: true,
    total,
    offset,
    ids: ports.map((p) => p.id),
    labels: ports.map(() => ''),
    sites,
    site: ports.map((p) => sites.indexOf(p.site ?? '')),
    status: ports.map((p) => p.status ?? 0),
    online: ports.map((p) => p.online ?? 1),
    powerW: ports.map((p) => p.powerW ?? 0),
    ratedW: ports.map(() => 22_000),
    statusAt: ports.map(() => 1_700_000_000),
    free: ports.map((p) => p.free ?? ((p.status ?? 0) === 0 ? 1 : 0)),
  };
}

function delta(
  rows: [number, { status?: number; online?: number; powerW?: number; free?: number }][],
): PortsDelta {
  return {
    type: 'ports',
    index: rows.map(([i]) => i),
    status: rows.map(([, r]) => r.status ?? 0),
    online: rows.map(([, r]) => r.online ?? 1),
    powerW: rows.map(([, r]) => r.powerW ?? 0),
    statusAt: rows.map(() => 1_700_000_100),
    free: rows.map(([, r]) => r.free ?? 0),
  };
}

/** A store whose frames are drawn by hand. */
function manual() {
  const queue: (() => void)[] = [];
  const store = new PortStore((flush) => queue.push(flush));
  const frame = () => {
    for (const flush of queue.splice(0)) flush();
  };
  return { store, frame, queue };
}

const countOf = (store: PortStore) => Object.fromEntries(FAMILIES.map((f, i) => [f, store.counts[i]]));

describe('PortStore', () => {
  it('shows nothing before the first snapshot is whole', () => {
    const { store, frame } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1' }], 0, 2));
    frame();
    expect(store.ready).toBe(false);
    store.applySnapshot(snapshot([{ id: 'B/1' }], 1, 2));
    frame();
    expect(store.ready).toBe(true);
    expect(store.columns.ids).toEqual(['A/1', 'B/1']);
  });

  it('joins the site dictionaries of the parts of a snapshot', () => {
    const { store } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1', site: 'north' }], 0, 2));
    store.applySnapshot(snapshot([{ id: 'B/1', site: 'south' }], 1, 2));
    expect(store.port(0)?.site).toBe('north');
    expect(store.port(1)?.site).toBe('south');
  });

  it('refuses a part that leaves a hole', () => {
    const { store } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1' }], 0, 3));
    expect(store.applySnapshot(snapshot([{ id: 'C/1' }], 2, 3))).toBe(false);
  });

  it('takes an empty network as a whole answer', () => {
    const { store, frame } = manual();
    expect(store.applySnapshot(snapshot([]))).toBe(true);
    frame();
    expect(store.ready).toBe(true);
    expect(store.size).toBe(0);
  });

  it('wakes a row once per frame however often its port changed, and no other row', () => {
    const { store, frame, queue } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1' }, { id: 'B/1' }]));
    frame();
    let a = 0;
    let b = 0;
    store.subscribePorts([0], () => a++);
    store.subscribePorts([1], () => b++);
    for (let k = 0; k < 50; k++) store.applyDelta(delta([[0, { status: 2, powerW: k }]]));
    expect(queue.length).toBe(1);
    expect(a).toBe(0);
    frame();
    expect([a, b]).toEqual([1, 0]);
    expect(store.port(0)?.powerW).toBe(49);
  });

  it('knows no power from a power of nothing', () => {
    const { store } = manual();
    store.applySnapshot(
      snapshot([
        { id: 'A/1', status: 2, powerW: -1 },
        { id: 'B/1', status: 2 },
      ]),
    );
    expect([store.port(0)?.powerW, store.port(1)?.powerW]).toEqual([null, 0]);
    store.applyDelta(
      delta([
        [0, { status: 2, powerW: 7000 }],
        [1, { status: 2, powerW: -1 }],
      ]),
    );
    expect([store.port(0)?.powerW, store.port(1)?.powerW]).toEqual([7000, null]);
  });

  it('wakes a station once when two of its ports changed', () => {
    const { store, frame } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1' }, { id: 'A/2' }]));
    frame();
    let calls = 0;
    store.subscribePorts([0, 1], () => calls++);
    store.applyDelta(
      delta([
        [0, { status: 2 }],
        [1, { status: 2 }],
      ]),
    );
    frame();
    expect(calls).toBe(1);
  });

  it('gives a changed port a version it never had', () => {
    const { store, frame } = manual();
    const seen = new Set<number>();
    store.applySnapshot(snapshot([{ id: 'A/1' }]));
    frame();
    seen.add(store.version(0));
    for (let k = 0; k < 5; k++) {
      store.applyDelta(delta([[0, { powerW: k }]]));
      frame();
      expect(seen.has(store.version(0))).toBe(false);
      seen.add(store.version(0));
    }
    store.applySnapshot(snapshot([{ id: 'Z/1' }]));
    frame();
    expect(seen.has(store.version(0))).toBe(false);
  });

  it('counts offline apart from the last status the station sent', () => {
    const { store } = manual();
    store.applySnapshot(
      snapshot([
        { id: 'A/1', status: 2 },
        { id: 'B/1', status: 2, online: 0 },
        { id: 'C/1', status: 9 },
      ]),
    );
    expect(countOf(store)).toMatchObject({ charging: 1, offline: 1, unknown: 1, available: 0 });
    store.applyDelta(delta([[1, { status: 2, online: 1 }]]));
    expect(countOf(store)).toMatchObject({ charging: 2, offline: 0, unknown: 1 });
  });

  it('keeps counts equal to a fresh count after any order of deltas', () => {
    const { store } = manual();
    const n = 40;
    store.applySnapshot(snapshot(Array.from({ length: n }, (_, i) => ({ id: `S${i}/1` }))));
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let k = 0; k < 2000; k++) {
      store.applyDelta(delta([[random(n), { status: random(10), online: random(2), free: random(2) }]]));
    }
    const fresh = new Int32Array(FAMILIES.length);
    let free = 0;
    for (let i = 0; i < n; i++) {
      fresh[store.family[i]!]!++;
      free += store.columns.free[i]!;
    }
    expect([...store.counts]).toEqual([...fresh]);
    expect(store.counts.reduce((a, b) => a + b, 0)).toBe(n);
    expect(store.freeCount).toBe(free);
  });

  it('refuses a delta for a port it does not know, and changes nothing', () => {
    const { store } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1' }]));
    expect(
      store.applyDelta(
        delta([
          [0, { status: 8 }],
          [7, { status: 8 }],
        ]),
      ),
    ).toBe(false);
    expect(store.port(0)?.status).toBe('Available');
  });

  it('keeps the old values while it waits for a new snapshot, and ignores deltas until then', () => {
    const { store, frame } = manual();
    store.applySnapshot(snapshot([{ id: 'A/1', status: 2 }]));
    frame();
    store.awaitSnapshot();
    expect(store.applyDelta(delta([[0, { status: 8 }]]))).toBe(true);
    expect(store.port(0)?.status).toBe('Charging');
    store.applySnapshot(snapshot([{ id: 'A/1', status: 0 }]));
    expect(store.port(0)?.status).toBe('Available');
  });

  it('tells a new layout only when the set of ports changed', () => {
    const { store, frame } = manual();
    const told: boolean[] = [];
    store.subscribe((_, layoutChanged) => told.push(layoutChanged));
    store.applySnapshot(snapshot([{ id: 'A/1' }]));
    frame();
    store.applySnapshot(snapshot([{ id: 'A/1', status: 2 }]));
    frame();
    store.applySnapshot(snapshot([{ id: 'A/1' }, { id: 'A/2' }]));
    frame();
    expect(told).toEqual([true, false, true]);
    expect(store.station('A')?.ports).toEqual([0, 1]);
    expect(store.indexOf('A/2')).toBe(1);
  });

  it('holds 20,000 ports and applies 10,000 changes without a listener being called twice', () => {
    const { store, frame } = manual();
    const n = 20_000;
    for (let o = 0; o < n; o += 5000) {
      const part = Array.from({ length: 5000 }, (_, i) => ({ id: `S${Math.floor((o + i) / 2)}/${i % 2}` }));
      expect(store.applySnapshot(snapshot(part, o, n))).toBe(true);
    }
    frame();
    expect(store.stations.length).toBe(10_000);
    let calls = 0;
    store.subscribePorts([5], () => calls++);
    for (let k = 0; k < 10; k++) {
      store.applyDelta(delta(Array.from({ length: 1000 }, (_, i) => [i, { status: 2, powerW: k }])));
    }
    frame();
    expect(calls).toBe(1);
    expect(countOf(store)).toMatchObject({ charging: 1000, available: 19_000 });
  });
});

describe('splitPortId', () => {
  it('cuts at the last slash, since an identity may hold one', () => {
    expect(splitPortId('DE/HAM/7/2')).toEqual({ station: 'DE/HAM/7', port: '2' });
    expect(splitPortId('lonely')).toEqual({ station: 'lonely', port: '' });
  });
});
