// Plays what was recorded of one camera, following a clock that it shares with
// others: it seeks when it is off by more than a blink and waits at gaps.
import type Hls from 'hls.js';
import type { Fragment } from 'hls.js';
import type { Listening } from './listen';

const BEFORE = 60_000;
const AFTER = 15 * 60_000;
const OFF = 0.4;

export type ReplayState = 'loading' | 'showing' | 'none';

/** Where a moment lies in the player's own time, null where nothing was recorded. */
export function placeOf(
  fragments: readonly Pick<Fragment, 'start' | 'duration' | 'programDateTime'>[],
  at: number,
): number | null {
  for (const f of fragments) {
    if (f.programDateTime === null || f.programDateTime === undefined) continue;
    const into = (at - f.programDateTime) / 1000;
    if (into >= -0.05 && into < f.duration) return f.start + Math.max(0, into);
  }
  return null;
}

/** So long after its last picture that is listed a camera may still be being recorded. */
const GOING_ON = 8_000;

/** Whether the moment lies behind what is listed so far of a recording that goes on. */
export function awaited(
  fragments: readonly Pick<Fragment, 'duration' | 'programDateTime'>[],
  at: number,
  now: number,
): boolean {
  const last = fragments.at(-1);
  if (last?.programDateTime === null || last?.programDateTime === undefined) return false;
  const end = last.programDateTime + last.duration * 1000;
  return at >= end && now - end < GOING_ON;
}

export class Replay {
  private hls: Hls | null = null;
  private from = 0;
  private to = 0;
  private fragments: readonly Fragment[] = [];
  private ended = false;
  private asked = 0;
  state: ReplayState = 'loading';
  /** The sound beside it, while somebody listens. */
  sound: Listening | null = null;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly base: string,
    private readonly changed: (s: ReplayState) => void,
  ) {}

  /** Shows the moment, running at the speed if it plays. */
  follow(at: number, speed: number, playing: boolean, now: number): void {
    if (this.ended) return;
    this.sound?.follow(at, speed, playing, now);
    if (at < this.from || at > this.to - 5_000) {
      // What was not there yet is asked for again, but not all the time.
      const soon = at >= this.from && at <= this.to + 1000 && performance.now() - this.asked < 5_000;
      if (!soon) {
        void this.load(at, now);
        return;
      }
    }
    if (this.fragments.length === 0) return;
    const place = placeOf(this.fragments, at);
    const v = this.video;
    if (place === null) {
      if (!v.paused) v.pause();
      this.put(awaited(this.fragments, at, now) ? 'loading' : 'none');
      return;
    }
    const off = v.currentTime - place;
    if (Math.abs(off) > OFF * Math.max(1, speed)) v.currentTime = place;
    // A little faster or slower keeps it in step without a jump.
    v.playbackRate = Math.min(16, Math.max(0.0625, speed * (1 - Math.min(0.1, Math.max(-0.1, off / 4)))));
    if (playing && v.paused) void v.play().catch(() => undefined);
    if (!playing && !v.paused) v.pause();
    this.put(v.readyState >= 2 ? 'showing' : 'loading');
  }

  end(): void {
    this.ended = true;
    this.sound?.end();
    this.hls?.destroy();
    this.hls = null;
  }

  private put(s: ReplayState): void {
    if (s === this.state) return;
    this.state = s;
    this.changed(s);
  }

  private async load(at: number, now: number): Promise<void> {
    this.asked = performance.now();
    this.from = at - BEFORE;
    this.to = Math.min(at + AFTER, now);
    this.fragments = [];
    this.put('loading');
    const { default: Hls } = await import('hls.js/light');
    if (this.ended) return;
    this.hls?.destroy();
    const hls = new Hls({ enableWorker: false, startPosition: 0, maxBufferLength: 20, backBufferLength: 30 });
    this.hls = hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_, e) => {
      if (this.hls === hls) this.fragments = e.details.fragments;
    });
    hls.on(Hls.Events.ERROR, (_, e) => {
      if (e.fatal && this.hls === hls) this.put('none');
    });
    const time = (t: number) => encodeURIComponent(new Date(t).toISOString());
    hls.loadSource(`${this.base}/playback/index.m3u8?from=${time(this.from)}&to=${time(this.to)}`);
    hls.attachMedia(this.video);
  }
}
