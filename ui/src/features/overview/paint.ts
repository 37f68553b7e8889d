// Painting of the wall. Each state is drawn once per size into a sprite; a
// frame then only copies sprites, so 20,000 tiles cost little more than 200.
import { kilowatts, NONE } from '../../format/quantity';
import { FAMILIES, type Family } from '../../live/status';
import type { PortStore } from '../../live/store';
import { SHAPES } from '../../ui/shapes';
import { type Rect, tileRect, type WallLayout } from './layout';

export type Palette = {
  ink: string;
  ink2: string;
  line: string;
  surface: string;
  accent: string;
  families: Record<Family, string>;
};

export function readPalette(el: Element): Palette {
  const style = getComputedStyle(el);
  const v = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: v('--ink'),
    ink2: v('--ink-2'),
    line: v('--line'),
    surface: v('--surface'),
    accent: v('--accent'),
    families: Object.fromEntries(FAMILIES.map((f) => [f, v(`--s-${f}`)])) as Record<Family, string>,
  };
}

export type Sprites = { images: HTMLCanvasElement[]; size: number };

export function makeSprites(palette: Palette, size: number, ratio: number): Sprites {
  const images = FAMILIES.map((family) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = Math.ceil(size * ratio);
    const ctx = canvas.getContext('2d');
    if (!ctx) return canvas;
    ctx.scale(canvas.width / 16, canvas.height / 16);
    for (const m of SHAPES[family]) {
      const path = new Path2D(m.d);
      if (m.mode === 'stroke') {
        ctx.strokeStyle = palette.families[family];
        ctx.lineWidth = m.width ?? 1.5;
        ctx.setLineDash(m.dash ?? []);
        ctx.stroke(path);
      } else {
        ctx.fillStyle = m.mode === 'cut' ? palette.surface : palette.families[family];
        ctx.fill(path);
      }
    }
    return canvas;
  });
  return { images, size };
}

export type Scene = {
  layout: WallLayout;
  store: PortStore;
  palette: Palette;
  sprites: Sprites;
  tag: string;
  /** The part of the wall in sight. */
  view: Rect;
  ratio: number;
  focus: number;
  hover: number;
  summary: (ports: readonly number[]) => string;
};

const CHARGING = FAMILIES.indexOf('charging');

export function paint(ctx: CanvasRenderingContext2D, s: Scene): void {
  const { layout, store, palette, sprites, view } = s;
  const { tile } = layout;
  ctx.setTransform(s.ratio, 0, 0, s.ratio, 0, 0);
  ctx.clearRect(0, 0, view.w, view.h);
  ctx.translate(-view.x, -view.y);
  ctx.textBaseline = 'middle';
  const family = "'Inter Variable', system-ui, sans-serif";
  for (const b of layout.blocks) {
    if (b.y + b.h < view.y || b.y > view.y + view.h) continue;
    ctx.font = `600 12px ${family}`;
    ctx.fillStyle = palette.ink;
    const right = s.summary(b.group.ports);
    ctx.font = `400 12px ${family}`;
    const rightW = ctx.measureText(right).width;
    ctx.fillStyle = palette.ink2;
    ctx.textAlign = 'right';
    ctx.fillText(right, b.x + b.w, b.y + 9);
    ctx.textAlign = 'left';
    ctx.font = `600 12px ${family}`;
    ctx.fillStyle = palette.ink;
    ctx.fillText(clip(ctx, b.group.name, b.w - rightW - 12), b.x, b.y + 9);
    ctx.font = `500 12px ${family}`;
    ctx.fillStyle = palette.ink;
    for (let k = 0; k < b.group.ports.length; k++) {
      const r = tileRect(b, k, tile);
      if (r.y + r.h < view.y || r.y > view.y + view.h) continue;
      const i = b.group.ports[k]!;
      const f = store.family[i] ?? FAMILIES.length - 1;
      if (tile.label) {
        ctx.drawImage(sprites.images[f]!, r.x, r.y + (r.h - sprites.size) / 2, sprites.size, sprites.size);
        if (f === CHARGING) {
          const watts = store.powerOf(i);
          ctx.fillText(watts === null ? NONE : tileKw(s.tag, watts), r.x + 20, r.y + r.h / 2 + 0.5);
        }
      } else {
        ctx.drawImage(
          sprites.images[f]!,
          r.x + (r.w - sprites.size) / 2,
          r.y + (r.h - sprites.size) / 2,
          sprites.size,
          sprites.size,
        );
      }
      if (i === s.focus || i === s.hover) {
        ctx.strokeStyle = i === s.focus ? palette.accent : palette.ink2;
        ctx.lineWidth = i === s.focus ? 2 : 1;
        const out = tile.label ? 3 : 1;
        ctx.strokeRect(r.x - out, r.y + 0.5, r.w + (tile.label ? 2 : 2 * out), r.h - 1);
      }
    }
  }
}

/** Short enough for a tile: 7.4, 48, 312. */
function tileKw(tag: string, watts: number): string {
  return watts >= 9_950 ? String(Math.round(watts / 1000)) : kilowatts(tag, watts);
}

function clip(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
