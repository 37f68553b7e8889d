// What of the patterns stands in the address: whose use, of which days, beside
// what, and which measure.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { ViewSearch } from '../../app/view';
import { DAY, MINUTE } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';

export const PERIODS = { '4w': 28, '8w': 56, '13w': 91, '1y': 364 } as const;
export type Period = keyof typeof PERIODS;
export const PERIOD_NAMES = Object.keys(PERIODS) as Period[];
export const DEFAULT: Period = '8w';

export const MEASURES = ['occupied', 'charging', 'energy', 'starts', 'allBusy'] as const;
export type Measure = (typeof MEASURES)[number];

export const SORTS = [
  'name',
  'ports',
  'occupied',
  'charging',
  'prime',
  'allBusy',
  'throughput',
  'turnover',
  'idle',
  'peak',
  'observed',
] as const;
export type Sort = (typeof SORTS)[number];

/** What the period is held against: the one before, or other sites. */
export const BEFORE = 'before';

export type PatternsSearch = {
  /** Ids of several sites; one alone is the site of all pages. */
  sites?: string;
  period?: Exclude<Period, typeof DEFAULT>;
  /** "2026-09-01..2026-09-30", both included. */
  days?: string;
  with?: string;
  measure?: Exclude<Measure, 'occupied'>;
  /** What a kilowatt of the month's highest power costs. */
  rate?: number;
  /** What sites are ordered by. */
  sort?: Exclude<Sort, 'occupied'>;
};

const DATE = /^\d{4}-\d\d-\d\d$/;
/** What may be asked for at once. */
const LONGEST = 3 * 366;

const text = (v: unknown): string => (typeof v === 'string' ? v : typeof v === 'number' ? String(v) : '');

/** The days between two dates, the first and the last of them included; zero for none. */
function daysBetween(a: string, b: string): number {
  const n = (Date.parse(`${b}T00:00Z`) - Date.parse(`${a}T00:00Z`)) / DAY + 1;
  return Number.isFinite(n) && n >= 1 && n <= LONGEST ? n : 0;
}

export function daysOf(v: string | undefined): { first: string; last: string; count: number } | null {
  const [first, last, more] = (v ?? '').split('..');
  if (!first || !last || more !== undefined || !DATE.test(first) || !DATE.test(last)) return null;
  const count = daysBetween(first, last);
  return count > 0 ? { first, last, count } : null;
}

export function parsePatterns(s: Record<string, unknown>): PatternsSearch {
  const sites = [...new Set(text(s.sites).split(',').filter(Boolean))].slice(0, 50);
  const days = text(s.days);
  const rate = Number(s.rate);
  return {
    sites: sites.length > 1 ? sites.join(',') : undefined,
    period: PERIOD_NAMES.find((p): p is Exclude<Period, typeof DEFAULT> => p !== DEFAULT && p === s.period),
    days: daysOf(days) ? days : undefined,
    with: text(s.with).slice(0, 48) || undefined,
    measure: MEASURES.find((m): m is Exclude<Measure, 'occupied'> => m !== 'occupied' && m === s.measure),
    rate: Number.isFinite(rate) && rate > 0 && rate <= 10_000 ? rate : undefined,
    sort: SORTS.find((c): c is Exclude<Sort, 'occupied'> => c !== 'occupied' && c === s.sort),
  };
}

/** The date a number of days later. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

export const dateAt = (at: number, zone: string | undefined): string => toClock(at, zone).slice(0, 10);
export const midnight = (date: string, zone: string | undefined): number => fromClock(`${date}T00:00`, zone);

export type Stretch = {
  from: number;
  to: number;
  first: string;
  last: string;
  /** Null: chosen by its days. */
  period: Period | null;
};

/** The stretch of time that is asked for, in whole days of the zone; what is still to come of today is left out. */
export function stretchOf(search: PatternsSearch, now: number, zone: string | undefined): Stretch {
  const own = daysOf(search.days);
  const period = own ? null : (search.period ?? DEFAULT);
  const last = own ? own.last : dateAt(now, zone);
  const first = own ? own.first : dateAfter(last, 1 - PERIODS[search.period ?? DEFAULT]);
  const from = midnight(first, zone);
  const end = midnight(dateAfter(last, 1), zone);
  const to = Math.min(end, Math.floor(now / (15 * MINUTE)) * 15 * MINUTE);
  return { from, to: to > from ? to : end, first, last, period };
}

/** The stretch of the same length before it. */
export function stretchBefore(s: Stretch, zone: string | undefined): Stretch {
  const days = daysBetween(s.first, s.last);
  const first = dateAfter(s.first, -days);
  const last = dateAfter(s.last, -days);
  const from = midnight(first, zone);
  return {
    from,
    to: Math.min(from + (s.to - s.from), midnight(dateAfter(last, 1), zone)),
    first,
    last,
    period: null,
  };
}

/** Reads a tab's part of the address: what is not its own stays in it. */
export function useTabSearch<T>(parse: (s: Record<string, unknown>) => T): T {
  const raw = useSearch({ strict: false }) as Record<string, unknown>;
  return useMemo(() => parse(raw), [parse, raw]);
}

/** Changes a tab's part of the address, and what all pages share. */
export function useSetSearch<T>(): (part: Partial<T> & ViewSearch) => void {
  const navigate = useNavigate();
  return useCallback(
    (part) => void navigate({ to: '.', search: (s: object) => ({ ...s, ...part }), replace: true } as never),
    [navigate],
  );
}
