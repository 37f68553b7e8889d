import type { Message } from '../../api/shapes';

const MAX_SUMMARY = 120;
const MAX_PRETTY = 200_000;

/** The frame with line breaks; as it came if it is no JSON, since broken frames are kept too. */
export function pretty(frame: string): string {
  if (frame.length > MAX_PRETTY) return frame;
  try {
    return JSON.stringify(JSON.parse(frame), null, 2);
  } catch {
    return frame;
  }
}

/** The payload in one line. */
export function summarise(m: Message): string {
  if (m.frame.length > MAX_PRETTY) return '';
  let parsed: unknown;
  try {
    parsed = JSON.parse(m.frame);
  } catch {
    return m.frame.slice(0, MAX_SUMMARY);
  }
  if (!Array.isArray(parsed)) return '';
  if (m.type === 'CALLERROR' || m.type === 'CALLRESULTERROR') {
    return [parsed[2], parsed[3]].filter((x) => typeof x === 'string' && x !== '').join(': ');
  }
  const payload: unknown = parsed.at(-1);
  if (typeof payload !== 'object' || payload === null) return '';
  const text = Object.entries(payload)
    .map(
      ([k, v]) =>
        `${k}=${typeof v === 'object' && v !== null ? (Array.isArray(v) ? `[${v.length}]` : '{…}') : String(v)}`,
    )
    .join(' ');
  return text.length > MAX_SUMMARY ? `${text.slice(0, MAX_SUMMARY)}…` : text;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

export function clockMillis(tag: string, at: number, zone: string | undefined): string {
  const key = `${tag}/${zone ?? ''}`;
  let f = formatters.get(key);
  if (!f) {
    const options: Intl.DateTimeFormatOptions = {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: 'h23',
    };
    try {
      f = new Intl.DateTimeFormat(tag, { ...options, timeZone: zone });
    } catch {
      f = new Intl.DateTimeFormat(tag, options);
    }
    formatters.set(key, f);
  }
  return f.format(at);
}
