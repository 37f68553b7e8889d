// The live state of each port, held in typed arrays outside React. A frame
// writes into the arrays at once; readers hear of it at most once per animation
// frame, and a row only when its own port changed. So 20,000 ports cost the
// page what the visible ones cost.
import type { PortsDelta, PortsSnapshot } from './protocol';
import { FAMILIES, type Family, familyCode, type Status, statusOf } from './status';

export type PortView = {
  index: number;
  id: string;
  station: string;
  port: string;
  label: string;
  site: string;
  status: Status;
  family: Family;
  online: boolean;
  free: boolean;
  /** null: none reported. */
  powerW: number | null;
  ratedW: number;
  statusAt: number;
};

export type StationEntry = { id: string; label: string; site: string; ports: number[] };

type Listener = () => void;
export type Schedule = (flush: () => void) => void;

/** What stands in the power column for a port that reports none. */
export const NO_POWER = -1;

type Columns = {
  ids: string[];
  labels: string[];
  sites: string[];
  site: Uint32Array;
  status: Uint8Array;
  online: Uint8Array;
  powerW: Float64Array;
  ratedW: Float64Array;
  statusAt: Float64Array;
  free: Uint8Array;
};

const emptyColumns = (n: number): Columns => ({
  ids: new Array<string>(n).fill(''),
  labels: new Array<string>(n).fill(''),
  sites: [],
  site: new Uint32Array(n),
  status: new Uint8Array(n),
  online: new Uint8Array(n),
  powerW: new Float64Array(n).fill(NO_POWER),
  ratedW: new Float64Array(n),
  statusAt: new Float64Array(n),
  free: new Uint8Array(n),
});

export const MAX_PORTS = 200_000;

export function splitPortId(id: string): { station: string; port: string } {
  const cut = id.lastIndexOf('/');
  return cut < 0 ? { station: id, port: '' } : { station: id.slice(0, cut), port: id.slice(cut + 1) };
}

/** A frame callback that also works in a hidden tab, where animation frames do not run. */
export const frameSchedule: Schedule = (flush) => {
  if (typeof document !== 'undefined' && document.hidden) setTimeout(flush, 1000);
  else requestAnimationFrame(flush);
};

export class PortStore {
  columns: Columns = emptyColumns(0);
  family = new Uint8Array(0);
  stations: StationEntry[] = [];
  /** Grows when the set of ports changed: indexes from before mean other ports. */
  layout = 0;
  /** Grows with each flush that changed anything. */
  revision = 0;
  /** False until the first snapshot is whole. */
  ready = false;
  readonly counts = new Int32Array(FAMILIES.length);
  freeCount = 0;

  private stationIndex = new Map<string, number>();
  private portIndex = new Map<string, number>();
  private staging: { columns: Columns; filled: number; siteIds: Map<string, number> } | null = null;
  private awaiting = true;
  private dirty: number[] = [];
  private isDirty = new Uint8Array(0);
  private versions = new Uint32Array(0);
  private scheduled = false;
  private layoutDirty = false;
  private readonly portListeners = new Map<number, Set<Listener>>();
  private readonly flushListeners = new Set<(dirty: readonly number[], layoutChanged: boolean) => void>();

  constructor(private readonly schedule: Schedule = frameSchedule) {}

  get size(): number {
    return this.columns.ids.length;
  }

  /** After a gap the values stay on screen, but no delta counts until a new snapshot came. */
  awaitSnapshot(): void {
    this.awaiting = true;
    this.staging = null;
  }

  /** Returns false when the frame does not fit what we hold: the caller must ask for a new snapshot. */
  applySnapshot(f: PortsSnapshot): boolean {
    if (f.total > MAX_PORTS || f.total < 0) return false;
    if (f.offset === 0) this.staging = { columns: emptyColumns(f.total), filled: 0, siteIds: new Map() };
    const staging = this.staging;
    if (!staging || staging.columns.ids.length !== f.total || f.offset !== staging.filled) return false;
    const c = staging.columns;
    const n = f.ids.length;
    if (f.offset + n > f.total) return false;
    // Each frame brings its own dictionary; ours is the union.
    const sites = f.sites.map((id) => {
      let at = staging.siteIds.get(id);
      if (at === undefined) {
        at = c.sites.push(id) - 1;
        staging.siteIds.set(id, at);
      }
      return at;
    });
    for (let k = 0; k < n; k++) {
      const i = f.offset + k;
      c.ids[i] = f.ids[k]!;
      c.labels[i] = f.labels[k]!;
      const site = sites[f.site[k]!];
      if (site === undefined) return false;
      c.site[i] = site;
      c.status[i] = f.status[k]!;
      c.online[i] = f.online[k]!;
      c.powerW[i] = f.powerW[k]!;
      c.ratedW[i] = f.ratedW[k]!;
      c.statusAt[i] = f.statusAt[k]!;
      c.free[i] = f.free[k]!;
    }
    staging.filled += n;
    if (staging.filled === f.total) {
      this.commit(c);
      this.staging = null;
      this.awaiting = false;
    }
    return true;
  }

  /** Returns false when the frame does not fit what we hold: the caller must ask for a new snapshot. */
  applyDelta(f: PortsDelta): boolean {
    // Deltas between a subscription and its snapshot speak of a table we do not have yet.
    if (this.awaiting) return true;
    const c = this.columns;
    const size = this.size;
    for (const i of f.index) if (!(i >= 0 && i < size)) return false;
    for (let k = 0; k < f.index.length; k++) {
      const i = f.index[k]!;
      c.status[i] = f.status[k]!;
      c.online[i] = f.online[k]!;
      c.powerW[i] = f.powerW[k]!;
      c.statusAt[i] = f.statusAt[k]!;
      this.freeCount += f.free[k]! - c.free[i]!;
      c.free[i] = f.free[k]!;
      this.refamily(i);
      this.mark(i);
    }
    if (f.index.length > 0) this.wake();
    return true;
  }

  port(i: number): PortView | undefined {
    const c = this.columns;
    const id = c.ids[i];
    if (id === undefined) return undefined;
    const { station, port } = splitPortId(id);
    return {
      index: i,
      id,
      station,
      port,
      label: c.labels[i]!,
      site: c.sites[c.site[i]!] ?? '',
      status: statusOf(c.status[i]!),
      family: FAMILIES[this.family[i]!]!,
      online: c.online[i] === 1,
      free: c.free[i] === 1,
      powerW: this.powerOf(i),
      ratedW: c.ratedW[i]!,
      statusAt: c.statusAt[i]!,
    };
  }

  powerOf(i: number): number | null {
    const w = this.columns.powerW[i];
    return w === undefined || w === NO_POWER ? null : w;
  }

  station(id: string): StationEntry | undefined {
    const at = this.stationIndex.get(id);
    return at === undefined ? undefined : this.stations[at];
  }

  indexOf(portId: string): number {
    return this.portIndex.get(portId) ?? -1;
  }

  version(i: number): number {
    return this.versions[i] ?? 0;
  }

  subscribePorts(indexes: readonly number[], fn: Listener): () => void {
    for (const i of indexes) {
      let set = this.portListeners.get(i);
      if (!set) {
        set = new Set();
        this.portListeners.set(i, set);
      }
      set.add(fn);
    }
    return () => {
      for (const i of indexes) {
        const set = this.portListeners.get(i);
        set?.delete(fn);
        if (set?.size === 0) this.portListeners.delete(i);
      }
    };
  }

  subscribe(fn: (dirty: readonly number[], layoutChanged: boolean) => void): () => void {
    this.flushListeners.add(fn);
    return () => this.flushListeners.delete(fn);
  }

  private commit(next: Columns): void {
    const before = this.columns;
    const same =
      this.ready && before.ids.length === next.ids.length && before.ids.every((id, i) => id === next.ids[i]);
    const old = this.columns;
    this.columns = next;
    if (!same) this.rebuild();
    this.recount();
    for (let i = 0; i < this.size; i++) {
      if (
        !same ||
        old.status[i] !== next.status[i] ||
        old.online[i] !== next.online[i] ||
        old.powerW[i] !== next.powerW[i] ||
        old.statusAt[i] !== next.statusAt[i] ||
        old.ratedW[i] !== next.ratedW[i] ||
        old.free[i] !== next.free[i] ||
        old.labels[i] !== next.labels[i] ||
        old.sites[old.site[i]!] !== next.sites[next.site[i]!]
      ) {
        this.mark(i);
      }
    }
    // A station that moved to another site or got a new name is a new layout for those who group by it.
    if (
      same &&
      next.ids.some(
        (_, i) => old.labels[i] !== next.labels[i] || old.sites[old.site[i]!] !== next.sites[next.site[i]!],
      )
    ) {
      this.rebuild();
    }
    this.ready = true;
    this.wake();
  }

  private rebuild(): void {
    const { ids, labels, sites, site } = this.columns;
    const n = ids.length;
    this.isDirty = new Uint8Array(n);
    this.dirty = [];
    const versions = new Uint32Array(n);
    // Versions must never repeat for a listener that survives the change.
    versions.fill(this.revision + 1_000_000 * (this.layout + 1));
    this.versions = versions;
    this.stations = [];
    this.stationIndex = new Map();
    this.portIndex = new Map();
    for (let i = 0; i < n; i++) {
      this.portIndex.set(ids[i]!, i);
      const id = splitPortId(ids[i]!).station;
      const at = this.stationIndex.get(id);
      if (at === undefined) {
        this.stationIndex.set(id, this.stations.length);
        this.stations.push({ id, label: labels[i]!, site: sites[site[i]!] ?? '', ports: [i] });
      } else {
        this.stations[at]!.ports.push(i);
      }
    }
    this.layout++;
    this.layoutDirty = true;
  }

  private recount(): void {
    const n = this.size;
    this.family = new Uint8Array(n);
    this.counts.fill(0);
    this.freeCount = 0;
    const { status, online, free } = this.columns;
    for (let i = 0; i < n; i++) {
      const f = familyCode(status[i]!, online[i]!);
      this.family[i] = f;
      this.counts[f]!++;
      this.freeCount += free[i]!;
    }
  }

  private refamily(i: number): void {
    const f = familyCode(this.columns.status[i]!, this.columns.online[i]!);
    const old = this.family[i]!;
    if (f === old) return;
    this.counts[old]!--;
    this.counts[f]!++;
    this.family[i] = f;
  }

  private mark(i: number): void {
    this.versions[i]!++;
    if (this.isDirty[i]) return;
    this.isDirty[i] = 1;
    this.dirty.push(i);
  }

  private wake(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const dirty = this.dirty;
    const layoutChanged = this.layoutDirty;
    this.dirty = [];
    this.layoutDirty = false;
    for (const i of dirty) this.isDirty[i] = 0;
    this.revision++;
    const called = new Set<Listener>();
    const call = (set: Set<Listener> | undefined) => {
      if (!set) return;
      for (const fn of [...set]) {
        if (called.has(fn)) continue;
        called.add(fn);
        fn();
      }
    };
    if (layoutChanged) for (const set of [...this.portListeners.values()]) call(set);
    else for (const i of dirty) call(this.portListeners.get(i));
    for (const fn of [...this.flushListeners]) fn(dirty, layoutChanged);
  }
}
