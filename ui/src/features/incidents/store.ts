// All incidents that are not over, in order, from one list and the changes that
// follow it. Changes wait for the next frame and are merged at once: a thousand
// a second cost the page what sixty do.
import { compare, type Incident, isIncident, stands, whole } from './shape';

export type Snapshot = {
  /** Worst first. Those folded into others are not among them. */
  rows: readonly Incident[];
  ready: boolean;
  error: unknown;
  /** Pages are still to come. */
  reading: boolean;
};

export type Schedule = (run: () => void) => void;

const newer = (a: Incident | undefined, b: Incident): Incident =>
  a !== undefined && Date.parse(a.updatedAt) > Date.parse(b.updatedAt) ? a : b;

/** The rows with what changed put in its place; both are in order before and after. */
export function merge(rows: readonly Incident[], changes: ReadonlyMap<string, Incident>): Incident[] {
  const come = [...changes.values()].filter(stands).sort(compare);
  const out: Incident[] = [];
  let next = 0;
  for (const row of rows) {
    if (changes.has(row.id)) continue;
    while (next < come.length && compare(come[next]!, row) < 0) out.push(come[next++]!);
    out.push(row);
  }
  while (next < come.length) out.push(come[next++]!);
  return out;
}

/** One change per frame of the screen; a page nobody looks at has no frames. */
export const eachFrame: Schedule = (run) => {
  if (document.hidden) setTimeout(run, 500);
  else requestAnimationFrame(run);
};

export class IncidentStore {
  private readonly all = new Map<string, Incident>();
  private readonly waiting = new Map<string, Incident>();
  private readonly listeners = new Set<() => void>();
  private scheduled = false;
  /** Ids heard of since a reading of the list began. */
  private heard: Set<string> | null = null;
  private listed = new Set<string>();
  private snapshot: Snapshot = { rows: [], ready: false, error: null, reading: false };

  constructor(private readonly schedule: Schedule = eachFrame) {}

  readonly subscribe = (fn: () => void): (() => void) => {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  };

  readonly get = (): Snapshot => this.snapshot;

  /** A change from the feed, or the answer to an act. */
  change(v: unknown): void {
    if (!isIncident(v)) return;
    this.heard?.add(v.id);
    this.waiting.set(v.id, newer(this.waiting.get(v.id), whole(v)));
    this.wake();
  }

  /** The list is being read: what it does not name at the end, and nobody told of meanwhile, is over. */
  begin(): void {
    this.heard = new Set();
    this.listed = new Set();
    this.set({ reading: true });
  }

  page(items: readonly unknown[]): void {
    for (const i of items) {
      if (!isIncident(i)) continue;
      this.listed.add(i.id);
      this.waiting.set(i.id, newer(this.waiting.get(i.id) ?? this.all.get(i.id), whole(i)));
    }
    this.flush();
    this.set({ ready: true, error: null });
  }

  end(): void {
    const heard = this.heard ?? new Set();
    this.heard = null;
    for (const [id, row] of this.all) {
      if (!this.listed.has(id) && !heard.has(id)) this.waiting.set(id, { ...row, state: 'closed' });
    }
    this.flush();
    this.set({ ready: true, error: null, reading: false });
  }

  failed(error: unknown): void {
    this.heard = null;
    this.set({ error, reading: false });
  }

  private wake(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.waiting.size === 0) return;
    const changes = new Map<string, Incident>();
    for (const [id, change] of this.waiting) {
      const row = newer(this.all.get(id), change);
      if (row !== change) continue;
      changes.set(id, row);
      if (stands(row)) this.all.set(id, row);
      else this.all.delete(id);
    }
    this.waiting.clear();
    if (changes.size > 0) this.set({ rows: merge(this.snapshot.rows, changes) });
  }

  private set(part: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...part };
    for (const fn of [...this.listeners]) fn();
  }
}
