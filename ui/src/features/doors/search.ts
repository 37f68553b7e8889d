// What the address of the page of doors says.

export type DoorsSearch = {
  /** The list of who is inside instead of doors and log. */
  view?: 'muster';
  /** What the log is narrowed to. */
  door?: string;
  decision?: 'allow' | 'deny';
};

export const parseDoors = (s: Record<string, unknown>): DoorsSearch => ({
  view: s.view === 'muster' ? 'muster' : undefined,
  door:
    typeof s.door === 'string' && s.door !== ''
      ? s.door.slice(0, 64)
      : typeof s.door === 'number'
        ? String(s.door)
        : undefined,
  decision: s.decision === 'allow' || s.decision === 'deny' ? s.decision : undefined,
});
