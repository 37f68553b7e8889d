// Status codes of the live feed, in wire order, and the nine families a person
// tells apart by shape, word and colour. Offline is no status: it is what we
// know about the connection, so it outranks the last status a station sent.
export const STATUSES = [
  'Available',
  'Preparing',
  'Charging',
  'SuspendedEV',
  'SuspendedEVSE',
  'Finishing',
  'Reserved',
  'Unavailable',
  'Faulted',
  'Unknown',
] as const;

export type Status = (typeof STATUSES)[number];

export const FAMILIES = [
  'available',
  'charging',
  'preparing',
  'suspended',
  'reserved',
  'unavailable',
  'faulted',
  'offline',
  'unknown',
] as const;

export type Family = (typeof FAMILIES)[number];

const byStatus: Record<Status, Family> = {
  Available: 'available',
  Preparing: 'preparing',
  Charging: 'charging',
  SuspendedEV: 'suspended',
  SuspendedEVSE: 'suspended',
  Finishing: 'preparing',
  Reserved: 'reserved',
  Unavailable: 'unavailable',
  Faulted: 'faulted',
  Unknown: 'unknown',
};

const familyIndex = new Map<Family, number>(FAMILIES.map((f, i) => [f, i]));
const byCode = STATUSES.map((s) => familyIndex.get(byStatus[s])!);
const OFFLINE = familyIndex.get('offline')!;
const UNKNOWN = familyIndex.get('unknown')!;

export const statusOf = (code: number): Status => STATUSES[code] ?? 'Unknown';

export const familyCode = (status: number, online: number): number =>
  online === 0 ? OFFLINE : (byCode[status] ?? UNKNOWN);

export const familyOf = (status: Status, online: boolean): Family =>
  online ? (byStatus[status] ?? 'unknown') : 'offline';

export const isFamily = (s: string): s is Family => familyIndex.has(s as Family);

// Worst first: what a person should look at before anything else.
export const URGENCY: Record<Family, number> = {
  faulted: 0,
  offline: 1,
  unknown: 2,
  unavailable: 3,
  suspended: 4,
  preparing: 5,
  charging: 6,
  reserved: 7,
  available: 8,
};
