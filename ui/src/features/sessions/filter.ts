export type SessionsSearch = {
  station?: string;
  /** Opaque id of a token. */
  token?: string;
  state?: 'active' | 'ended';
  flagged?: true;
  /** Id of the session whose details are open. */
  open?: string;
};

const text = (v: unknown, most: number): string | undefined =>
  typeof v === 'string' && v !== '' ? v.slice(0, most) : typeof v === 'number' ? String(v) : undefined;

export const parseSessions = (s: Record<string, unknown>): SessionsSearch => ({
  station: text(s.station, 48),
  token: text(s.token, 48),
  state: s.state === 'active' || s.state === 'ended' ? s.state : undefined,
  flagged: s.flagged === true || s.flagged === 'true' ? true : undefined,
  open: text(s.open, 64),
});

/** Mean power over the whole time at the plug; null where nothing can be said. */
export function meanW(energyWh: number, ms: number): number | null {
  return energyWh > 0 && ms >= 60_000 ? energyWh / (ms / 3_600_000) : null;
}
