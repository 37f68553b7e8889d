// Ages are relative within a day and absolute after it; absolute times always
// name their zone.
const formatters = new Map<string, Intl.DateTimeFormat>();

function format(
  locale: string,
  zone: string | undefined,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${locale}/${zone ?? ''}/${JSON.stringify(options)}`;
  let f = formatters.get(key);
  if (!f) {
    try {
      f = new Intl.DateTimeFormat(locale, { hourCycle: 'h23', ...options, timeZone: zone || undefined });
    } catch {
      // A site with a zone name this browser does not know: our own zone, which the text then names.
      f = new Intl.DateTimeFormat(locale, { hourCycle: 'h23', ...options });
    }
    formatters.set(key, f);
  }
  return f;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type AgeWords = {
  now: string;
  seconds: (n: number) => string;
  minutes: (n: number) => string;
  hours: (n: number) => string;
};

/** "4 min ago" within a day, "3 Nov, 14:02" after it. */
export function age(locale: string, words: AgeWords, at: number, now: number, zone?: string): string {
  const ms = now - at;
  if (!Number.isFinite(at) || at <= 0) return '–';
  if (ms < 2 * SECOND) return words.now;
  if (ms < MINUTE) return words.seconds(Math.floor(ms / SECOND));
  if (ms < HOUR) return words.minutes(Math.floor(ms / MINUTE));
  if (ms < DAY) return words.hours(Math.floor(ms / HOUR));
  return format(locale, zone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(
    at,
  );
}

/** A span on a narrow line: "38 s", "12 min", "1 h 04 min", "3 d 2 h". */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / SECOND));
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min`;
  const h = Math.floor(m / 60);
  if (h < 24) return m % 60 === 0 ? `${h} h` : `${h} h ${String(m % 60).padStart(2, '0')} min`;
  const d = Math.floor(h / 24);
  return h % 24 === 0 ? `${d} d` : `${d} d ${h % 24} h`;
}

export const exact = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(at);

export const clock = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);

export const hourMinute = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, { hour: '2-digit', minute: '2-digit' }).format(at);

export const day = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, { day: 'numeric', month: 'short', year: 'numeric' }).format(at);

export const dayMonth = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, { day: 'numeric', month: 'short' }).format(at);

export const dayTime = (locale: string, at: number, zone?: string): string =>
  format(locale, zone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(at);

/** The short name of the zone in force at that moment, such as CET. */
export function zoneName(locale: string, at: number, zone?: string): string {
  const parts = format(locale, zone, { timeZoneName: 'short' }).formatToParts(at);
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? '';
}
