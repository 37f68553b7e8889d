// Where each tile of the wall lies. Pure, so that keys, pointer and painting
// agree and the layout can be tested without a canvas.
export type TileSize = { w: number; h: number; gap: number; symbol: number; label: boolean };

export type Group = { site: string; name: string; ports: number[] };

export type Block = {
  group: Group;
  x: number;
  y: number;
  w: number;
  h: number;
  columns: number;
};

export type WallLayout = {
  blocks: Block[];
  width: number;
  height: number;
  tile: TileSize;
  /** Ports in reading order. */
  order: number[];
};

export const SIZES: TileSize[] = [
  { w: 44, h: 24, gap: 8, symbol: 16, label: true },
  { w: 26, h: 26, gap: 4, symbol: 18, label: false },
  { w: 18, h: 18, gap: 2, symbol: 14, label: false },
  { w: 12, h: 12, gap: 2, symbol: 10, label: false },
];

export const HEAD = 24;
const BLOCK_GAP_X = 24;
const BLOCK_GAP_Y = 16;

// A tile with its figure beside it needs air to its right, not below.
const rowGap = (tile: TileSize): number => (tile.label ? 2 : tile.gap);

function place(groups: readonly Group[], width: number, tile: TileSize): WallLayout {
  const blockMin = tile.label ? 5 * (tile.w + tile.gap) - tile.gap : 220;
  const across = Math.max(1, Math.floor((width + BLOCK_GAP_X) / (blockMin + BLOCK_GAP_X)));
  const used = Math.max(1, Math.min(across, groups.length));
  const blockW = Math.floor((width - (used - 1) * BLOCK_GAP_X) / used);
  const columns = Math.max(1, Math.floor((blockW + tile.gap) / (tile.w + tile.gap)));
  const blocks: Block[] = [];
  let y = 0;
  for (let start = 0; start < groups.length; start += used) {
    let rowHeight = 0;
    groups.slice(start, start + used).forEach((group, k) => {
      const rows = Math.ceil(group.ports.length / columns);
      const h = HEAD + rows * (tile.h + rowGap(tile)) - rowGap(tile);
      blocks.push({ group, x: k * (blockW + BLOCK_GAP_X), y, w: blockW, h, columns });
      rowHeight = Math.max(rowHeight, h);
    });
    y += rowHeight + BLOCK_GAP_Y;
  }
  return {
    blocks,
    width,
    height: Math.max(0, y - BLOCK_GAP_Y),
    tile,
    order: groups.flatMap((g) => g.ports),
  };
}

/** The largest tiles with which the wall stays within the wanted height; the smallest when none does. */
export function layoutWall(groups: readonly Group[], width: number, wanted: number): WallLayout {
  let last: WallLayout | undefined;
  for (const size of SIZES) {
    last = place(groups, width, size);
    if (last.height <= wanted) return last;
  }
  return last!;
}

export type Rect = { x: number; y: number; w: number; h: number };

export function tileRect(block: Block, k: number, tile: TileSize): Rect {
  const column = k % block.columns;
  const row = Math.floor(k / block.columns);
  return {
    x: block.x + column * (tile.w + tile.gap),
    y: block.y + HEAD + row * (tile.h + rowGap(tile)),
    w: tile.w,
    h: tile.h,
  };
}

export function rectOf(layout: WallLayout, port: number): Rect | undefined {
  for (const b of layout.blocks) {
    const k = b.group.ports.indexOf(port);
    if (k >= 0) return tileRect(b, k, layout.tile);
  }
  return undefined;
}

/** The port under a point, or -1. Gaps between tiles belong to no port. */
export function portAt(layout: WallLayout, x: number, y: number): number {
  const { tile } = layout;
  for (const b of layout.blocks) {
    if (x < b.x || x >= b.x + b.w || y < b.y + HEAD || y >= b.y + b.h) continue;
    const column = Math.floor((x - b.x) / (tile.w + tile.gap));
    const row = Math.floor((y - b.y - HEAD) / (tile.h + rowGap(tile)));
    if (column >= b.columns) return -1;
    if (x - b.x - column * (tile.w + tile.gap) >= tile.w) return -1;
    if (y - b.y - HEAD - row * (tile.h + rowGap(tile)) >= tile.h) return -1;
    return b.group.ports[row * b.columns + column] ?? -1;
  }
  return -1;
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** Where an arrow key leads: sideways in reading order, up and down to the nearest tile in sight. */
export function step(layout: WallLayout, from: number, to: Step): number {
  const { order } = layout;
  if (order.length === 0) return -1;
  if (to === 'first') return order[0]!;
  if (to === 'last') return order[order.length - 1]!;
  const at = order.indexOf(from);
  if (at < 0) return order[0]!;
  if (to === 'left') return order[Math.max(0, at - 1)]!;
  if (to === 'right') return order[Math.min(order.length - 1, at + 1)]!;
  const here = rectOf(layout, from)!;
  const middle = here.x + here.w / 2;
  let best = from;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const b of layout.blocks) {
    for (let k = 0; k < b.group.ports.length; k++) {
      const r = tileRect(b, k, layout.tile);
      const dy = to === 'down' ? r.y - here.y : here.y - r.y;
      if (dy <= 0) continue;
      // Rows first, then the column that is nearest.
      const cost = dy * 10_000 + Math.abs(r.x + r.w / 2 - middle);
      if (cost < bestCost) {
        bestCost = cost;
        best = b.group.ports[k]!;
      }
    }
  }
  return best;
}
