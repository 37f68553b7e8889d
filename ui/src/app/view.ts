// What every page shares and the address bar holds: which site, which stretch
// of time, whose clock, and whether this is a screen on a wall.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { DAY, HOUR } from '../format/time';
import { useNow } from '../live/clock';

export const SPANS = {
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '90d': 90 * DAY,
} as const;
export type Span = keyof typeof SPANS;
export const DEFAULT_SPAN: Span = '24h';

/** Whose clock times are told by: that of the site, of the reader, or UTC. */
export type ZoneChoice = 'site' | 'mine' | 'utc';

export type ViewSearch = {
  /** Id of the site that pages are limited to. */
  site?: string;
  /** "7d", or two instants joined by "..". */
  range?: string;
  zone?: Exclude<ZoneChoice, 'site'>;
  kiosk?: 1;
  /** A screen goes to its next view after so many seconds. */
  rotate?: number;
};

export const viewParams = [
  'site',
  'range',
  'zone',
  'kiosk',
  'rotate',
] as const satisfies (keyof ViewSearch)[];

export type Range = {
  /** Null: two fixed instants. */
  span: Span | null;
  from: number;
  to: number;
};

const isSpan = (v: string): v is Span => Object.hasOwn(SPANS, v);

/** The longest stretch anybody may ask for: what the server keeps at most. */
const LONGEST = 3 * 366 * DAY;

function fixed(v: string): { from: number; to: number } | null {
  const [a, b, more] = v.split('..');
  if (a === undefined || b === undefined || more !== undefined) return null;
  const from = Date.parse(a);
  const to = Date.parse(b);
  return from < to && to - from <= LONGEST ? { from, to } : null;
}

export const rangeText = (from: number, to: number): string =>
  `${new Date(from).toISOString()}..${new Date(to).toISOString()}`;

export function parseView(s: Record<string, unknown>): ViewSearch {
  const range = typeof s.range === 'string' && (isSpan(s.range) || fixed(s.range)) ? s.range : undefined;
  const site = typeof s.site === 'number' ? String(s.site) : s.site;
  return {
    site: typeof site === 'string' && site !== '' ? site.slice(0, 48) : undefined,
    range: range === DEFAULT_SPAN ? undefined : range,
    zone: s.zone === 'mine' || s.zone === 'utc' ? s.zone : undefined,
    kiosk: s.kiosk === 1 || s.kiosk === '1' || s.kiosk === true ? 1 : undefined,
    rotate:
      Number.isInteger(s.rotate) && Number(s.rotate) >= 10 && Number(s.rotate) <= 3600
        ? Number(s.rotate)
        : undefined,
  };
}

export function useView(): ViewSearch {
  return useSearch({ from: '/inside' });
}

/** Id of the site that this page is limited to; undefined is the whole network. */
export const useScope = (): string | undefined => useView().site;

/** Where a stretch that ends now ends: steps of at most a minute, so that what is asked for stays the same a while. */
export function rangeAt(range: string | undefined, now: number): Range {
  const instants = range !== undefined && !isSpan(range) ? fixed(range) : null;
  if (instants) return { span: null, ...instants };
  const span = range !== undefined && isSpan(range) ? range : DEFAULT_SPAN;
  const step = Math.max(10_000, Math.min(60_000, SPANS[span] / 360));
  const to = Math.ceil(now / step) * step;
  return { span, from: to - SPANS[span], to };
}

/** The stretch of time chosen for all pages. */
export function useRange(): Range {
  const { range } = useView();
  const now = useNow(10_000);
  const at = rangeAt(range, now);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same stretch keeps its identity
  return useMemo(() => at, [at.span, at.from, at.to]);
}

/** Sets two instants for all pages, as by a stroke over a chart. Going back undoes it. */
export function useSetRange(): (from: number, to: number) => void {
  const navigate = useNavigate();
  return useCallback(
    (from, to) => {
      const range = rangeText(Math.min(from, to), Math.max(from, to));
      if (parseView({ range }).range === undefined) return;
      void navigate({ to: '.', search: (s: ViewSearch) => ({ ...s, range }) } as never);
    },
    [navigate],
  );
}

/** Changes what all pages share and keeps the rest of the address. */
export function useSetView(): (part: ViewSearch) => void {
  const navigate = useNavigate();
  return useCallback(
    (part) => void navigate({ to: '.', search: (s: ViewSearch) => ({ ...s, ...part }) } as never),
    [navigate],
  );
}

/** An address that shows the same stretch of time to whoever opens it later. */
export function frozen(href: string, range: Range): string {
  const url = new URL(href);
  url.searchParams.set('range', rangeText(range.from, range.to));
  return url.href;
}
