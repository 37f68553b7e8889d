import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveClient, retryDelay, type SocketLike, STALE_AFTER } from './socket';
import { PortStore } from './store';

class Wire implements SocketLike {
  sent: { topics: string[]; hidden: boolean }[] = [];
  closed: number | undefined;
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  private revision = 0;
  constructor(readonly epoch: string) {}
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close(code?: number) {
    this.closed = code ?? 1000;
  }
  open() {
    this.onopen?.();
    this.say({ type: 'hello', serverTime: new Date(1_000_000).toISOString(), build: 'b' });
  }
  say(frame: object, skip = 0) {
    this.revision += skip;
    this.onmessage?.({ data: JSON.stringify({ epoch: this.epoch, revision: this.revision++, ...frame }) });
  }
}

const onePort = (id: string, status = 0) => ({
  type: 'ports',
  snapshot: true,
  total: 1,
  offset: 0,
  ids: [id],
  labels: [''],
  sites: [''],
  site: [0],
  status: [status],
  online: [1],
  powerW: [0],
  ratedW: [0],
  statusAt: [0],
  free: [1],
});
const change = (status: number) => ({
  type: 'ports',
  index: [0],
  status: [status],
  online: [1],
  powerW: [0],
  statusAt: [0],
  free: [0],
});

function setup() {
  const wires: Wire[] = [];
  let refused = 0;
  const store = new PortStore((flush) => flush());
  const client = new LiveClient({
    store,
    open: () => {
      const wire = new Wire(`e${wires.length}`);
      wires.push(wire);
      return wire;
    },
    random: () => 0.5,
    onRefused: () => refused++,
  });
  return { wires, store, client, refusals: () => refused, last: () => wires.at(-1)! };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_000_000);
});
afterEach(() => vi.useRealTimers());

describe('LiveClient', () => {
  it('asks for its topics as soon as the socket stands', async () => {
    const { client, last } = setup();
    client.hold('ports');
    client.hold('summary');
    client.start();
    last().open();
    expect(last().sent).toEqual([{ topics: ['ports', 'summary'], hidden: false }]);
    expect(client.getStatus().phase).toBe('live');
  });

  it('sends one subscription when one page leaves and the next enters', async () => {
    const { client, last } = setup();
    client.start();
    last().open();
    const release = client.hold('station/A');
    await vi.advanceTimersByTimeAsync(0);
    const before = last().sent.length;
    release();
    client.hold('station/B');
    await vi.advanceTimersByTimeAsync(0);
    expect(last().sent.slice(before)).toEqual([{ topics: ['station/B'], hidden: false }]);
  });

  it('keeps a topic that two components hold until both let go', async () => {
    const { client, last } = setup();
    client.start();
    last().open();
    const first = client.hold('summary');
    client.hold('summary');
    await vi.advanceTimersByTimeAsync(0);
    first();
    first();
    await vi.advanceTimersByTimeAsync(0);
    expect(last().sent.at(-1)?.topics).toEqual(['summary']);
  });

  it('asks again and shows no mix when a revision is missing', async () => {
    const { client, store, last } = setup();
    client.hold('ports');
    client.start();
    last().open();
    last().say(onePort('A/1', 2));
    last().say(change(8), 1);
    expect(store.port(0)?.status).toBe('Charging');
    expect(last().sent.length).toBe(2);
    last().say(onePort('A/1', 0));
    last().say(change(5));
    expect(store.port(0)?.status).toBe('Finishing');
  });

  it('asks again when the server started anew behind the same socket', () => {
    const { client, last } = setup();
    client.start();
    last().open();
    last().say({ type: 'tick', epoch: 'other' });
    expect(last().sent.length).toBe(2);
  });

  it('does not ask faster than once a second however wrong the frames are', () => {
    const { client, last } = setup();
    client.start();
    last().open();
    for (let k = 0; k < 100; k++) last().onmessage?.({ data: 'nonsense' });
    expect(last().sent.length).toBe(2);
  });

  it('says stale after five seconds of silence and live again at the next frame', async () => {
    const { client, last } = setup();
    client.start();
    last().open();
    await vi.advanceTimersByTimeAsync(STALE_AFTER + 1500);
    expect(client.getStatus().phase).toBe('stale');
    last().say({ type: 'tick' });
    expect(client.getStatus().phase).toBe('live');
  });

  it('gives up a connection that went silent for good and tries another', async () => {
    const { client, wires } = setup();
    client.start();
    wires[0]!.open();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(wires[0]!.closed).toBe(4000);
    expect(wires.length).toBeGreaterThan(1);
  });

  it('keeps what it knows while away, with its age, and takes the new snapshot after', async () => {
    const { client, store, wires } = setup();
    client.hold('ports');
    client.start();
    wires[0]!.open();
    wires[0]!.say(onePort('A/1', 2));
    const heard = client.getStatus().lastFrameAt;
    wires[0]!.onclose?.();
    expect(client.getStatus()).toMatchObject({ phase: 'waiting', lastFrameAt: heard });
    expect(store.port(0)?.status).toBe('Charging');
    await vi.advanceTimersByTimeAsync(1000);
    wires[1]!.open();
    wires[1]!.say(onePort('A/1', 8));
    expect(store.port(0)?.status).toBe('Faulted');
  });

  it('asks who we are when the very handshake was refused', () => {
    const { client, last, refusals } = setup();
    client.start();
    last().onclose?.();
    expect(refusals()).toBe(1);
  });

  it('does not come back after stop', async () => {
    const { client, wires } = setup();
    client.start();
    wires[0]!.open();
    client.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires.length).toBe(1);
    expect(wires[0]!.closed).toBe(1000);
  });

  it('tells the server when the tab is hidden and connects at once when it is seen again', async () => {
    const { client, wires } = setup();
    client.start();
    wires[0]!.open();
    client.setHidden(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(wires[0]!.sent.at(-1)?.hidden).toBe(true);
    wires[0]!.onclose?.();
    client.setHidden(false);
    expect(wires.length).toBe(2);
  });

  it('counts ages on the clock of the server', () => {
    vi.setSystemTime(400_000);
    const { client, last } = setup();
    client.start();
    last().open();
    expect(client.clockOffset).toBe(600_000);
  });
});

describe('retryDelay', () => {
  it('doubles, is jittered by half and has a ceiling', () => {
    expect(retryDelay(0, 0)).toBe(250);
    expect(retryDelay(0, 1)).toBe(500);
    expect(retryDelay(3, 1)).toBe(4000);
    expect(retryDelay(50, 1)).toBe(15_000);
    expect(retryDelay(50, 0)).toBe(7500);
  });
});
