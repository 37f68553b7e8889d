import { describe, expect, it } from 'vitest';
import { lacking } from './glimpse';
import { reviewKeys } from './keys';
import { conditionsOf, portsOf } from './past';
import { Thumbs } from './thumbs';
import { chunk, followed, MINUTE, panned, step, windowAt, zoomed } from './window';

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
