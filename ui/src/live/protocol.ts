// The wire format of GET /api/v1/live, described in docs/formats/live.md.
// Parsing is strict where a wrong frame could corrupt the table (lengths,
// indexes) and silent about fields we do not know, so that an older page
// survives a newer server until it reloads.
import type {
  AccessEvent,
  CameraShape,
  Command,
  DoorShape,
  IncidentShape,
  Message,
  OutputShape,
  StationDetail,
  Summary,
  SystemEvent,
} from '../api/shapes';

export type PortsSnapshot = {
  type: 'ports';
  snapshot: true;
  total: number;
  offset: number;
  ids: string[];
  labels: string[];
  sites: string[];
  site: number[];
  status: number[];
  online: number[];
  /** -1: none reported. */
  powerW: number[];
  ratedW: number[];
  statusAt: number[];
  free: number[];
};

export type PortsDelta = {
  type: 'ports';
  snapshot?: false;
  index: number[];
  status: number[];
  online: number[];
  powerW: number[];
  statusAt: number[];
  free: number[];
};

type Body =
  | { type: 'hello'; serverTime: string; build: string }
  | { type: 'tick' }
  | { type: 'summary'; data: Summary }
  | PortsSnapshot
  | PortsDelta
  | { type: 'station'; data: StationDetail }
  | { type: 'messages'; station: string; items: Message[] }
  | { type: 'command'; data: Command }
  | { type: 'event'; data: SystemEvent }
  | { type: 'incident'; data: IncidentShape }
  | { type: 'camera'; data: CameraShape }
  | { type: 'door'; data: DoorShape }
  | { type: 'access'; data: AccessEvent }
  | { type: 'output'; data: OutputShape }
  | { type: 'cameraGone' | 'arming' | 'scene' | 'doorGone' | 'doorAlarm' | 'outputGone'; data: object };

export type Frame = Body & { epoch: string; revision: number };

const columns = ['site', 'status', 'online', 'powerW', 'ratedW', 'statusAt', 'free'] as const;
const deltaColumns = ['status', 'online', 'powerW', 'statusAt', 'free'] as const;
/** Those that carry one thing as data. */
const oneThing = new Set([
  'summary',
  'station',
  'command',
  'event',
  'incident',
  'camera',
  'cameraGone',
  'arming',
  'scene',
  'door',
  'doorGone',
  'doorAlarm',
  'access',
  'output',
  'outputGone',
]);

const known = new Set(['hello', 'tick', 'ports', 'messages', ...oneThing]);

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;

function portsAreWhole(f: Record<string, unknown>): boolean {
  const whole = (name: string, length: number) => {
    const column = f[name];
    return Array.isArray(column) && column.length === length;
  };
  if (f.snapshot === true) {
    if (!Array.isArray(f.ids) || !Array.isArray(f.sites)) return false;
    const n = f.ids.length;
    return (
      typeof f.total === 'number' &&
      typeof f.offset === 'number' &&
      whole('labels', n) &&
      columns.every((c) => whole(c, n))
    );
  }
  if (!Array.isArray(f.index)) return false;
  const n = f.index.length;
  return deltaColumns.every((c) => whole(c, n));
}

/** The frame, 'skip' for a kind this build does not know, or null for one that must not be trusted. */
export function parseFrame(text: string): Frame | 'skip' | null {
  let f: unknown;
  try {
    f = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(f) || typeof f.type !== 'string') return null;
  if (typeof f.epoch !== 'string' || typeof f.revision !== 'number') return null;
  if (f.type === 'ports' && !portsAreWhole(f)) return null;
  if (f.type === 'messages' && !Array.isArray(f.items)) return null;
  if (oneThing.has(f.type) && !isObject(f.data)) return null;
  if (!known.has(f.type)) return 'skip';
  return f as Frame;
}
