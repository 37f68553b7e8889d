// Days of the week and hours as people say them: "Mon–Fri", "16–19".

/** The first of a month that began on a Monday, so that a weekday can be named. */
const MONDAY = Date.UTC(2024, 0, 1, 12);

export function weekdayName(tag: string, weekday: number, width: 'short' | 'long' = 'short'): string {
  return new Intl.DateTimeFormat(tag, { weekday: width, timeZone: 'UTC' }).format(
    MONDAY + (weekday - 1) * 86_400_000,
  );
}

/** "16–17": the hours as a clock has them. */
export const hoursText = (from: number, to: number): string =>
  `${String(from).padStart(2, '0')}–${String(to).padStart(2, '0')}`;

export function weekdaysText(tag: string, weekdays: readonly number[]): string {
  const days = [...new Set(weekdays)].sort((a, b) => a - b);
  const runs: number[][] = [];
  for (const d of days) {
    const run = runs.at(-1);
    if (run?.at(-1) === d - 1) run.push(d);
    else runs.push([d]);
  }
  return runs
    .map((run) => {
      const [first, last] = [weekdayName(tag, run[0]!), weekdayName(tag, run.at(-1)!)];
      return run.length === 1 ? first : run.length === 2 ? `${first}, ${last}` : `${first}–${last}`;
    })
    .join(', ');
}
