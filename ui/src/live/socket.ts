// Keeps one WebSocket to the live feed and says honestly how old its news is.
// Every frame must follow the one before it (revision) from the same server run
// (epoch); anything else means something was missed, and the page then asks for
// everything again rather than show a mix.
import type { Frame } from './protocol';
import { parseFrame } from './protocol';
import type { PortStore } from './store';

export type Phase = 'connecting' | 'live' | 'stale' | 'waiting';

export type LiveStatus = {
  phase: Phase;
  /** When the last frame came, by this browser's clock; 0 = none yet. */
  lastFrameAt: number;
  /** When the next attempt is due, by this browser's clock; only in phase waiting. */
  retryAt: number;
  build: string;
};

type FrameOf<T extends Frame['type']> = Extract<Frame, { type: T }>;

export type SocketLike = {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
};

export type LiveOptions = {
  store: PortStore;
  open: () => SocketLike;
  now?: () => number;
  random?: () => number;
  /** Asked after a refused connection: the session may have ended. */
  onRefused?: () => void;
};

export const STALE_AFTER = 5_000;
export const DEAD_AFTER = 12_000;
const FIRST_RETRY = 500;
const LAST_RETRY = 15_000;
const RESYNC_EVERY = 1_000;

/** Full jitter between half and all of the doubled delay, so that a restart is not met by all tabs at once. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(attempt, 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

export class LiveClient {
  private readonly store: PortStore;
  private readonly open: () => SocketLike;
  private readonly now: () => number;
  private readonly random: () => number;
  private readonly onRefused: () => void;

  private socket: SocketLike | null = null;
  private opened = false;
  private running = false;
  private epoch = '';
  private revision = -1;
  private attempts = 0;
  private hidden = false;
  private sendQueued = false;
  private connectedAt = 0;
  private lastHeard = 0;
  private resyncedAt = Number.NEGATIVE_INFINITY;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private readonly topics = new Map<string, number>();
  private readonly handlers = new Map<Frame['type'], Set<(frame: Frame) => void>>();
  private readonly statusListeners = new Set<() => void>();
  private readonly missedListeners = new Set<() => void>();
  private status: LiveStatus = { phase: 'connecting', lastFrameAt: 0, retryAt: 0, build: '' };
  /** Server clock minus ours: ages are counted on the server's clock. */
  clockOffset = 0;

  constructor(o: LiveOptions) {
    this.store = o.store;
    this.open = o.open;
    this.now = o.now ?? Date.now;
    this.random = o.random ?? Math.random;
    this.onRefused = o.onRefused ?? (() => {});
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.watchTimer = setInterval(() => this.watch(), 1000);
    this.connect();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.retryTimer);
    clearInterval(this.watchTimer);
    const socket = this.socket;
    this.detach();
    socket?.close(1000);
    this.attempts = 0;
    this.setStatus({ phase: 'connecting', lastFrameAt: 0, retryAt: 0 });
  }

  /** Tries at once instead of waiting for the next attempt. */
  retryNow(): void {
    if (!this.running || this.socket) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  getStatus = (): LiveStatus => this.status;

  subscribeStatus = (fn: () => void): (() => void) => {
    this.statusListeners.add(fn);
    return () => this.statusListeners.delete(fn);
  };

  on<T extends Frame['type']>(type: T, fn: (frame: FrameOf<T>) => void): () => void {
    let set = this.handlers.get(type);
    if (!set) {
      set = new Set();
      this.handlers.set(type, set);
    }
    set.add(fn as (frame: Frame) => void);
    return () => set.delete(fn as (frame: Frame) => void);
  }

  /** Calls back whenever frames may have been missed: what is not sent whole must be read again. */
  onMissed(fn: () => void): () => void {
    this.missedListeners.add(fn);
    return () => this.missedListeners.delete(fn);
  }

  /** Keeps a topic subscribed until the returned function is called. */
  hold(topic: string): () => void {
    const count = this.topics.get(topic) ?? 0;
    this.topics.set(topic, count + 1);
    if (count === 0) this.queueTopics();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.topics.get(topic) ?? 1) - 1;
      if (left > 0) this.topics.set(topic, left);
      else {
        this.topics.delete(topic);
        this.queueTopics();
      }
    };
  }

  setHidden(hidden: boolean): void {
    if (this.hidden === hidden) return;
    this.hidden = hidden;
    this.queueTopics();
    if (!hidden) this.retryNow();
  }

  private connect(): void {
    this.setStatus({ phase: this.status.lastFrameAt ? 'waiting' : 'connecting', retryAt: 0 });
    const socket = this.open();
    this.socket = socket;
    this.opened = false;
    this.revision = -1;
    this.connectedAt = this.now();
    socket.onopen = () => {
      this.opened = true;
      this.store.awaitSnapshot();
      this.sendTopics();
    };
    socket.onmessage = (e) => this.receive(e.data);
    socket.onclose = () => this.lost();
  }

  private detach(): void {
    if (!this.socket) return;
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket = null;
  }

  private lost(): void {
    const refused = !this.opened;
    this.detach();
    if (!this.running) return;
    const delay = retryDelay(this.attempts++, this.random());
    this.setStatus({ phase: 'waiting', retryAt: this.now() + delay });
    this.retryTimer = setTimeout(() => this.connect(), delay);
    if (refused) this.onRefused();
  }

  private watch(): void {
    if (!this.socket) return;
    const since = this.now() - Math.max(this.lastHeard, this.connectedAt);
    if (since > DEAD_AFTER) {
      // A half-open connection never says so: give it up ourselves.
      this.socket.close(4000);
      this.lost();
    } else if (since > STALE_AFTER && this.status.phase === 'live') {
      this.setStatus({ phase: 'stale' });
    }
  }

  private receive(data: unknown): void {
    if (typeof data !== 'string') return;
    const frame = parseFrame(data);
    if (frame === null) {
      this.resync();
      return;
    }
    if (frame === 'skip') {
      this.revision++;
      this.heard();
      return;
    }
    if (frame.type === 'hello') {
      this.epoch = frame.epoch;
      this.revision = frame.revision;
      this.attempts = 0;
      const server = Date.parse(frame.serverTime);
      if (Number.isFinite(server)) this.clockOffset = server - this.now();
      this.setStatus({ build: frame.build });
      this.missed();
    } else if (frame.epoch !== this.epoch || frame.revision !== this.revision + 1) {
      this.epoch = frame.epoch;
      this.revision = frame.revision;
      this.resync();
    } else {
      this.revision = frame.revision;
    }
    this.heard();
    if (frame.type === 'ports') {
      const fits = frame.snapshot === true ? this.store.applySnapshot(frame) : this.store.applyDelta(frame);
      if (!fits) this.resync();
    }
    const set = this.handlers.get(frame.type);
    if (set) for (const fn of [...set]) fn(frame);
  }

  private heard(): void {
    const t = this.now();
    // One update of the status per second is enough for an age in seconds.
    if (this.status.phase === 'live' && t - this.status.lastFrameAt < 900) {
      this.lastHeard = t;
      return;
    }
    this.lastHeard = t;
    this.setStatus({ phase: 'live', lastFrameAt: t, retryAt: 0 });
  }

  private missed(): void {
    for (const fn of [...this.missedListeners]) fn();
  }

  private resync(): void {
    this.store.awaitSnapshot();
    this.missed();
    // A server that keeps sending frames we cannot use must not be asked faster than this.
    const t = this.now();
    if (t - this.resyncedAt < RESYNC_EVERY) return;
    this.resyncedAt = t;
    this.sendTopics();
  }

  private queueTopics(): void {
    if (this.sendQueued) return;
    this.sendQueued = true;
    // Leaving one page and entering the next releases and holds within one task.
    queueMicrotask(() => {
      this.sendQueued = false;
      this.sendTopics();
    });
  }

  private sendTopics(): void {
    if (!this.socket || !this.opened) return;
    this.socket.send(JSON.stringify({ topics: [...this.topics.keys()].sort(), hidden: this.hidden }));
  }

  private setStatus(change: Partial<LiveStatus>): void {
    this.status = { ...this.status, ...change };
    for (const fn of [...this.statusListeners]) fn();
  }
}
