import { describe, expect, it } from 'vitest';
import { asks, inverse, offers } from './acts';
import { isLong, stretchOf } from './axis';
import { countsOf, filterOf, grouped, heldRows, passes, tabOf } from './filter';
import { foremost } from './panel';
import { offered } from './related';
import { parseIncidents } from './search';
import { compare, dueOf, type Incident, isIncident, ownerOf, stands, whole } from './shape';
import { IncidentStore, merge } from './store';
import { faultOf, plain } from './words';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

function incident(id: string, part: Partial<Incident> = {}): Incident {
  return whole({
    id,
    kind: 'offline',
    family: 'connectivity',
    severity: 'S3',
    state: 'open',
    title: id,
    cause: '',
    siteId: 'a',
    siteName: 'Markt',
    station: `DE-${id}`,
    stationLabel: '',
    openedAt: ago(60),
    updatedAt: ago(60),
    reopenedAt: null,
    repairedAt: null,
    closedAt: null,
    parentId: null,
    mergedInto: null,
    claimedBy: null,
    claimedUntil: null,
    assignee: null,
    acknowledgedAt: null,
    snoozedUntil: null,
    slaAckDueAt: null,
    slaRepairDueAt: null,
    driversFailed: null,
    repeats: 0,
    childrenCount: 0,
    safety: false,
    response: 'none',
    verdict: null,
    ...part,
  } as unknown as Incident);
}

const ids = (rows: readonly Incident[]) => rows.map((r) => r.id).join(' ');

describe('order', () => {
  it('is the worst first, what still lasts before what waits for a person, then the newest', () => {
    const rows = [
      incident('minor'),
      incident('old', { severity: 'S1', openedAt: ago(90) }),
      incident('new', { severity: 'S1', openedAt: ago(5) }),
      incident('mended', { severity: 'S1', openedAt: ago(1), repairedAt: ago(0) }),
      incident('again', { severity: 'S1', openedAt: ago(500), reopenedAt: ago(2) }),
    ].sort(compare);
    expect(ids(rows)).toBe('again new old mended minor');
  });

  it('does not depend on how rows came', () => {
    const rows = ['b', 'a', 'c'].map((id) => incident(id));
    expect(ids([...rows].sort(compare))).toBe(ids([...rows].reverse().sort(compare)));
  });
});

describe('merging changes', () => {
  it('gives the same rows as sorting all of them', () => {
    const rows = Array.from({ length: 200 }, (_, k) =>
      incident(`r${k}`, { severity: `S${(k % 4) + 1}`, openedAt: ago((k * 37) % 101) }),
    ).sort(compare);
    const changes = new Map<string, Incident>();
    for (let k = 0; k < 200; k += 7)
      changes.set(`r${k}`, incident(`r${k}`, { severity: 'S1', openedAt: ago(k) }));
    changes.set('r1', incident('r1', { state: 'closed' }));
    changes.set('n', incident('n', { severity: 'S2', openedAt: ago(0) }));
    const all = new Map(rows.map((r) => [r.id, r]));
    for (const [id, c] of changes) all.set(id, c);
    const want = [...all.values()].filter(stands).sort(compare);
    expect(ids(merge(rows, changes))).toBe(ids(want));
  });
});

describe('the store', () => {
  const frames = () => {
    const queue: (() => void)[] = [];
    const store = new IncidentStore((run) => queue.push(run));
    return { store, queue, frame: () => queue.splice(0).map((run) => run()) };
  };

  it('tells of ten thousand changes once a frame', () => {
    const { store, queue, frame } = frames();
    let told = 0;
    store.subscribe(() => told++);
    for (let k = 0; k < 10_000; k++) store.change(incident(`x${k}`));
    for (let k = 0; k < 10_000; k++) store.change(incident(`x${k}`, { updatedAt: ago(1), repeats: 1 }));
    expect(queue.length).toBe(1);
    frame();
    expect(told).toBe(1);
    expect(store.get().rows.length).toBe(10_000);
    expect(store.get().rows.every((r) => r.repeats === 1)).toBe(true);
  });

  it('keeps the newer of two, however they come', () => {
    const { store, frame } = frames();
    store.change(incident('x', { updatedAt: ago(1), severity: 'S1' }));
    store.change(incident('x', { updatedAt: ago(9), severity: 'S4' }));
    frame();
    store.page([incident('x', { updatedAt: ago(5), severity: 'S2' })]);
    expect(store.get().rows[0]!.severity).toBe('S1');
  });

  it('drops what a whole reading does not name, but not what came meanwhile', () => {
    const { store, frame } = frames();
    store.begin();
    store.page([incident('old'), incident('stays')]);
    store.end();
    store.begin();
    store.change(incident('came'));
    store.page([incident('stays')]);
    store.end();
    frame();
    expect(ids([...store.get().rows].sort(compare))).toBe('came stays');
  });

  it('takes out what is over, folded into another or merged', () => {
    const { store, frame } = frames();
    store.page([incident('a'), incident('b'), incident('c'), incident('d')]);
    store.change(incident('a', { state: 'closed', updatedAt: ago(1) }));
    store.change(incident('b', { parentId: 'p', updatedAt: ago(1) }));
    store.change(incident('c', { mergedInto: 'd', updatedAt: ago(1) }));
    frame();
    expect(ids(store.get().rows)).toBe('d');
  });

  it('takes nothing that is no incident', () => {
    const { store, frame } = frames();
    for (const v of [
      null,
      {},
      { id: 1 },
      { id: 'x', severity: 'S1', state: 'open', title: '', openedAt: 'never' },
    ])
      store.change(v);
    store.page([{}, null]);
    frame();
    expect(store.get()).toMatchObject({ rows: [], ready: true });
    expect(isIncident(incident('x'))).toBe(true);
  });

  it('is ready with an error only until a reading succeeds', () => {
    const { store } = frames();
    store.begin();
    store.failed(new Error('away'));
    expect(store.get()).toMatchObject({ ready: false, reading: false });
    store.page([]);
    store.end();
    expect(store.get()).toMatchObject({ ready: true, error: null });
  });
});

describe('tabs and filters', () => {
  it('puts each under one tab', () => {
    expect(tabOf(incident('x', { state: 'remedying' }), NOW)).toBe('inbox');
    expect(tabOf(incident('x', { snoozedUntil: ago(-5) }), NOW)).toBe('snoozed');
    expect(tabOf(incident('x', { snoozedUntil: ago(5) }), NOW)).toBe('inbox');
    expect(tabOf(incident('x', { state: 'verifying' }), NOW)).toBe('verifying');
    expect(tabOf(incident('x', { state: 'closed', closeReason: 'charged' }), NOW)).toBe('closed');
    expect(tabOf(incident('x', { state: 'closed', closeReason: 'notProven' }), NOW)).toBe('unproven');
  });

  it('counts a site by tab and severity', () => {
    const rows = [
      incident('a', { severity: 'S1' }),
      incident('b', { siteId: 'b' }),
      incident('c', { state: 'verifying' }),
    ];
    expect(countsOf(rows, undefined, NOW)).toMatchObject({
      inbox: 2,
      verifying: 1,
      bySeverity: [1, 0, 1, 0],
    });
    expect(countsOf(rows, 'b', NOW)).toMatchObject({ inbox: 1, verifying: 0 });
  });

  it('finds by all words, in any field a person knows', () => {
    const x = incident('x', { station: 'DE-HAM-0042', labels: { vendor: 'Alfen' }, people: { u: 'Ada' } });
    const by = (q: string) => passes(x, filterOf({ q }, undefined, 'me'), NOW);
    expect([by('ham-0042'), by('alfen markt'), by('ada'), by('alfen nowhere')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('tells mine from free by a claim that lasts, then by whom it was given to', () => {
    const mine = filterOf({ who: 'mine' }, undefined, 'me');
    const free = filterOf({ who: 'free' }, undefined, 'me');
    const claim = incident('x', { claimedBy: 'me', claimedUntil: ago(-5) });
    const late = incident('x', { claimedBy: 'me', claimedUntil: ago(5) });
    const given = incident('x', { assignee: 'me', claimedBy: 'you', claimedUntil: ago(5) });
    expect([claim, late, given].map((i) => passes(i, mine, NOW))).toEqual([true, false, true]);
    expect([claim, late, given].map((i) => passes(i, free, NOW))).toEqual([false, true, false]);
    expect(ownerOf(late, NOW)).toBe(null);
  });

  it('reads only what it knows from an address', () => {
    expect(parseIncidents({ tab: 'x', sev: 'S9,S2,S1', about: 'power,nothing', who: 'them', q: 42 })).toEqual(
      {
        tab: undefined,
        sev: 'S1,S2',
        about: 'power',
        who: undefined,
        q: '42',
      },
    );
  });

  it('heads each severity once, with its number', () => {
    const lines = grouped([
      incident('a', { severity: 'S1' }),
      incident('b', { severity: 'S1' }),
      incident('c'),
    ]);
    expect(lines.map((l) => ('group' in l ? `${l.group} ${l.n}` : l.incident.id))).toEqual([
      'S1 2',
      'a',
      'b',
      'S3 1',
      'c',
    ]);
  });

  it('moves nothing while the list is held, and counts what came', () => {
    const held = [incident('a'), incident('b')];
    const worse = incident('b', { severity: 'S1' });
    const fresh = [worse, incident('c', { severity: 'S1' })];
    const known = new Map(fresh.map((i) => [i.id, i]));
    const shown = heldRows(held, fresh, (id) => known.get(id));
    expect(ids(shown.rows)).toBe('a b');
    expect(shown.rows.map((r) => `${r.state} ${r.severity}`)).toEqual(['closed S3', 'open S1']);
    expect(shown).toMatchObject({ came: 1, moved: true });
  });

  it('puts first what lasts and cost most drivers', () => {
    const rows = [
      incident('few', { severity: 'S2', driversFailed: 1 }),
      incident('many', { severity: 'S2', driversFailed: 7 }),
      incident('proof', { severity: 'S1', state: 'verifying' }),
      incident('mended', { severity: 'S1', repairedAt: ago(1) }),
      incident('last', { severity: 'S4' }),
    ];
    expect(ids(foremost(rows, NOW, 3))).toBe('mended many few');
  });
});

describe('promises', () => {
  const due = (part: Partial<Incident>) => dueOf(incident('x', part), NOW);
  it('warns in the last fifth and says how late', () => {
    expect(due({ slaAckDueAt: ago(-60) })).toMatchObject({ which: 'ack', level: 'far' });
    expect(due({ slaAckDueAt: ago(-10) })).toMatchObject({ which: 'ack', level: 'near' });
    expect(due({ slaAckDueAt: ago(10) })).toMatchObject({ which: 'ack', level: 'over' });
  });
  it('goes on to the repair once somebody answered, or when that is late too', () => {
    expect(due({ slaAckDueAt: ago(10), acknowledgedAt: ago(20), slaRepairDueAt: ago(-600) })).toMatchObject({
      which: 'repair',
      level: 'far',
    });
    expect(due({ slaAckDueAt: ago(50), slaRepairDueAt: ago(10) })).toMatchObject({
      which: 'repair',
      level: 'over',
    });
  });
  it('says nothing of what is repaired, closed or not promised', () => {
    expect(due({})).toBe(null);
    expect(due({ slaAckDueAt: ago(10), repairedAt: ago(1) })).toBe(null);
    expect(due({ slaAckDueAt: ago(10), state: 'closed' })).toBe(null);
  });
});

describe('acts', () => {
  it('offers what makes sense', () => {
    const on = (act: Parameters<typeof offers>[0], part: Partial<Incident> = {}) =>
      offers(act, incident('x', part), NOW, 'me');
    expect(on('snooze', { safety: true })).toBe(false);
    expect(on('release', { claimedBy: 'me', claimedUntil: ago(-5) })).toBe(true);
    expect(on('release', { claimedBy: 'you', claimedUntil: ago(-5) })).toBe(false);
    expect(on('escalate', { severity: 'S1' })).toBe(false);
    expect(on('merge', { childrenCount: 3 })).toBe(false);
    expect(on('reopen', { state: 'closed' })).toBe(true);
    expect(on('reopen', { state: 'closed', mergedInto: 'y' })).toBe(false);
    expect(on('acknowledge', { state: 'closed' })).toBe(false);
  });
  it('claims at once what is free and asks why what is not', () => {
    expect(asks('claim', [incident('x')], NOW, 'me')).toBe(false);
    expect(asks('claim', [incident('x', { claimedBy: 'you', claimedUntil: ago(-5) })], NOW, 'me')).toBe(true);
    expect(asks('claim', [incident('x', { claimedBy: 'you', claimedUntil: ago(5) })], NOW, 'me')).toBe(false);
  });
  it('takes back what can be', () => {
    expect(inverse('claim', incident('x'))).toEqual({ act: 'release', body: {} });
    expect(inverse('claim', incident('x', { claimedBy: 'you' }))).toBe(null);
    expect(inverse('dispatch', incident('x', { response: 'onSite' }))).toEqual({
      act: 'dispatch',
      body: { response: 'onSite' },
    });
    expect(inverse('close', incident('x'))).toEqual({ act: 'reopen', body: {} });
    expect(inverse('note', incident('x'))).toBe(null);
  });
});

describe('what the machine offers', () => {
  const step = (n: number, outcome: string, playbook = 'reset') =>
    ({
      incident: 'x',
      playbook,
      step: n,
      action: 'Reset',
      outcome,
      at: ago(9 - n),
    }) as Incident['remedies'][number];
  it('is offered until something of the playbook follows, or the incident is over', () => {
    const remedies = [step(1, 'offered'), step(1, 'offered', 'cycle'), step(2, 'accepted', 'cycle')];
    expect(remedies.map((r) => offered({ state: 'open', remedies }, r))).toEqual([true, false, false]);
    expect(offered({ state: 'closed', remedies }, remedies[0]!)).toBe(false);
  });
});

describe('words', () => {
  it('takes codes of a fault apart', () => {
    expect(faultOf('fault/GroundFailure/CX002')).toEqual({ code: 'GroundFailure', vendorCode: 'CX002' });
    expect(faultOf('fault/Faulted')).toEqual({ code: 'Faulted', vendorCode: '' });
    expect(faultOf('offline')).toBe(null);
  });
  it('makes words of names of facts', () => expect(plain('timeoutsPerDay')).toBe('Timeouts per day'));
});

describe('the stretch of the axis', () => {
  it('is from half an hour before to now, or to shortly after the end', () => {
    const open = { openedAt: ago(120), closedAt: null };
    expect(stretchOf(open, 'whole', NOW)).toEqual({ from: NOW - 150 * 60_000, to: NOW });
    const over = { openedAt: ago(6000), closedAt: ago(3000) };
    expect(stretchOf(over, 'whole', NOW)).toEqual({ from: NOW - 6030 * 60_000, to: NOW - 2990 * 60_000 });
    expect(stretchOf(over, 'start', NOW).to).toBe(NOW - 5910 * 60_000);
    expect([isLong(open, NOW), isLong(over, NOW)]).toEqual([false, true]);
  });
});
