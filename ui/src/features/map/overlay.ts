// Rings and pins over the ground. Each is made once and from then on only its
// attributes change: colours follow the live table, places follow the map.
// They are for the pointer; the list beside the map is for everything else.
import { SHAPES } from '../../ui/shapes';
import styles from './map.module.css';
import { type Cluster, clusters, type Place, RING, ringShares } from './model';
import type { Sheet } from './sheet';

const SVG = 'http://www.w3.org/2000/svg';

function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[K] {
  const el = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, String(v));
  return el;
}

class Marker {
  readonly el = document.createElement('button');
  cluster: Cluster;
  private readonly arcs: SVGCircleElement[];
  private readonly inner = svg('g', {});
  private readonly text = svg('text', { x: 24, y: 24, class: styles.count ?? '' });
  private readonly label = document.createElement('span');
  private drawn = '';

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.el.type = 'button';
    this.el.tabIndex = -1;
    this.el.className = styles.marker ?? '';
    const picture = svg('svg', { viewBox: '0 0 48 48', width: 48, height: 48 });
    picture.append(svg('circle', { cx: 24, cy: 24, r: 22, class: styles.disc ?? '' }));
    this.arcs = RING.map((family) =>
      svg('circle', {
        cx: 24,
        cy: 24,
        r: 19,
        class: styles.arc ?? '',
        pathLength: 100,
        stroke: `var(--s-${family})`,
      }),
    );
    picture.append(...this.arcs, this.inner, this.text);
    this.label.className = styles.label ?? '';
    this.el.append(picture, this.label);
  }

  update(cluster: Cluster): void {
    this.cluster = cluster;
    const shares = ringShares(cluster.places.map((p) => p.tally));
    const single = cluster.places.length === 1 ? cluster.places[0]! : null;
    const key = `${shares.map((s) => s.toFixed(3)).join()}|${single ? `${single.state}|${single.name}` : cluster.places.length}`;
    if (key === this.drawn) return;
    const before = this.drawn.split('|').slice(1).join('|');
    this.drawn = key;
    let at = 0;
    const parts = shares.filter((s) => s > 0).length;
    shares.forEach((share, i) => {
      const arc = this.arcs[i]!;
      // A gap between parts, so that they are told apart without their colours.
      const length = Math.max(0, share * 100 - (parts > 1 ? 2.5 : 0));
      arc.setAttribute('stroke-dasharray', `${length} ${100 - length}`);
      arc.setAttribute('stroke-dashoffset', String(-at * 100));
      arc.style.display = share > 0 ? '' : 'none';
      at += share;
    });
    if (key.split('|').slice(1).join('|') === before) return;
    this.el.dataset.single = String(single !== null);
    this.el.dataset.site = single?.id ?? '';
    this.el.dataset.bad = String(shares[0]! > 0);
    this.text.textContent = single ? '' : String(cluster.places.length);
    this.label.textContent = single?.name ?? '';
    this.inner.replaceChildren();
    if (single) {
      this.inner.setAttribute('transform', 'translate(15 15) scale(1.125)');
      this.inner.setAttribute('style', `color: var(--s-${single.state})`);
      for (const m of SHAPES[single.state]) {
        this.inner.append(
          svg('path', {
            d: m.d,
            fill: m.mode === 'stroke' ? 'none' : m.mode === 'fill' ? 'currentColor' : 'var(--surface)',
            stroke: m.mode === 'stroke' ? 'currentColor' : 'none',
            'stroke-width': m.width ?? 1,
            ...(m.dash ? { 'stroke-dasharray': m.dash.join(' ') } : {}),
          }),
        );
      }
    }
  }
}

export type OverlayEvents = {
  open: (place: Place) => void;
  near: (cluster: Cluster) => void;
  over: (ids: string[] | null) => void;
};

export class Overlay {
  private readonly root = document.createElement('div');
  private readonly markers = new Map<string, Marker>();
  private places: readonly Place[] = [];
  private laidOut = '';

  constructor(
    parent: HTMLElement,
    private readonly sheet: Sheet,
    private readonly events: OverlayEvents,
  ) {
    this.root.className = styles.overlay ?? '';
    this.root.setAttribute('aria-hidden', 'true');
    parent.append(this.root);
  }

  set(places: readonly Place[]): void {
    this.places = places;
    this.laidOut = '';
    this.draw();
  }

  /** Puts everything where it belongs in the view of this moment. */
  draw(): void {
    const step = Math.round(this.sheet.view().zoom * 2) / 2;
    if (this.laidOut !== String(step)) {
      this.laidOut = String(step);
      this.layOut(step);
    }
    const { clientWidth: w, clientHeight: h } = this.root;
    for (const m of this.markers.values()) {
      const { x, y } = this.sheet.pixel(m.cluster);
      const out = x < -60 || y < -60 || x > w + 60 || y > h + 60;
      m.el.style.display = out ? 'none' : '';
      if (!out) m.el.style.transform = `translate(${Math.round(x - 24)}px, ${Math.round(y - 24)}px)`;
    }
  }

  highlight(id: string | null): void {
    for (const m of this.markers.values())
      m.el.dataset.lit = String(id !== null && m.cluster.places.some((p) => p.id === id));
  }

  destroy(): void {
    this.root.remove();
    this.markers.clear();
  }

  private layOut(zoom: number): void {
    const found = clusters(this.places, zoom);
    const keep = new Set(found.map((c) => c.key));
    for (const [key, m] of this.markers) {
      if (keep.has(key)) continue;
      m.el.remove();
      this.markers.delete(key);
    }
    for (const c of found) {
      let m = this.markers.get(c.key);
      if (!m) {
        m = new Marker(c);
        const made = m;
        made.el.addEventListener('click', () => {
          const { places } = made.cluster;
          if (places.length === 1) this.events.open(places[0]!);
          else this.events.near(made.cluster);
        });
        made.el.addEventListener('pointerenter', () =>
          this.events.over(made.cluster.places.map((p) => p.id)),
        );
        made.el.addEventListener('pointerleave', () => this.events.over(null));
        this.markers.set(c.key, m);
        this.root.append(m.el);
      }
      m.update(c);
    }
  }
}

/** Whether a place lies within what is shown. */
export function inBounds(
  p: Pick<Place, 'lat' | 'lon'>,
  b: { west: number; south: number; east: number; north: number },
): boolean {
  return p.lat >= b.south && p.lat <= b.north && p.lon >= b.west && p.lon <= b.east;
}
