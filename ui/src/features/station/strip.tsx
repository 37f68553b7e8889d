import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { memo, useEffect, useRef } from 'react';
import { type Palette, paletteOf, type Scale } from './paint';

const HEIGHT = 20;

/** One lane of a timeline on a canvas: thousands of bands cost what one costs. */
export const Strip = memo(function Strip<T>({
  items,
  from,
  to,
  paint,
}: {
  items: readonly T[];
  from: number;
  to: number;
  paint: (ctx: CanvasRenderingContext2D, items: readonly T[], s: Scale, p: Palette) => void;
}) {
  const { ref, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('dark');
  // biome-ignore lint/correctness/useExhaustiveDependencies: scheme says that the style sheet's colours changed
  useEffect(() => {
    const el = canvas.current;
    const ctx = el?.getContext('2d');
    if (!el || !ctx || width === 0) return;
    const ratio = devicePixelRatio || 1;
    el.width = Math.round(width * ratio);
    el.height = HEIGHT * ratio;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, HEIGHT);
    paint(ctx, items, { from, to, width }, paletteOf(el));
  }, [items, from, to, width, paint, scheme]);
  return (
    <div ref={ref} style={{ height: HEIGHT, minWidth: 0 }} aria-hidden="true">
      <canvas ref={canvas} style={{ width: '100%', height: HEIGHT, display: 'block' }} />
    </div>
  );
}) as <T>(props: {
  items: readonly T[];
  from: number;
  to: number;
  paint: (ctx: CanvasRenderingContext2D, items: readonly T[], s: Scale, p: Palette) => void;
}) => React.ReactNode;
