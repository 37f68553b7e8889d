// What the address of the page of evidence says.

export type EvidenceSearch = {
  /** The pack whose facts are shown. */
  pack?: string;
  /** The form for a new one is open, with what the page before knew. */
  export?: true;
  /** Camera ids, joined by commas. */
  cameras?: string;
  /** In milliseconds. */
  from?: number;
  to?: number;
  incident?: string;
  /** Packs that were deleted are shown too. */
  deleted?: true;
};

const id = (v: unknown): string | undefined =>
  typeof v === 'string' && v !== '' ? v.slice(0, 64) : typeof v === 'number' ? String(v) : undefined;

const millis = (v: unknown): number | undefined => {
  const n = Number(v);
  return v !== undefined && v !== '' && Number.isFinite(n) && n > 0 && n < 8.64e15
    ? Math.round(n)
    : undefined;
};

const yes = (v: unknown): true | undefined =>
  v === true || v === 1 || v === '1' || v === 'true' ? true : undefined;

export const parseEvidence = (s: Record<string, unknown>): EvidenceSearch => ({
  pack: id(s.pack),
  export: yes(s.export),
  cameras: typeof s.cameras === 'string' && s.cameras !== '' ? s.cameras.slice(0, 4500) : undefined,
  from: millis(s.from),
  to: millis(s.to),
  incident: id(s.incident),
  deleted: yes(s.deleted),
});
