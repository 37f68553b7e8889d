import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { useT } from '../../i18n/i18n';
import styles from './cameras.module.css';
import {
  type Corner,
  dropCorner,
  type Kind,
  MOST_CORNERS,
  moveAll,
  moveCorner,
  splitEdge,
  stepOf,
} from './zones';

type Shape = { kind: Kind; corners: Corner[]; name: string };
type Held = { zone: number; corner: number | null; x: number; y: number; from: Corner[] };

const W = 1000;

/** Zones over the picture. Corners and whole zones move by pointer and by arrow keys. */
export function Canvas({
  camera,
  picture,
  zones,
  chosen,
  choose,
  change,
  of,
}: {
  camera: string;
  /** Another number asks for another picture. */
  picture: number;
  zones: Shape[];
  chosen: number;
  choose: (i: number) => void;
  change: (i: number, corners: Corner[]) => void;
  /** The address of another picture than that of now. */
  of?: string;
}) {
  const t = useT();
  const svg = useRef<SVGSVGElement>(null);
  const [ratio, setRatio] = useState(9 / 16);
  const [state, setState] = useState<'loading' | 'shown' | 'none'>('loading');
  const [held, setHeld] = useState<Held | null>(null);
  const [focus, setFocus] = useState<number | null>(null);
  const H = W * ratio;
  const src = of ?? `/api/v1/cameras/${encodeURIComponent(camera)}/snapshot.jpg?n=${picture}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each picture is waited for anew
  useEffect(() => setState('loading'), [src]);

  // A corner that was added or left takes the focus where the keyboard is.
  useEffect(() => {
    if (focus === null) return;
    svg.current?.querySelector<SVGElement>(`[data-corner="${focus}"]`)?.focus();
    setFocus(null);
  }, [focus]);

  const at = (e: PointerEvent): Corner => {
    const box = svg.current!.getBoundingClientRect();
    return [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height];
  };
  const grab = (e: PointerEvent, zone: number, corner: number | null) => {
    const [x, y] = at(e);
    choose(zone);
    setHeld({ zone, corner, x, y, from: zones[zone]!.corners });
    svg.current?.setPointerCapture(e.pointerId);
    e.stopPropagation();
  };
  const drag = (e: PointerEvent) => {
    if (!held) return;
    const [x, y] = at(e);
    change(
      held.zone,
      held.corner === null
        ? moveAll(held.from, x - held.x, y - held.y)
        : moveCorner(held.from, held.corner, x, y),
    );
  };
  const keys = (e: KeyboardEvent, zone: number, corner: number | null) => {
    const corners = zones[zone]!.corners;
    const step = stepOf(e.key, e.shiftKey);
    if (step) {
      e.preventDefault();
      const c = corner === null ? null : corners[corner]!;
      change(
        zone,
        c === null
          ? moveAll(corners, step[0], step[1])
          : moveCorner(corners, corner!, c[0] + step[0], c[1] + step[1]),
      );
    } else if (corner !== null && (e.key === 'Delete' || e.key === 'Backspace')) {
      e.preventDefault();
      change(zone, dropCorner(corners, corner));
      setFocus(Math.max(0, Math.min(corner, corners.length - 2)));
    } else if (corner !== null && (e.key === 'Enter' || e.key === '+')) {
      e.preventDefault();
      change(zone, splitEdge(corners, corner));
      setFocus(corner + 1);
    } else if (corner === null && (e.key === 'Enter' || e.key === ' ')) {
      e.preventDefault();
      choose(zone);
    }
  };
  const points = (corners: Corner[]) => corners.map(([x, y]) => `${x * W},${y * H}`).join(' ');
  const active = zones[chosen];
  return (
    <div className={styles.canvas} style={{ aspectRatio: `${W} / ${H}` }}>
      <img
        key={src}
        src={src}
        alt=""
        data-on={state === 'shown'}
        onLoad={(e) => {
          const img = e.currentTarget;
          if (img.naturalWidth > 0) setRatio(img.naturalHeight / img.naturalWidth);
          setState('shown');
        }}
        onError={() => setState('none')}
      />
      {state !== 'shown' && (
        <p className={styles.blank}>{t(state === 'none' ? 'cameras.noPicture' : 'cameras.pictureComes')}</p>
      )}
      <svg
        ref={svg}
        viewBox={`0 0 ${W} ${H}`}
        className={styles.overlay}
        role="group"
        aria-label={t('cameras.zones')}
        data-held={held !== null}
        onPointerMove={drag}
        onPointerUp={() => setHeld(null)}
        onPointerCancel={() => setHeld(null)}
      >
        <defs>
          <pattern
            id="zone-private"
            width="14"
            height="14"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="14" height="14" className={styles.hatchBack} />
            <rect width="5" height="14" className={styles.hatch} />
          </pattern>
        </defs>
        {zones.map((z, i) => (
          <polygon
            key={i}
            points={points(z.corners)}
            className={styles.polygon}
            data-kind={z.kind}
            data-chosen={i === chosen}
            role="button"
            tabIndex={0}
            aria-label={t('cameras.zoneMove', { name: z.name })}
            aria-pressed={i === chosen}
            onPointerDown={(e) => grab(e, i, null)}
            onKeyDown={(e) => keys(e, i, null)}
          />
        ))}
        {active &&
          active.corners.length < MOST_CORNERS &&
          active.corners.map((c, i) => {
            const d = active.corners[(i + 1) % active.corners.length]!;
            return (
              <circle
                key={`edge-${i}`}
                cx={((c[0] + d[0]) / 2) * W}
                cy={((c[1] + d[1]) / 2) * H}
                r={6}
                className={styles.between}
                onPointerDown={(e) => {
                  const next = splitEdge(active.corners, i);
                  change(chosen, next);
                  const [x, y] = at(e);
                  setHeld({ zone: chosen, corner: i + 1, x, y, from: next });
                  svg.current?.setPointerCapture(e.pointerId);
                  e.stopPropagation();
                }}
              />
            );
          })}
        {active?.corners.map((c, i) => (
          <circle
            key={`corner-${i}`}
            cx={c[0] * W}
            cy={c[1] * H}
            r={9}
            className={styles.corner}
            data-corner={i}
            role="button"
            tabIndex={0}
            aria-label={t('cameras.corner', {
              n: i + 1,
              name: active.name,
              x: Math.round(c[0] * 100),
              y: Math.round(c[1] * 100),
            })}
            onPointerDown={(e) => grab(e, chosen, i)}
            onKeyDown={(e) => keys(e, chosen, i)}
            onDoubleClick={() => change(chosen, dropCorner(active.corners, i))}
          />
        ))}
      </svg>
    </div>
  );
}
