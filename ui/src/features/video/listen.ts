// The sound of a recording, beside its pictures: they play whether it does or not. It
// is read in stretches that lie within one time without a gap, and kept in step.

/** How much is read at once, and how much of it lies before the moment. */
const LENGTH = 120_000;
const BEFORE = 1000;
/** Off by more than that it jumps. */
const OFF = 0.3;
/** What was not there is asked for again after that. */
const AGAIN = 5000;

export type SoundState = 'loading' | 'playing' | 'none';

export type Recorded = readonly { from: number; to: number }[] | undefined;

/** What is to be read for a moment: a stretch of the time without a gap that it lies in. */
export function stretchOf(recorded: Recorded, at: number, now: number): { from: number; to: number } | null {
  // What is being recorded reaches farther than we were told.
  const span = recorded?.findLast((s) => s.from <= at && at < s.to + 15_000);
  if (!span) return null;
  const end = at >= span.to - LENGTH ? Math.max(span.to, now) : span.to;
  const from = Math.max(span.from, at - BEFORE);
  const to = Math.min(end, from + LENGTH);
  return to - from < 500 ? null : { from, to };
}

export class Listening {
  private readonly audio = new Audio();
  private from = 0;
  private to = 0;
  private url = '';
  private asked = Number.NEGATIVE_INFINITY;
  private busy: AbortController | null = null;
  private ended = false;
  recorded: Recorded;
  state: SoundState = 'loading';

  constructor(
    private readonly base: string,
    private readonly changed: (s: SoundState) => void,
  ) {}

  follow(at: number, speed: number, playing: boolean, now: number): void {
    if (this.ended) return;
    if (this.url === '' || at < this.from || at > this.to - 100) {
      if (!this.audio.paused) this.audio.pause();
      if (!this.busy && performance.now() - this.asked > (this.url === '' ? AGAIN : 1000))
        void this.load(at, now);
      return;
    }
    const place = (at - this.from) / 1000;
    if (!playing || speed < 0.5 || speed > 2) {
      if (!this.audio.paused) this.audio.pause();
      return;
    }
    const off = this.audio.currentTime - place;
    if (Math.abs(off) > OFF * Math.max(1, speed)) this.audio.currentTime = place;
    this.audio.playbackRate = speed * (1 - Math.min(0.05, Math.max(-0.05, off / 4)));
    if (this.audio.paused) void this.audio.play().catch(() => undefined);
  }

  end(): void {
    this.ended = true;
    this.busy?.abort();
    this.audio.pause();
    this.drop();
  }

  private drop(): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = '';
    this.audio.removeAttribute('src');
  }

  private put(s: SoundState): void {
    if (s === this.state) return;
    this.state = s;
    this.changed(s);
  }

  private async load(at: number, now: number): Promise<void> {
    this.asked = performance.now();
    this.drop();
    const wanted = stretchOf(this.recorded, at, now);
    if (!wanted) return this.put('none');
    const busy = new AbortController();
    this.busy = busy;
    const time = (t: number) => encodeURIComponent(new Date(t).toISOString());
    try {
      const r = await fetch(
        `${this.base}/playback/sound.m4a?from=${time(wanted.from)}&to=${time(wanted.to)}`,
        {
          signal: busy.signal,
        },
      );
      if (!r.ok) return this.put('none');
      const begins = Date.parse(r.headers.get('Chargewatch-From') ?? '');
      const ends = Date.parse(r.headers.get('Chargewatch-To') ?? '');
      const blob = await r.blob();
      if (this.ended || Number.isNaN(begins) || Number.isNaN(ends)) return;
      this.from = begins;
      this.to = ends;
      this.url = URL.createObjectURL(blob);
      this.audio.src = this.url;
      this.put('playing');
    } catch {
      if (!this.ended) this.put('none');
    } finally {
      this.busy = null;
    }
  }
}
