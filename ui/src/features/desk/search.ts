export type DeskSearch = {
  q?: string;
  /** STATION/EVSE. */
  evse?: string;
  /** Opaque id of a token. */
  token?: string;
};

const text = (v: unknown, most: number): string | undefined =>
  typeof v === 'string' && v !== '' ? v.slice(0, most) : typeof v === 'number' ? String(v) : undefined;

export const parseDesk = (s: Record<string, unknown>): DeskSearch => ({
  q: text(s.q, 100),
  evse: parsePort(text(s.evse, 60)) ? text(s.evse, 60) : undefined,
  token: text(s.token, 48),
});

export function parsePort(v: string | undefined): { station: string; evse: number } | null {
  const at = v?.lastIndexOf('/') ?? -1;
  const evse = Number(v?.slice(at + 1));
  return v && at > 0 && Number.isInteger(evse) && evse > 0 ? { station: v.slice(0, at), evse } : null;
}
