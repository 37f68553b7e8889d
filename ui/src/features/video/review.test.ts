import { describe, expect, it } from 'vitest';
import type { Camera } from './camera';
import { lacking } from './glimpse';
import { reviewKeys } from './keys';
import { stretchOf } from './listen';
import { conditionsOf, portsOf } from './past';
import { awaited } from './replay';
import { clustered, kindsOf, seenOf } from './seen';
import { Thumbs } from './thumbs';
import { columnsOf, moved, placedOf, placedSearch, type SavedWall, wallOf } from './walls';
import { chunk, followed, MINUTE, opened, panned, step, windowAt, zoomed } from './window';

const noon = Date.UTC(2026, 10, 22, 12);

describe('the window of a timeline', () => {
  it('ends a little behind now at the latest', () => {
    const w = windowAt(noon, 60, noon);
    expect(w.to - w.from).toBe(60 * MINUTE);
    expect(w.to).toBe(noon + 0.02 * 60 * MINUTE);
    expect(panned(w, 30 * MINUTE, noon)).toEqual(w);
  });
  it('keeps what is under the pointer where it is', () => {
    const w = windowAt(noon - 600 * MINUTE, 60, noon);
    const around = w.from + 15 * MINUTE;
    const near = zoomed(w, 10, around, noon);
    expect((around - near.from) / (near.to - near.from)).toBeCloseTo(0.25);
    expect(zoomed(near, 60, around, noon).from).toBeCloseTo(w.from);
  });
  it('goes along a ladder and stays at its ends', () => {
    expect([step(60, 1), step(60, -1), step(1, -1), step(10_080, 1), step(45, 1)]).toEqual([
      120, 30, 1, 10_080, 60,
    ]);
  });
  it('follows a moment that leaves it, and only then', () => {
    const w = windowAt(noon - 600 * MINUTE, 60, noon);
    expect(followed(w, w.from + 20 * MINUTE, noon)).toBe(w);
    for (const at of [w.from - 500 * MINUTE, w.to + 5 * MINUTE, w.to]) {
      const next = followed(w, at, noon);
      expect(at).toBeGreaterThan(next.from);
      expect(at).toBeLessThan(next.to);
    }
  });
  it('asks the same question while it moves within a quarter', () => {
    const a = chunk({ from: noon - 100 * MINUTE, to: noon - 40 * MINUTE }, noon);
    expect(chunk({ from: noon - 95 * MINUTE, to: noon - 35 * MINUTE }, noon)).toEqual(a);
    expect(a.from).toBeLessThanOrEqual(noon - 100 * MINUTE);
    expect(a.to).toBeGreaterThanOrEqual(noon - 35 * MINUTE);
  });
});

describe('where the review begins when nobody said where', () => {
  const span = (from: number, to: number) => ({ from: noon + from * 1000, to: noon + to * 1000 });
  const from = (spans: ReturnType<typeof span>[], now = 30) => {
    const { at, done } = opened(noon, spans, noon + (now - 3) * 1000);
    return [(at - noon) / 1000, done];
  };
  it('is half a minute ago where that was recorded by any camera', () => {
    expect(from([span(-600, 20)])).toEqual([0, true]);
    expect(from([span(5, 20), span(-600, 20)])).toEqual([0, true]);
    expect(from([span(-600, -4)])).toEqual([0, true]); // the list is a little behind
  });
  it('is the first picture of a camera that has only begun to record', () => {
    expect(from([span(12, 25)])).toEqual([12, true]);
    expect(from([span(-600, -300), span(20, 25), span(12, 25)])).toEqual([12, true]);
  });
  it('waits for pictures that cannot be shown yet, and for a first one', () => {
    expect(from([span(28, 29)])).toEqual([27, false]);
    expect(from([])).toEqual([0, false]);
  });
});

describe('the keys of the review page', () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
    ({
      key,
      shiftKey: false,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      target: null,
      defaultPrevented: false,
      ...more,
    }) as KeyboardEvent;
  it('names what a key does', () => {
    const keys = reviewKeys();
    expect(keys(press('k'))).toEqual({ act: 'play' });
    expect(keys(press('ArrowLeft'))).toEqual({ act: 'move', by: -10_000 });
    expect(keys(press('ArrowRight', { shiftKey: true }))).toEqual({ act: 'move', by: 1000 });
    expect(keys(press('.'))).toEqual({ act: 'frame', by: 1 });
    expect(keys(press('x'))).toBeNull();
    expect(keys(press('i', { ctrlKey: true }))).toBeNull();
  });
  it('leaves the key behind g to the whole page', () => {
    let now = 0;
    const keys = reviewKeys(() => now);
    keys(press('g'));
    expect(keys(press('i'))).toBeNull();
    keys(press('g'));
    now = 5000;
    expect(keys(press('i'))).toEqual({ act: 'in' });
  });
  it('leaves fields, dialogs and buttons their keys', () => {
    const keys = reviewKeys();
    const input = document.createElement('input');
    expect(keys(press('k', { target: input }))).toBeNull();
    const button = document.createElement('button');
    expect(keys(press(' ', { target: button }))).toBeNull();
    expect(keys(press('k', { target: button }))).toEqual({ act: 'play' });
    const dialog = document.createElement('div');
    dialog.setAttribute('role', 'dialog');
    dialog.append(button);
    expect(keys(press('k', { target: button }))).toBeNull();
  });
});

describe('a wall', () => {
  const known = new Map(['a', 'b', 'c'].map((id) => [id, { id } as Camera]));
  const saved = (id: string, more: Partial<SavedWall> = {}): SavedWall => ({
    id,
    name: id,
    tiles: [{ camera: 'b' }, { camera: 'a', large: true }, { camera: 'gone' }],
    shared: true,
    mine: false,
    mayDelete: false,
    firstOf: [],
    createdAt: '',
    ...more,
  });
  const walls = [saved('w1'), saved('w2', { firstOf: ['hh'] }), saved('w3', { firstOf: [''] })];
  it('is the one that was asked for, else the first of the site, else none', () => {
    expect(wallOf(walls, { wall: 'w1' }, 'hh')?.id).toBe('w1');
    expect(wallOf(walls, {}, 'hh')?.id).toBe('w2');
    expect(wallOf(walls, {}, undefined)?.id).toBe('w3');
    expect(wallOf(walls, {}, 'ber')).toBeUndefined();
    expect(wallOf(walls, { wall: 'all' }, 'hh')).toBeUndefined();
    expect(wallOf(walls, { cams: 'a' }, 'hh')).toBeUndefined();
    expect(wallOf(walls, { wall: 'w9' }, 'hh')).toBeUndefined();
  });
  it('shows what the address says, and no camera that is not there', () => {
    expect(placedOf(walls[0], {}, known)).toEqual([
      { camera: 'b', large: false },
      { camera: 'a', large: true },
    ]);
    const placed = placedOf(walls[0], { cams: 'c,b,x', big: 'b' }, known)!;
    expect(placed).toEqual([
      { camera: 'c', large: false },
      { camera: 'b', large: true },
    ]);
    expect(placedSearch(placed)).toEqual({ cams: 'c,b', big: 'b' });
    expect(placedOf(undefined, {}, known)).toBeUndefined();
  });
  it('has at most twelve', () => {
    const many = new Map(Array.from({ length: 20 }, (_, i) => [`n${i}`, { id: `n${i}` } as Camera]));
    expect(placedOf(undefined, { cams: [...many.keys()].join(',') }, many)).toHaveLength(12);
  });
  it('is put in order', () => {
    const three = ['a', 'b', 'c'].map((camera) => ({ camera, large: false }));
    expect(moved(three, 0, 2).map((p) => p.camera)).toEqual(['b', 'c', 'a']);
    expect(moved(three, 2, -1).map((p) => p.camera)).toEqual(['c', 'a', 'b']);
    expect(moved(three, 9, 0)).toEqual(three);
  });
  it('has as many columns as it needs', () => {
    const n = (small: number, large = 0) => [
      ...Array.from({ length: small }, () => ({ large: false })),
      ...Array.from({ length: large }, () => ({ large: true })),
    ];
    expect(
      [n(1), n(2), n(4), n(5), n(9), n(12), n(0, 1), n(5, 1), n(11, 1), n(0, 12)].map(columnsOf),
    ).toEqual([1, 2, 2, 3, 3, 4, 2, 3, 4, 5]);
  });
});

describe('what lacks in recordings', () => {
  const recorded = {
    spans: [
      { from: noon, to: noon + 60_000 },
      { from: noon + 120_000, to: noon + 180_000 },
    ],
    gaps: [{ from: noon + 60_000, to: noon + 120_000, reason: 'stalled' }],
  };
  it('is a reason, or nothing known, or nothing lacking', () => {
    expect(lacking(recorded, noon + 30_000)).toBeNull();
    expect(lacking(recorded, noon + 90_000)).toBe('stalled');
    expect(lacking(recorded, noon - 1)).toBe('');
    expect(lacking(recorded, noon + 185_000)).toBeNull(); // it may be being recorded
    expect(lacking(recorded, noon + 600_000)).toBe('');
    expect(lacking(undefined, noon)).toBeNull();
  });
});

describe('the states of a camera', () => {
  it('last until the next, from the one before on', () => {
    expect(
      conditionsOf(
        [
          { at: noon - 5000, state: 'offline' },
          { at: noon + 1000, state: 'live' },
          { at: noon + 3000, state: 'stalled' },
        ],
        noon,
        noon + 9000,
      ),
    ).toEqual([
      { from: noon, to: noon + 1000, state: 'offline' },
      { from: noon + 3000, to: noon + 9000, state: 'stalled' },
    ]);
  });
});

describe('the ports that cameras watch', () => {
  it('are those of their zones, each once', () => {
    const zone = (...evses: string[]) => ({ evses });
    expect(
      portsOf([
        { zones: [zone('station/A/1', 'station/A/2')] },
        { zones: [zone('station/A/1', 'site/x', 'station/B')] },
      ]),
    ).toEqual([
      { station: 'A', evse: 1 },
      { station: 'A', evse: 2 },
    ]);
  });
});

describe('small pictures', () => {
  const answer = (at: number) =>
    new Response(new Blob(['x']), { headers: { 'Chargewatch-At': new Date(at).toISOString() } });
  it('are asked for once and told with the time they were taken', async () => {
    const asked: string[] = [];
    const thumbs = new Thumbs(((url: string) => {
      asked.push(url);
      return Promise.resolve(answer(noon - 700));
    }) as unknown as typeof fetch);
    expect(thumbs.peek('c', noon, 2000)).toEqual({ state: 'loading', last: undefined });
    const told = new Promise<void>((resolve) => thumbs.subscribe(resolve));
    thumbs.want('c', noon + 300, 2000);
    thumbs.want('c', noon - 300, 2000);
    await told;
    expect(asked).toHaveLength(1);
    const seen = thumbs.peek('c', noon, 2000);
    expect(seen.state === 'shown' && seen.thumb.at).toBe(noon - 700);
    const next = thumbs.peek('c', noon + 2000, 2000);
    expect(next.state === 'loading' && next.last?.at).toBe(noon - 700);
    thumbs.close();
  });
  it('say why there is none, and ask the newest question next', async () => {
    const asked: { url: string; resolve: (r: Response) => void }[] = [];
    const thumbs = new Thumbs(
      ((url: string) =>
        new Promise<Response>((resolve) =>
          asked.push({ url: decodeURIComponent(url), resolve }),
        )) as unknown as typeof fetch,
    );
    for (let i = 0; i < 10; i++) thumbs.want('c', noon + i * 2000, 2000);
    expect(asked).toHaveLength(2);
    const told = new Promise<void>((resolve) => thumbs.subscribe(resolve));
    asked[0]!.resolve(new Response('{"code":"noDecoder"}', { status: 409 }));
    await told;
    expect(thumbs.peek('c', noon, 2000)).toEqual({ state: 'none', code: 'noDecoder' });
    expect(asked[2]!.url).toContain(new Date(noon + 18_000).toISOString());
    thumbs.close();
  });
});

describe('what was seen', () => {
  const report = (
    s: number,
    ...items: { what: string; score?: number; plate?: string; plateId?: string }[]
  ) => ({
    seenAt: new Date(noon + s * 1000).toISOString(),
    items: items.map((x) => ({ score: 0, box: [], plate: '', plateId: '', ...x })) as never[],
  });
  it('joins reports of one visit, of each kind apart', () => {
    const seen = seenOf([
      report(40, { what: 'person', score: 0.5 }),
      report(8, { what: 'person', score: 0.9 }, { what: 'plate', plate: 'HH CW 42', plateId: 'p' }),
      report(0, { what: 'person', score: 0.6 }, { what: 'bicycle', score: 1 }),
      report(9, { what: 'plate', plate: 'HH CW 42', plateId: 'p' }),
      report(60),
    ]);
    expect(seen).toEqual([
      { from: noon, to: noon + 8000, what: 'person', score: 0.9, plates: [] },
      {
        from: noon + 8000,
        to: noon + 9000,
        what: 'plate',
        score: 0,
        plates: [{ id: 'p', text: 'HH CW 42' }],
      },
      { from: noon + 40_000, to: noon + 40_000, what: 'person', score: 0.5, plates: [] },
    ]);
  });
  it('is one mark where marks would cover each other, persons first', () => {
    const seen = seenOf([
      report(0, { what: 'vehicle' }),
      report(2, { what: 'person' }),
      report(30, { what: 'animal' }),
    ]);
    expect(clustered(seen, 5000)).toEqual([
      { from: noon, kinds: ['person', 'vehicle'] },
      { from: noon + 30_000, kinds: ['animal'] },
    ]);
    expect(clustered(seen, 500)).toHaveLength(3);
  });
  it('is filtered by what an address names', () => {
    expect(kindsOf('plate,person,ghost')).toEqual(['person', 'plate']);
    expect(kindsOf(undefined)).toEqual([]);
  });
});

describe('a moment that is not listed yet', () => {
  const listed = [
    { duration: 1, programDateTime: noon },
    { duration: 1, programDateTime: noon + 1000 },
  ];
  it('is waited for while the recording goes on, and is none in a gap or when it has ended', () => {
    expect(awaited(listed, noon + 2500, noon + 4000)).toBe(true);
    expect(awaited(listed, noon + 2500, noon + 10_000)).toBe(false);
    expect(awaited(listed, noon - 500, noon + 4000)).toBe(false);
    expect(awaited([], noon, noon)).toBe(false);
  });
});

describe('the sound of a recording', () => {
  const recorded = [
    { from: noon, to: noon + 60_000 },
    { from: noon + 90_000, to: noon + 600_000 },
  ];
  it('is read within one time without a gap', () => {
    const now = noon + 3_600_000;
    expect(stretchOf(recorded, noon + 30_000, now)).toEqual({ from: noon + 29_000, to: noon + 149_000 });
    expect(stretchOf(recorded, noon + 90_200, now)).toEqual({ from: noon + 90_000, to: noon + 210_000 });
    expect(stretchOf(recorded, noon + 80_000, now)).toBeNull();
    expect(stretchOf(recorded, noon - 1, now)).toBeNull();
    expect(stretchOf(undefined, noon, now)).toBeNull();
  });
  it('reaches up to now where it is being recorded', () => {
    const now = noon + 605_000;
    expect(stretchOf(recorded, noon + 601_000, now)).toEqual({ from: noon + 600_000, to: now });
  });
});
