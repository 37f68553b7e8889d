// Opening hours as OpenStreetMap writes them, as far as places for charging need
// it: "24/7", "Mo-Fr 06:00-22:00; Sa 08:00-14:00; Su,PH off". What it does not
// understand it says so of; the text is kept as it stands.
const DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];

/** Minutes of the day, the end above 1440 when it is on the next. */
export type Opening = { from: number; to: number };

export type Week = {
  /** Monday first. */
  days: Opening[][];
  /** Null when nothing is said of them. */
  holidays: Opening[] | null;
};

const ALL_DAY: Opening = { from: 0, to: 1440 };

function minutes(text: string): number | null {
  const m = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (!m) return null;
  const at = Number(m[1]) * 60 + Number(m[2]);
  return Number(m[2]) < 60 && at <= 1440 ? at : null;
}

function openings(text: string): Opening[] | null {
  if (/^(off|closed)$/i.test(text)) return [];
  if (text === '24/7') return [ALL_DAY];
  const all: Opening[] = [];
  for (const part of text.split(',')) {
    const [a, b, more] = part.trim().split('-');
    const from = minutes(a ?? '');
    const to = minutes(b ?? '');
    if (from === null || to === null || more !== undefined || from === to || from === 1440) return null;
    all.push({ from, to: to < from ? to + 1440 : to });
  }
  return all;
}

/** The days of "Mo-We,Fr,PH"; 7 stands for public holidays. */
function days(text: string): number[] | null {
  const all: number[] = [];
  for (const part of text.split(',')) {
    if (part === 'PH') {
      all.push(7);
      continue;
    }
    const [a, b, more] = part.split('-');
    const from = DAYS.indexOf(a ?? '');
    const to = b === undefined ? from : DAYS.indexOf(b);
    if (from < 0 || to < 0 || more !== undefined) return null;
    for (let d = from; ; d = (d + 1) % 7) {
      all.push(d);
      if (d === to) break;
    }
  }
  return all;
}

export function parseHours(text: string): Week | null {
  const week: Week = { days: DAYS.map(() => []), holidays: null };
  const rules = text
    .split(';')
    .map((r) => r.trim())
    .filter(Boolean);
  if (rules.length === 0) return null;
  for (const rule of rules) {
    const m = /^((?:(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)[-,\s]*)+)?\s*(.*)$/.exec(rule);
    const which = m?.[1]
      ? days(
          m[1]
            .trim()
            .replace(/\s*([-,])\s*/g, '$1')
            .replace(/\s+/g, ','),
        )
      : [0, 1, 2, 3, 4, 5, 6];
    const when = openings((m?.[2] ?? '').replace(/\s*([-,])\s*/g, '$1') || '24/7');
    if (!which || !when) return null;
    // A later rule replaces what an earlier one said of a day.
    for (const d of which) {
      if (d === 7) week.holidays = when;
      else week.days[d] = when;
    }
  }
  return week;
}

const two = (n: number) => String(n).padStart(2, '0');
export const clockOf = (m: number): string =>
  m === 1440 ? '24:00' : `${two(Math.floor(m / 60) % 24)}:${two(m % 60)}`;

/** Days that follow each other and are alike, as one line: from, to, what. */
export function runs(week: Week): { from: number; to: number; openings: Opening[] }[] {
  const out: { from: number; to: number; openings: Opening[] }[] = [];
  const same = (a: Opening[], b: Opening[]) => JSON.stringify(a) === JSON.stringify(b);
  week.days.forEach((openings, d) => {
    const last = out.at(-1);
    if (last && same(last.openings, openings)) last.to = d;
    else out.push({ from: d, to: d, openings });
  });
  return out;
}
