// The ground on a plain canvas, for browsers without WebGL: the same land,
// borders and towns, dragged, zoomed by wheel and keys.
import { townZoom } from './ground';
import { atSpot, type Spot, spotOf } from './model';
import { MAX_ZOOM, MIN_ZOOM, type View } from './search';
import type { Palette, Sheet, SheetOptions } from './sheet';

type Shape = { points: Spot[]; left: number; right: number; top: number; bottom: number };

function shape(points: readonly [number, number][]): Shape {
  const spots = points.map(([lon, lat]) => spotOf(lat, lon));
  const s = { points: spots, left: 2, right: -2, top: 2, bottom: -2 };
  for (const p of spots) {
    s.left = Math.min(s.left, p.x);
    s.right = Math.max(s.right, p.x);
    s.top = Math.min(s.top, p.y);
    s.bottom = Math.max(s.bottom, p.y);
  }
  return s;
}

const FONT = "'Inter Variable', system-ui, sans-serif";

export function flatSheet(o: SheetOptions): Sheet {
  const canvas = document.createElement('canvas');
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', o.label);
  Object.assign(canvas.style, { position: 'absolute', inset: '0', touchAction: 'none', cursor: 'grab' });
  o.element.append(canvas);
  const ctx = canvas.getContext('2d')!;
  const land = o.ground.land.map((rings) => rings.map(shape));
  const borders = o.ground.borders.map(shape);
  const towns = o.ground.towns.map((t) => ({
    ...t,
    spot: spotOf(t.lat, t.lon),
    zoom: townZoom(t.thousands),
  }));
  let palette = o.palette;
  let centre = spotOf(o.view.lat, o.view.lon);
  let zoom = o.view.zoom;
  let [width, height] = [0, 0];
  let asked = 0;

  const scale = () => 512 * 2 ** zoom;
  const pixel = (s: Spot) => ({
    x: (s.x - centre.x) * scale() + width / 2,
    y: (s.y - centre.y) * scale() + height / 2,
  });
  const spot = (x: number, y: number): Spot => ({
    x: (x - width / 2) / scale() + centre.x,
    y: (y - height / 2) / scale() + centre.y,
  });
  const view = (): View => ({ ...atSpot(centre), zoom });

  function trace(s: Shape): void {
    s.points.forEach((p, i) => {
      const at = pixel(p);
      if (i === 0) ctx.moveTo(at.x, at.y);
      else ctx.lineTo(at.x, at.y);
    });
  }

  function draw(p: Palette): void {
    const ratio = devicePixelRatio || 1;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = p.sea;
    ctx.fillRect(0, 0, width, height);
    const [from, to] = [spot(0, 0), spot(width, height)];
    const inSight = (s: Shape) => s.right >= from.x && s.left <= to.x && s.bottom >= from.y && s.top <= to.y;
    ctx.fillStyle = p.land;
    for (const rings of land) {
      if (!rings[0] || !inSight(rings[0])) continue;
      ctx.beginPath();
      for (const r of rings) trace(r);
      ctx.fill('evenodd');
    }
    ctx.strokeStyle = p.border;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const b of borders) if (inSight(b)) trace(b);
    ctx.stroke();
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.lineJoin = 'round';
    ctx.lineWidth = 3;
    const taken: { x: number; y: number; w: number }[] = [];
    for (const t of towns) {
      // Sorted by people: what is too small for this zoom is near the end.
      if (t.zoom > zoom || taken.length > 120) continue;
      const at = pixel(t.spot);
      if (at.x < 0 || at.x > width || at.y < 0 || at.y > height) continue;
      ctx.font = `${t.thousands > 1000 ? 13 : 11}px ${FONT}`;
      const w = ctx.measureText(t.name).width;
      if (taken.some((o) => Math.abs(o.y - at.y) < 18 && Math.abs(o.x - at.x) < (o.w + w) / 2 + 8)) continue;
      taken.push({ ...at, w });
      ctx.strokeStyle = p.halo;
      ctx.strokeText(t.name, at.x, at.y - 10);
      ctx.fillStyle = p.town;
      ctx.fillText(t.name, at.x, at.y - 10);
      ctx.beginPath();
      ctx.arc(at.x, at.y, 1.75, 0, 2 * Math.PI);
      ctx.fill();
    }
  }

  function show(): void {
    zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom));
    centre.x = Math.min(1, Math.max(0, centre.x));
    centre.y = Math.min(1, Math.max(0, centre.y));
    if (asked) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      draw(palette);
      o.moved();
    });
  }

  /** Zooms around a point of the screen. */
  function zoomBy(by: number, x = width / 2, y = height / 2): void {
    const held = spot(x, y);
    zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom + by));
    const now = spot(x, y);
    centre = { x: centre.x + held.x - now.x, y: centre.y + held.y - now.y };
    show();
  }

  let rest: ReturnType<typeof setTimeout> | undefined;
  const restSoon = () => {
    clearTimeout(rest);
    rest = setTimeout(o.rested, 150);
  };
  const fingers = new Map<number, { x: number; y: number }>();
  const place = (e: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top };
  };
  canvas.addEventListener('pointerdown', (e) => {
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, place(e));
    canvas.style.cursor = 'grabbing';
  });
  canvas.addEventListener('pointermove', (e) => {
    const was = fingers.get(e.pointerId);
    if (!was) return;
    const is = place(e);
    const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
    fingers.set(e.pointerId, is);
    if (other) {
      const apart = (p: { x: number; y: number }) => Math.max(10, Math.hypot(p.x - other.x, p.y - other.y));
      zoomBy(Math.log2(apart(is) / apart(was)), (is.x + other.x) / 2, (is.y + other.y) / 2);
    } else {
      centre = { x: centre.x - (is.x - was.x) / scale(), y: centre.y - (is.y - was.y) / scale() };
      show();
    }
  });
  const lift = (e: PointerEvent) => {
    if (!fingers.delete(e.pointerId)) return;
    canvas.style.cursor = 'grab';
    o.rested();
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener(
    'wheel',
    (e) => {
      e.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoomBy(
        -Math.sign(e.deltaY) * Math.min(0.5, Math.abs(e.deltaY) / 200),
        e.clientX - box.left,
        e.clientY - box.top,
      );
      restSoon();
    },
    { passive: false },
  );
  canvas.addEventListener('dblclick', (e) => {
    const box = canvas.getBoundingClientRect();
    zoomBy(1, e.clientX - box.left, e.clientY - box.top);
    restSoon();
  });
  const steps: Record<string, [number, number, number]> = {
    ArrowLeft: [-100, 0, 0],
    ArrowRight: [100, 0, 0],
    ArrowUp: [0, -100, 0],
    ArrowDown: [0, 100, 0],
    '+': [0, 0, 1],
    '=': [0, 0, 1],
    '-': [0, 0, -1],
  };
  canvas.addEventListener('keydown', (e) => {
    const step = steps[e.key];
    if (!step || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    const [dx, dy, dz] = step;
    if (dz) zoomBy(dz);
    else {
      centre = { x: centre.x + dx / scale(), y: centre.y + dy / scale() };
      show();
    }
    restSoon();
  });

  const resize = () => {
    width = o.element.clientWidth;
    height = o.element.clientHeight;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    show();
  };
  resize();
  void document.fonts?.ready.then(show);
  return {
    view,
    go: (v) => {
      centre = spotOf(v.lat, v.lon);
      zoom = v.zoom;
      show();
      restSoon();
    },
    pixel,
    bounds: () => {
      const [a, b] = [atSpot(spot(0, 0)), atSpot(spot(width, height))];
      return { west: a.lon, north: a.lat, east: b.lon, south: b.lat };
    },
    resize,
    paint: (p) => {
      palette = p;
      show();
    },
    destroy: () => {
      cancelAnimationFrame(asked);
      clearTimeout(rest);
      canvas.remove();
    },
  };
}
