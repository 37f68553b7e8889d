// The small pictures that show where somebody is on a timeline. The newest question
// comes first, what is on its way is waited for, and what was seen is kept for a while.
import { useEffect, useState } from 'react';
import { refusal } from './player';

export type Thumb = {
  /** Of an object in memory; empty while there is none. */
  url: string;
  /** When it was taken. */
  at: number;
};

export type Glimpse =
  | { state: 'loading'; last?: Thumb }
  | { state: 'shown'; thumb: Thumb }
  | { state: 'none'; code: string };

const MOST = 300;
const AT_ONCE = 2;
/** How long an answer that there is none counts. */
const NONE_FOR = 5_000;

const rounded = (at: number, step: number) => Math.round(at / step) * step;

type Entry = { thumb?: Thumb; code?: string; asked: number };

export class Thumbs {
  private readonly known = new Map<string, Entry>();
  private readonly running = new Map<string, AbortController>();
  private next: { camera: string; at: number } | null = null;
  private readonly listeners = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly load: typeof fetch = fetch,
    private readonly now: () => number = Date.now,
  ) {}

  subscribe(fn: () => void): () => void {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  /** What is known of a moment. */
  peek(camera: string, at: number, step: number): Glimpse {
    const moment = rounded(at, step);
    const entry = this.known.get(`${camera} ${moment}`);
    if (entry?.thumb) return { state: 'shown', thumb: entry.thumb };
    if (entry?.code && this.now() - entry.asked < NONE_FOR) return { state: 'none', code: entry.code };
    return { state: 'loading', last: this.near(camera, moment, 4 * step) };
  }

  /** Asks for a moment, unless it is known. */
  want(camera: string, at: number, step: number): void {
    if (this.peek(camera, at, step).state === 'loading') this.ask(camera, rounded(at, step));
  }

  /** The nearest that is known, no further away than a reach. */
  private near(camera: string, at: number, reach: number): Thumb | undefined {
    let best: Thumb | undefined;
    for (const [key, { thumb }] of this.known) {
      if (!thumb || !key.startsWith(`${camera} `)) continue;
      const off = Math.abs(thumb.at - at);
      if (off <= reach && (!best || off < Math.abs(best.at - at))) best = thumb;
    }
    return best;
  }

  close(): void {
    this.closed = true;
    for (const c of this.running.values()) c.abort();
    for (const { thumb } of this.known.values()) if (thumb) URL.revokeObjectURL(thumb.url);
    this.known.clear();
  }

  private ask(camera: string, at: number): void {
    const key = `${camera} ${at}`;
    if (this.closed || this.running.has(key)) return;
    const mine = [...this.running.keys()].filter((k) => k.startsWith(`${camera} `)).length;
    if (mine >= AT_ONCE) {
      this.next = { camera, at };
      return;
    }
    const stop = new AbortController();
    this.running.set(key, stop);
    void this.fetch(camera, at, stop.signal)
      .catch(
        (error: unknown): Entry => ({
          code: String((error as { code?: unknown }).code || 'failed'),
          asked: 0,
        }),
      )
      .then((entry) => {
        this.running.delete(key);
        if (this.closed) {
          if (entry.thumb) URL.revokeObjectURL(entry.thumb.url);
          return;
        }
        this.known.set(key, { ...entry, asked: this.now() });
        for (const [old, { thumb }] of this.known) {
          if (this.known.size <= MOST) break;
          if (thumb) URL.revokeObjectURL(thumb.url);
          this.known.delete(old);
        }
        const next = this.next;
        this.next = null;
        if (next) this.ask(next.camera, next.at);
        for (const fn of this.listeners) fn();
      });
  }

  private async fetch(camera: string, at: number, signal: AbortSignal): Promise<Entry> {
    const time = encodeURIComponent(new Date(at).toISOString());
    const answer = await this.load(
      `/api/v1/cameras/${encodeURIComponent(camera)}/playback/thumbnail.jpg?at=${time}`,
      { signal },
    );
    if (!answer.ok) throw await refusal(answer);
    const taken = Date.parse(answer.headers.get('Chargewatch-At') ?? '');
    const url = URL.createObjectURL(await answer.blob());
    return { thumb: { url, at: Number.isFinite(taken) ? taken : at }, asked: 0 };
  }
}

/** All that a page has seen; gone with the page. */
export function useThumbs(): Thumbs {
  const [thumbs, put] = useState(() => new Thumbs((...a) => fetch(...a)));
  useEffect(() => {
    // A page that comes back after it was taken apart begins anew.
    const mine = new Thumbs((...a) => fetch(...a));
    put(mine);
    return () => mine.close();
  }, []);
  return thumbs;
}

/** The picture of a moment, as far as it is known; null asks for none. */
export function useGlimpse(
  thumbs: Thumbs,
  camera: string | undefined,
  at: number | null,
  step: number,
): Glimpse | null {
  const [, redraw] = useState(0);
  useEffect(() => thumbs.subscribe(() => redraw((n) => n + 1)), [thumbs]);
  useEffect(() => {
    if (camera !== undefined && at !== null) thumbs.want(camera, at, step);
  }, [thumbs, camera, at, step]);
  return camera === undefined || at === null ? null : thumbs.peek(camera, at, step);
}
