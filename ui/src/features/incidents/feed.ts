// Keeps the store of incidents true for as long as somebody looks at it.
import { useEffect, useSyncExternalStore } from 'react';
import { api, ok } from '../../api/client';
import { useLive } from '../../live/hooks';
import type { LiveClient } from '../../live/socket';
import { IncidentStore, type Snapshot } from './store';

const PAGE = 1000;
const MAX_PAGES = 30;
/** The list is read again so often, should a change have got lost. */
const AGAIN = 120_000;
/** Two gaps in a row are one reason to read. */
const SETTLE = 200;

class Feed {
  readonly store = new IncidentStore();
  private users = 0;
  private stop: (() => void) | null = null;
  private reading: AbortController | null = null;
  private soon: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: LiveClient) {}

  enter(): () => void {
    if (this.users++ === 0) this.start();
    return () => {
      if (--this.users === 0) this.leave();
    };
  }

  readonly again = (): void => {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => void this.read(), SETTLE);
  };

  private start(): void {
    const offs = [
      this.client.on('incident', (frame) => this.store.change(frame.data)),
      this.client.onMissed(this.again),
      this.client.hold('incidents'),
    ];
    const timer = setInterval(this.again, AGAIN);
    this.stop = () => {
      for (const off of offs) off();
      clearInterval(timer);
      clearTimeout(this.soon);
      this.reading?.abort();
    };
    void this.read();
  }

  private leave(): void {
    this.stop?.();
    this.stop = null;
  }

  private async read(): Promise<void> {
    this.reading?.abort();
    const control = new AbortController();
    this.reading = control;
    this.store.begin();
    try {
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await ok(
          api.GET('/incidents', {
            params: { query: { state: 'active', limit: PAGE, cursor } },
            signal: control.signal,
          }),
        );
        if (control.signal.aborted) return;
        this.store.page(answer.items);
        cursor = answer.nextCursor || undefined;
        if (!cursor) break;
      }
      this.store.end();
    } catch (error) {
      if (!control.signal.aborted) this.store.failed(error);
    } finally {
      if (this.reading === control) this.reading = null;
    }
  }
}

// One feed for each connection, however many parts of a page read it.
const feeds = new WeakMap<LiveClient, Feed>();

function feedOf(client: LiveClient): Feed {
  let feed = feeds.get(client);
  if (!feed) {
    feed = new Feed(client);
    feeds.set(client, feed);
  }
  return feed;
}

/** All incidents that are not over, live. */
export function useIncidents(): Snapshot & { store: IncidentStore; again: () => void } {
  const { client } = useLive();
  const feed = feedOf(client);
  useEffect(() => feed.enter(), [feed]);
  const snapshot = useSyncExternalStore(feed.store.subscribe, feed.store.get);
  return { ...snapshot, store: feed.store, again: feed.again };
}

/** The store alone, for who changes it without showing it. */
export function useIncidentStore(): IncidentStore {
  const { client } = useLive();
  return feedOf(client).store;
}
