// Times of the week: as the server keeps them, as a grid of hours, and in words.
import type { Hours } from './queries';

const DAY = 24 * 60;

/** Monday first, as a week is read. */
export const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;

export const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));

export const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

const end = (h: Hours): number => minuteOf(h.to) || DAY;

/** A night that goes on after midnight belongs to the day it begins on. */
export const overnight = (h: Hours): boolean =>
  h.to !== '24:00' && h.to !== '00:00' && minuteOf(h.to) <= minuteOf(h.from);

export type Cell = 'off' | 'on' | 'part' | 'night';

/** What an hour of a day is: open, open in part, or of a night that is written as a line. */
export function cellOf(open: readonly Hours[], day: number, hour: number): Cell {
  const [from, to] = [hour * 60, hour * 60 + 60];
  let minutes = 0;
  for (const h of open) {
    if (overnight(h)) {
      if (h.days.includes(day) && to > minuteOf(h.from)) return 'night';
      if (h.days.includes((day + 6) % 7) && from < minuteOf(h.to)) return 'night';
    } else if (h.days.includes(day)) {
      minutes += Math.max(0, Math.min(to, end(h)) - Math.max(from, minuteOf(h.from)));
    }
  }
  return minutes >= 60 ? 'on' : minutes > 0 ? 'part' : 'off';
}

/** Opens or closes hours of days; nights that are written as lines stay as they are. */
export function paint(
  open: readonly Hours[],
  cells: readonly [day: number, hour: number][],
  on: boolean,
): Hours[] {
  const nights = open.filter(overnight);
  const minutes = new Map<number, Uint8Array>();
  for (const day of WEEK) minutes.set(day, new Uint8Array(DAY));
  for (const h of open) {
    if (overnight(h)) continue;
    for (const d of h.days) minutes.get(d)?.fill(1, minuteOf(h.from), end(h));
  }
  for (const [day, hour] of cells) minutes.get(day)?.fill(on ? 1 : 0, hour * 60, hour * 60 + 60);
  const byTimes = new Map<string, Hours>();
  for (const day of WEEK) {
    const row = minutes.get(day)!;
    for (let at = 0; at < DAY; ) {
      if (!row[at]) {
        at++;
        continue;
      }
      const from = at;
      while (at < DAY && row[at]) at++;
      const key = `${from}-${at}`;
      const known = byTimes.get(key);
      if (known) known.days.push(day);
      else byTimes.set(key, { days: [day], from: clockOf(from), to: clockOf(at) });
    }
  }
  return [...byTimes.values(), ...nights];
}

/** Runs of days: "Mon–Fri, Sun". */
export function daysText(tag: string, days: readonly number[]): string {
  const name = (d: number) =>
    new Intl.DateTimeFormat(tag, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2026, 10, 22 + d));
  const parts: string[] = [];
  for (let i = 0; i < 7; i++) {
    if (!days.includes(WEEK[i]!)) continue;
    const from = i;
    while (i + 1 < 7 && days.includes(WEEK[i + 1]!)) i++;
    if (i === from) parts.push(name(WEEK[i]!));
    else if (i === from + 1) parts.push(name(WEEK[from]!), name(WEEK[i]!));
    else parts.push(`${name(WEEK[from]!)}–${name(WEEK[i]!)}`);
  }
  return parts.join(', ');
}

/** "Mon–Fri 06:00–22:00, Sat 08:00–14:00"; empty when it is never open. */
export const hoursText = (tag: string, open: readonly Hours[]): string =>
  open
    .map((h) => {
      const times = h.from === '00:00' && end(h) === DAY ? '' : ` ${h.from}–${h.to}`;
      return `${daysText(tag, h.days)}${times}`;
    })
    .join('; ');
