// The stretch of time that a timeline shows: a ladder of lengths to zoom along, and
// what is asked of the server for it, which stays the same question for a while.
export const MINUTE = 60_000;

/** Lengths in minutes, from one to a week. */
export const SPANS = [1, 2, 5, 10, 30, 60, 120, 360, 720, 1440, 4320, 10_080] as const;
export const USUAL = 60;

export type Win = { from: number; to: number };

const bounded = (from: number, length: number, now: number): Win => {
  // A little of the future, so that now is not on the rim.
  const last = now + length * 0.02 - length;
  const start = Math.min(from, last);
  return { from: start, to: start + length };
};

/** The window of a length with a moment three fifths in, as far as there is time to show. */
export const windowAt = (at: number, minutes: number, now: number): Win =>
  bounded(at - minutes * MINUTE * 0.6, minutes * MINUTE, now);

/** The next length of the ladder, longer or shorter. */
export function step(minutes: number, direction: 1 | -1): number {
  if (direction > 0) return SPANS.find((s) => s > minutes) ?? SPANS.at(-1)!;
  return [...SPANS].reverse().find((s) => s < minutes) ?? SPANS[0];
}

/** Another length; what lies under the pointer stays there. */
export function zoomed(win: Win, minutes: number, around: number, now: number): Win {
  const share = (around - win.from) / (win.to - win.from);
  return bounded(around - share * minutes * MINUTE, minutes * MINUTE, now);
}

/** Moved by a time. */
export const panned = (win: Win, by: number, now: number): Win =>
  bounded(win.from + by, win.to - win.from, now);

/** The same window while the moment lies well in it, else one with the moment in it. */
export function followed(win: Win, at: number, now: number): Win {
  const length = win.to - win.from;
  if (at >= win.from + length * 0.02 && at <= win.to - length * 0.02) return win;
  return bounded(at - length * (at > win.to - length * 0.02 ? 0.3 : 0.6), length, now);
}

/** What is asked of the server: whole quarters of the window, nothing of the far future. */
export function chunk(win: Win, now: number): Win {
  const quarter = (win.to - win.from) / 4;
  const from = Math.floor(win.from / quarter) * quarter;
  const to = Math.ceil(win.to / quarter) * quarter;
  return { from, to: Math.max(from + quarter, Math.min(to, Math.ceil((now + 10_000) / quarter) * quarter)) };
}

/** What is written now is listed with some delay. */
const LISTED = 10_000;

/**
 * Where to begin when nobody said where: there, or at the next picture of any camera, as far as
 * there are some to show already; done says that it need not be looked for again.
 */
export function opened(at: number, spans: readonly Win[], limit: number): { at: number; done: boolean } {
  if (spans.some((s) => s.from <= at && at <= s.to + LISTED)) return { at, done: true };
  const next = Math.min(...spans.filter((s) => s.from > at).map((s) => s.from));
  if (next === Infinity) return { at, done: false };
  return { at: Math.max(at, Math.min(next, limit)), done: next <= limit };
}
