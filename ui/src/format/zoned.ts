// A time of day typed by a person means the clock of the zone that the page
// shows. The browser converts from instants only; the way back is found by
// asking twice, which is enough unless the hour does not exist or comes twice.
const parts = (at: number, zone: string | undefined) => {
  const f = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone || undefined,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return Object.fromEntries(f.formatToParts(at).map((p) => [p.type, p.value]));
};

function known(zone: string | undefined): string | undefined {
  if (!zone) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    return undefined;
  }
}

/** "2026-11-22T14:05" on the clock of a zone, as the field for date and time has it; with seconds where they matter. */
export function toClock(at: number, zone: string | undefined, seconds = false): string {
  const p = parts(at, known(zone));
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}${seconds ? `:${p.second}` : ''}`;
}

function shift(at: number, zone: string | undefined): number {
  const p = parts(at, zone);
  const shown = Date.UTC(
    Number(p.year),
    Number(p.month) - 1,
    Number(p.day),
    Number(p.hour),
    Number(p.minute),
    Number(p.second),
  );
  return shown - Math.floor(at / 1000) * 1000;
}

/** The instant of a time of day on the clock of a zone; NaN if the text is none. An hour that comes twice is its first. */
export function fromClock(text: string, zone: string | undefined): number {
  const m = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  if (!m) return Number.NaN;
  const [, y, mo, d, h, mi, s] = m.map(Number);
  const wall = Date.UTC(y!, mo! - 1, d!, h!, mi!, s || 0);
  const there = known(zone);
  const day = 86_400_000;
  const offsets = [shift(wall - day, there), shift(wall + day, there)];
  const fits = offsets.map((o) => wall - o).filter((at) => at + shift(at, there) === wall);
  return fits.length > 0 ? Math.min(...fits) : wall - offsets[0]!;
}
