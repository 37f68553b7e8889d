import { useMantineColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useRouter } from '@tanstack/react-router';
import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from 'react';
import { count, kilowatts, NONE, rated } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useLayout, useLive, usePort } from '../../live/hooks';
import { FAMILIES, URGENCY } from '../../live/status';
import type { PortStore } from '../../live/store';
import { Age } from '../../ui/figures';
import { useSiteNames } from '../../ui/sites';
import { StateLabel, statusKey } from '../../ui/state';
import { type Group, layoutWall, portAt, rectOf, type Step, step } from './layout';
import { makeSprites, paint, readPalette } from './paint';
import styles from './wall.module.css';

const WANTED = 560;
const MAX_SIGHT = 720;
// Where fingers point, tiles stay large and the page scrolls instead.
const NARROW = 560;
const TALL = 4000;
const RESORT_MS = 5000;
const urgency = FAMILIES.map((f) => URGENCY[f]);

function group(
  store: PortStore,
  siteName: (id: string) => string,
  worstFirst: boolean,
  only: string | undefined,
): Group[] {
  const bySite = new Map<string, number[]>();
  const { site, sites } = store.columns;
  for (let i = 0; i < store.size; i++) {
    const id = sites[site[i]!] ?? '';
    if (only !== undefined && id !== only) continue;
    const ports = bySite.get(id);
    if (ports) ports.push(i);
    else bySite.set(id, [i]);
  }
  const groups = [...bySite].map(([id, ports]) => ({ site: id, name: siteName(id), ports }));
  groups.sort((a, b) => a.name.localeCompare(b.name));
  if (worstFirst) {
    const weight = (i: number) => urgency[store.family[i]!]!;
    for (const g of groups) g.ports.sort((a, b) => weight(a) - weight(b) || a - b);
    const bad = new Map(groups.map((g) => [g, g.ports.filter((i) => weight(i) <= 2).length]));
    groups.sort((a, b) => bad.get(b)! - bad.get(a)!);
  }
  return groups;
}

const steps: Record<string, Step> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};

export function Wall({ worstFirst, site }: { worstFirst: boolean; site?: string }) {
  const t = useT();
  const tag = useTag();
  const router = useRouter();
  const { store } = useLive();
  const siteName = useSiteNames();
  const { colorScheme } = useMantineColorScheme();
  const { ref: sizer, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [focus, setFocus] = useState(-1);
  const [hover, setHover] = useState(-1);
  const [focused, setFocused] = useState(false);
  const [scrollTop, setScrollTop] = useState(0);
  const [resort, setResort] = useState(0);
  const [dark, setDark] = useState(0);
  const storeLayout = useLayout();
  const hint = useId();

  // Nothing changes place under the pointer or the focus.
  const held = hover >= 0 || focused;
  useEffect(() => {
    if (!worstFirst || held) return;
    const timer = setInterval(() => setResort((n) => n + 1), RESORT_MS);
    return () => clearInterval(timer);
  }, [worstFirst, held]);

  // The palette is read from the style sheet; "auto" may change without a click.
  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    const changed = () => requestAnimationFrame(() => setDark((n) => n + 1));
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the store tells by numbers that its content changed
  const groups = useMemo(
    () => group(store, siteName, worstFirst, site),
    [store, siteName, worstFirst, site, storeLayout, resort],
  );
  const layout = useMemo(
    () => layoutWall(groups, Math.max(200, width), width < NARROW ? TALL : WANTED),
    [groups, width],
  );
  const sight = Math.min(layout.height, width < NARROW ? TALL : MAX_SIGHT);

  const summary = useCallback(
    (ports: readonly number[]) => {
      let free = 0;
      for (const i of ports) free += store.columns.free[i] ?? 0;
      return t('wall.free', { free: count(tag, free), total: count(tag, ports.length) });
    },
    [store, t, tag],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: colorScheme and dark say that the palette changed
  useEffect(() => {
    const el = canvas.current;
    const ctx = el?.getContext('2d');
    if (!el || !ctx || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    el.width = Math.ceil(width * ratio);
    el.height = Math.ceil(sight * ratio);
    const palette = readPalette(el);
    const sprites = makeSprites(palette, layout.tile.symbol, ratio);
    const draw = () =>
      paint(ctx, {
        layout,
        store,
        palette,
        sprites,
        tag,
        view: { x: 0, y: scrollTop, w: width, h: sight },
        ratio,
        focus: focused ? focus : -1,
        hover,
        summary,
      });
    draw();
    // Text drawn before the font arrived has other widths.
    let current = true;
    void document.fonts?.ready.then(() => current && draw());
    const off = store.subscribe(draw);
    return () => {
      current = false;
      off();
    };
  }, [layout, store, tag, width, sight, scrollTop, focus, hover, focused, summary, colorScheme, dark]);

  const open = (i: number) => {
    const port = store.port(i);
    if (!port) return;
    void router.navigate({
      to: '/stations/$id',
      params: { id: port.station },
      search: port.port && /^\d+$/.test(port.port) ? { port: Number(port.port) } : {},
    });
  };
  const under = (e: PointerEvent<HTMLElement> | React.MouseEvent<HTMLElement>) => {
    const box = canvas.current!.getBoundingClientRect();
    return portAt(layout, e.clientX - box.left, e.clientY - box.top + scrollTop);
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Enter' && focus >= 0) {
      e.preventDefault();
      open(focus);
      return;
    }
    const to = steps[e.key];
    if (!to) return;
    e.preventDefault();
    const next = step(layout, focus, to);
    setFocus(next);
    const r = rectOf(layout, next);
    const el = scroller.current;
    if (!r || !el) return;
    if (r.y < el.scrollTop + 28) el.scrollTop = Math.max(0, r.y - 28);
    else if (r.y + r.h > el.scrollTop + sight) el.scrollTop = r.y + r.h - sight + 4;
  };

  const shown = hover >= 0 ? hover : focused ? focus : -1;
  const rect = shown >= 0 ? rectOf(layout, shown) : undefined;
  return (
    <div className={styles.frame} ref={sizer}>
      <p id={hint} className="srOnly">
        {t('wall.hint')}
      </p>
      <div
        ref={scroller}
        className={`${styles.scroller} scroll`}
        style={{ height: sight }}
        role="application"
        aria-label={t('wall.label', { n: layout.order.length })}
        aria-describedby={hint}
        tabIndex={0}
        onKeyDown={onKey}
        onScroll={(e) => setScrollTop(e.currentTarget.scrollTop)}
        onFocus={() => {
          setFocused(true);
          if (focus < 0 || focus >= store.size) setFocus(layout.order[0] ?? -1);
        }}
        onBlur={() => setFocused(false)}
        onPointerMove={(e) => e.pointerType === 'mouse' && setHover(under(e))}
        onPointerLeave={() => setHover(-1)}
        onClick={(e) => {
          const i = under(e);
          if (i >= 0) open(i);
        }}
        data-over={hover >= 0}
      >
        <div style={{ height: layout.height }}>
          <canvas ref={canvas} className={styles.canvas} style={{ width, height: sight }} />
        </div>
      </div>
      {rect && (
        <HoverCard
          index={shown}
          left={Math.min(rect.x, Math.max(0, width - 280))}
          top={rect.y - scrollTop}
          tile={rect.h}
          room={sight}
        />
      )}
      <div className="srOnly" aria-live="polite">
        {focused && focus >= 0 ? <Spoken index={focus} /> : null}
      </div>
    </div>
  );
}

const CARD_H = 132;

function HoverCard({
  index,
  left,
  top,
  tile,
  room,
}: {
  index: number;
  left: number;
  top: number;
  tile: number;
  room: number;
}) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const p = usePort(index);
  if (!p) return null;
  return (
    <div
      className={styles.card}
      // Above the tile where below it the card would leave the wall.
      style={
        top + tile + CARD_H > room && top > CARD_H
          ? { left, bottom: room - top + 8 }
          : { left, top: top + tile + 8 }
      }
    >
      <div className={styles.cardHead}>
        <span className="mono">{p.station}</span>
        <span className="meta">{t('port.n', { port: p.port })}</span>
      </div>
      {p.label && p.label !== p.station && <div>{p.label}</div>}
      <div className="meta">{siteName(p.site)}</div>
      <div className={styles.cardState}>
        <StateLabel status={p.status} online={p.online} />
        <span className="meta">
          <Age at={p.statusAt * 1000} />
        </span>
      </div>
      {(p.powerW !== null || p.family === 'charging' || p.ratedW > 0) && (
        <div className={`${styles.cardPower} num`}>
          {(p.powerW !== null || p.family === 'charging') && (
            <span>
              {p.powerW === null ? NONE : kilowatts(tag, p.powerW)}
              <span className={styles.cardUnit}>kW</span>
            </span>
          )}
          {p.ratedW > 0 && <span className="meta">{t('port.rated', { kw: rated(tag, p.ratedW) })}</span>}
        </div>
      )}
    </div>
  );
}

function Spoken({ index }: { index: number }) {
  const t = useT();
  const tag = useTag();
  const p = usePort(index);
  if (!p) return null;
  const state = p.online ? t(statusKey(p.status)) : t('family.offline');
  return (
    <>
      {t('wall.spoken', { station: p.station, port: p.port, state })}
      {p.family === 'charging' && p.powerW !== null ? ` ${kilowatts(tag, p.powerW)} kW` : ''}
    </>
  );
}
