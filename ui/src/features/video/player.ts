// Brings live pictures into a <video>: WebRTC first, HLS where that does not get
// through, single pictures where nothing else does. It says all the time what is
// shown and how old it is, for a picture of the past must never pass as one of now.

export type Way = 'webrtc' | 'hls' | 'stills';

export type Showing = {
  /** What the newest picture came by. */
  way: Way;
  /** connecting: none yet; playing: of now; waiting: the newest is old. */
  state: 'connecting' | 'playing' | 'waiting';
  /** Why the better way is not used, as the server's code. */
  reason?: string;
  /** When the newest picture was shown, by this machine's clock. */
  at?: number;
  /** When it is tried again. */
  retryAt?: number;
};

export type Place = {
  video: HTMLVideoElement;
  img: HTMLImageElement;
  /** Where the camera's routes are: /api/v1/cameras/ID */
  base: string;
  stream: 'main' | 'sub';
  report: (s: Showing) => void;
};

/** With what it took to come here, a picture is not shown as one of now for longer than 3 s. */
const STALE = 2_500;
const LOST = 6_000;
const CONNECT = 5_000;
const STILL_EVERY = 1_000;

/** What the server says when a way is closed for this camera, not only for now. */
const CLOSED = new Set(['codec', 'reordered', 'noWebRTC', 'masked']);

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export async function refusal(answer: Response): Promise<Refused> {
  const body: unknown = await answer.json().catch(() => null);
  const code = body && typeof body === 'object' && 'code' in body ? String(body.code) : '';
  return new Refused(answer.status, code);
}

/** How long to wait before the next try: 1, 2, 4 ... 30 s. */
export const pause = (tries: number): number => Math.min(30_000, 1_000 * 2 ** Math.min(tries, 5));

/** How long a lesser way is kept to before the best is tried again: 1, 2, 4 ... 30 min. */
export const patience = (upgrades: number): number =>
  Math.min(30 * 60_000, 60_000 * 2 ** Math.min(upgrades, 5));

/** The ways that are open, best first. */
export function ways(closed: ReadonlySet<Way>): Way[] {
  const all: Way[] = ['webrtc', 'hls', 'stills'];
  return all.filter((w) => !closed.has(w));
}

/**
 * What to make of a way after so long without a picture, and in how many ms that may change
 * without one.
 */
export function judge(
  shown: boolean,
  still: number,
  since: number,
  patience: number | undefined,
): { verdict: 'good' | 'old' | 'lost' | 'tired'; again: number } {
  const lost = (shown ? LOST : CONNECT) - still;
  if (lost <= 0) return { verdict: 'lost', again: 0 };
  if (shown && still >= STALE) return { verdict: 'old', again: lost };
  const over = patience === undefined ? Infinity : patience - since;
  if (over <= 0) return { verdict: 'tired', again: 0 };
  return { verdict: 'good', again: Math.min(shown ? STALE - still : lost, over) };
}

/** Shows the camera until stopped. */
export function play(place: Place): () => void {
  const stop = new AbortController();
  void run(place, stop.signal).catch(() => undefined);
  return () => stop.abort();
}

async function run(place: Place, stop: AbortSignal): Promise<void> {
  const closed = new Set<Way>();
  if (typeof RTCPeerConnection === 'undefined') closed.add('webrtc');
  let closedFor: string | undefined;
  let tries = 0;
  let upgrades = 0;
  while (!stop.aborted) {
    let reason = closedFor;
    let upgrade = false;
    for (const way of ways(closed)) {
      const best = way === ways(closed)[0];
      const watch = new Watch(way, place.report, reason, best ? undefined : patience(upgrades));
      try {
        await SHOW[way](place, watch, stop);
      } catch (error) {
        if (error instanceof Refused && error.code) {
          reason = error.code;
          if (CLOSED.has(error.code)) {
            closed.add(way);
            closedFor = error.code;
          }
        }
      } finally {
        watch.end();
      }
      if (stop.aborted) return;
      if (watch.shown) {
        // What worked has stopped: begin again with the best.
        tries = 0;
        upgrade = watch.tired;
        upgrades = best ? 0 : upgrades + 1;
        break;
      }
      if (way === 'webrtc') reason ??= 'network';
      if (reason === 'noPicture') break;
    }
    if (upgrade) continue;
    const wait = pause(tries++);
    place.report({ way: 'webrtc', state: 'waiting', reason, retryAt: Date.now() + wait });
    await sleep(wait, stop);
  }
}

const SHOW: Record<Way, (p: Place, w: Watch, stop: AbortSignal) => Promise<void>> = {
  webrtc: byWebRTC,
  hls: byPlaylist,
  stills: byStills,
};

/** Watches that pictures keep coming. */
class Watch {
  shown = false;
  /** It was given up for a better way. */
  tired = false;
  private last = performance.now();
  private readonly began = performance.now();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lost: (() => void) | undefined;
  readonly gone = new Promise<void>((resolve) => {
    this.lost = resolve;
  });

  constructor(
    private readonly way: Way,
    private readonly report: (s: Showing) => void,
    private readonly reason: string | undefined,
    private readonly patience: number | undefined,
  ) {
    this.say('connecting');
    this.look();
  }

  /** Judges what is shown, and again at the moment at which that may be another. */
  private readonly look = (): void => {
    const now = performance.now();
    const { verdict, again } = judge(this.shown, now - this.last, now - this.began, this.patience);
    if (verdict === 'tired') this.tired = true;
    if (verdict === 'tired' || verdict === 'lost') {
      this.lost?.();
      return;
    }
    if (verdict === 'old') this.say('waiting');
    this.timer = setTimeout(this.look, again);
  };

  /** A picture was put on the screen. */
  picture(): void {
    this.last = performance.now();
    this.shown = true;
    this.say('playing');
  }

  /** The connection is gone. */
  lose(): void {
    this.lost?.();
  }

  end(): void {
    clearTimeout(this.timer);
    this.lost?.();
  }

  private at: number | undefined;
  private said = '';
  private say(state: Showing['state']): void {
    if (state === 'playing') this.at = Date.now();
    // A picture a frame is not told a frame: twice a second is enough for an age.
    const key = `${state}:${state === 'playing' ? Math.floor((this.at ?? 0) / 500) : ''}`;
    if (key === this.said) return;
    this.said = key;
    this.report({ way: this.way, state, reason: this.reason, at: this.at });
  }
}

/** Calls fn for each picture that the element shows. */
function eachPicture(video: HTMLVideoElement, fn: () => void, stop: AbortSignal): void {
  if ('requestVideoFrameCallback' in video) {
    const next = () => {
      if (stop.aborted) return;
      fn();
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    return;
  }
  const moved = video as HTMLVideoElement;
  moved.addEventListener('timeupdate', fn, { signal: stop });
}

async function byWebRTC(place: Place, watch: Watch, stop: AbortSignal): Promise<void> {
  const inner = new AbortController();
  const end = () => inner.abort();
  stop.addEventListener('abort', end);
  const peer = new RTCPeerConnection();
  let session: string | null = null;
  const leave = () => {
    peer.close();
    if (session) void fetch(session, { method: 'DELETE', keepalive: true }).catch(() => undefined);
    session = null;
  };
  // A page that is closed says so; one that comes back from where it was begins anew.
  addEventListener('pagehide', leave, { signal: inner.signal });
  addEventListener('pageshow', (e) => e.persisted && watch.lose(), { signal: inner.signal });
  try {
    const { receiver } = peer.addTransceiver('video', { direction: 'recvonly' });
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    peer.addEventListener('track', (e) => {
      place.video.srcObject = new MediaStream([e.track]);
      eachPicture(place.video, () => watch.picture(), inner.signal);
      void place.video.play().catch(() => undefined);
    });
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'failed' || peer.connectionState === 'closed') watch.lose();
    });
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await fetch(`${place.base}/whep?stream=${place.stream}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: peer.localDescription?.sdp ?? '',
      signal: stop,
    });
    if (!answer.ok) throw await refusal(answer);
    session = answer.headers.get('Location');
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    await Promise.race([watch.gone, aborted(stop)]);
  } finally {
    end();
    stop.removeEventListener('abort', end);
    leave();
  }
}

async function byPlaylist(place: Place, watch: Watch, stop: AbortSignal): Promise<void> {
  const url = `${place.base}/hls/${place.stream}/index.m3u8`;
  const first = await fetch(url, { signal: stop });
  if (!first.ok) throw await refusal(first);
  const { default: Hls } = await import('hls.js/light');
  const inner = new AbortController();
  const end = () => inner.abort();
  stop.addEventListener('abort', end);
  place.video.srcObject = null;
  try {
    if (!Hls.isSupported()) {
      // A browser without media source plays the address itself.
      place.video.src = url;
      eachPicture(place.video, () => watch.picture(), inner.signal);
      void place.video.play().catch(() => undefined);
      await Promise.race([watch.gone, aborted(stop)]);
      return;
    }
    const hls = new Hls({
      lowLatencyMode: true,
      enableWorker: false,
      liveMaxLatencyDuration: 6,
      liveSyncDuration: 1,
      maxLiveSyncPlaybackRate: 1.5,
      backBufferLength: 10,
    });
    try {
      hls.on(Hls.Events.ERROR, (_, e) => {
        if (e.fatal) watch.lose();
      });
      hls.loadSource(url);
      hls.attachMedia(place.video);
      eachPicture(place.video, () => watch.picture(), inner.signal);
      void place.video.play().catch(() => undefined);
      await Promise.race([watch.gone, aborted(stop)]);
    } finally {
      hls.destroy();
    }
  } finally {
    end();
    stop.removeEventListener('abort', end);
    place.video.removeAttribute('src');
  }
}

async function byStills(place: Place, watch: Watch, stop: AbortSignal): Promise<void> {
  let url = '';
  try {
    let over = false;
    void watch.gone.then(() => {
      over = true;
    });
    for (let failed = 0; !stop.aborted && !over; ) {
      const began = performance.now();
      const answer = await fetch(`${place.base}/snapshot.jpg?stream=${place.stream}`, {
        cache: 'no-store',
        signal: stop,
      });
      if (!answer.ok) {
        if (++failed > 3 || !watch.shown) throw await refusal(answer);
      } else {
        failed = 0;
        const next = URL.createObjectURL(await answer.blob());
        place.img.src = next;
        if (url) URL.revokeObjectURL(url);
        url = next;
        watch.picture();
      }
      await sleep(STILL_EVERY - (performance.now() - began), stop);
    }
  } finally {
    if (url) URL.revokeObjectURL(url);
  }
}

function aborted(s: AbortSignal): Promise<void> {
  if (s.aborted) return Promise.resolve();
  return new Promise((resolve) => s.addEventListener('abort', () => resolve(), { once: true }));
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const t = setTimeout(done, Math.max(0, ms));
    function done() {
      clearTimeout(t);
      stop.removeEventListener('abort', done);
      resolve();
    }
    stop.addEventListener('abort', done);
  });
}
