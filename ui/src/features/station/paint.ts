// Draws bands and marks on a canvas. Each family has a form of its own, so that
// a band reads without colour: charging is filled, a fault is filled and higher,
// nothing wrong is a line.
import type { Band, Shown } from './track';

export type Palette = Record<Shown, string> & { ink: string; ink2: string; raised: string; surface: string };

export function paletteOf(el: Element): Palette {
  const style = getComputedStyle(el);
  const v = (name: string) => style.getPropertyValue(name).trim();
  return {
    available: v('--s-available'),
    charging: v('--s-charging'),
    preparing: v('--s-preparing'),
    suspended: v('--s-suspended'),
    reserved: v('--s-reserved'),
    unavailable: v('--s-unavailable'),
    faulted: v('--s-faulted'),
    offline: v('--s-offline'),
    unknown: v('--s-unknown'),
    unseen: v('--ink-2'),
    ink: v('--ink'),
    ink2: v('--ink-2'),
    raised: v('--raised'),
    surface: v('--surface'),
  };
}

export type Scale = { from: number; to: number; width: number };
export const xOf = (s: Scale, at: number): number => ((at - s.from) / (s.to - s.from)) * s.width;

const HEIGHT = 20;
// What must not be hidden by its neighbour in the same pixel comes last.
const ORDER: Record<Shown, number> = {
  unknown: 0,
  available: 1,
  reserved: 2,
  charging: 3,
  preparing: 4,
  suspended: 5,
  unavailable: 6,
  unseen: 7,
  offline: 8,
  faulted: 9,
};

function hatch(ctx: CanvasRenderingContext2D, x: number, w: number, gap: number, down: boolean): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, 2, w, HEIGHT - 4);
  ctx.clip();
  ctx.beginPath();
  for (let d = Math.floor((x - HEIGHT) / gap) * gap; d < x + w; d += gap) {
    ctx.moveTo(d, down ? 0 : HEIGHT);
    ctx.lineTo(d + HEIGHT, down ? HEIGHT : 0);
  }
  ctx.stroke();
  ctx.restore();
}

export function paintBands(
  ctx: CanvasRenderingContext2D,
  bands: readonly Band[],
  s: Scale,
  p: Palette,
): void {
  ctx.fillStyle = p.raised;
  ctx.fillRect(0, 4, s.width, HEIGHT - 8);
  for (const b of [...bands].sort((a, c) => ORDER[a.family] - ORDER[c.family])) {
    const x = Math.max(0, xOf(s, b.from));
    const w = Math.min(s.width, xOf(s, b.to)) - x;
    if (w <= 0) continue;
    const wide = Math.max(1, w);
    ctx.fillStyle = p[b.family];
    ctx.strokeStyle = p[b.family];
    switch (b.family) {
      case 'available':
        ctx.fillRect(x, 9, wide, 2);
        break;
      case 'charging':
        ctx.fillRect(x, 4, wide, 12);
        break;
      case 'preparing':
        ctx.fillRect(x, 10, wide, 6);
        break;
      case 'suspended':
        for (let k = x; k < x + wide; k += 5) ctx.fillRect(k, 4, Math.min(3, x + wide - k), 12);
        break;
      case 'reserved':
        ctx.fillRect(x, 4, wide, 6);
        break;
      case 'unavailable':
        ctx.fillRect(x, 7, wide, 6);
        break;
      case 'faulted':
        ctx.fillRect(x, 1, wide, HEIGHT - 2);
        break;
      case 'offline':
        ctx.lineWidth = 2;
        hatch(ctx, x, wide, 7, false);
        break;
      case 'unseen':
        ctx.lineWidth = 1;
        hatch(ctx, x, wide, 9, true);
        break;
      case 'unknown':
        break;
    }
    if (b.late) {
      ctx.fillStyle = p.ink;
      for (let k = x + 1; k < x + wide; k += 4) ctx.fillRect(k, 0, 2, 2);
    }
  }
}

export type Mark = {
  from: number;
  to: number;
  form: 'fault' | 'warning' | 'session' | 'command';
  bad?: boolean;
};

export function paintMarks(
  ctx: CanvasRenderingContext2D,
  marks: readonly Mark[],
  s: Scale,
  p: Palette,
): void {
  const mid = HEIGHT / 2;
  for (const m of marks) {
    const x = xOf(s, m.from);
    const end = Math.min(s.width, xOf(s, m.to));
    if (end < 0 || x > s.width) continue;
    if (m.form === 'session') {
      ctx.fillStyle = p.ink2;
      ctx.fillRect(Math.max(0, x), mid - 3, Math.max(1.5, end - Math.max(0, x) - 1), 6);
      continue;
    }
    if (m.form === 'command') {
      ctx.strokeStyle = ctx.fillStyle = m.bad ? p.faulted : p.ink;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      ctx.moveTo(x, mid - 7);
      ctx.lineTo(x, mid + 7);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x, mid - 7);
      ctx.lineTo(x + 6, mid - 4);
      ctx.lineTo(x, mid - 1);
      ctx.fill();
      continue;
    }
    ctx.fillStyle = ctx.strokeStyle = p.faulted;
    ctx.fillRect(Math.max(0, x), mid - 1, Math.max(0, end - Math.max(0, x)), 2);
    ctx.beginPath();
    const r = m.form === 'fault' ? 6 : 5;
    ctx.moveTo(x, mid - r);
    ctx.lineTo(x + r, mid);
    ctx.lineTo(x, mid + r);
    ctx.lineTo(x - r, mid);
    ctx.closePath();
    if (m.form === 'warning') {
      ctx.fillStyle = p.surface;
      ctx.fill();
      ctx.lineWidth = 1.5;
      ctx.stroke();
    } else ctx.fill();
  }
}
