// What the server says, in the words of the API description. The page treats
// each field as the server sent it; nothing is renamed on the way in.
import type { Status } from '../live/status';

export type Page<T> = { items: T[]; nextCursor?: string };

export type PowerClass = 'ac' | 'dc' | 'hpc' | 'unknown';

export type Summary = {
  at: string;
  ports: {
    total: number;
    free: number;
    byStatus: Record<Status, number>;
    offline: number;
    byPowerClass: {
      class: PowerClass;
      total: number;
      free: number;
      charging: number;
      faulted: number;
      offline: number;
    }[];
  };
  stations: { total: number; online: number; offline: number; pending: number; simulated: number };
  powerW: number;
  offeredW: number;
  sessions: { active: number; today: number; energyTodayWh: number };
  incidents: { open: number };
  observing: boolean;
};

export type Fault = { code: string; vendorCode: string; info: string };

export type Connector = { id: number; type: string; status: Status };

export type Evse = {
  id: number;
  publicId: string;
  free: boolean;
  status: Status;
  statusAt: string | null;
  ageSeconds: number | null;
  socPercent: number | null;
  fault: Fault | null;
  powerW: number | null;
  offeredW: number | null;
  ratedW: number | null;
  connectors: Connector[];
  sessionId: string | null;
};

export type StationDetail = {
  id: string;
  label: string;
  siteId: string;
  siteName: string;
  vendor: string;
  model: string;
  serial: string;
  firmware: string;
  iccid: string;
  protocol: string;
  status: Status;
  fault: Fault | null;
  online: boolean;
  onboarding: 'accepted' | 'pending' | 'rejected';
  lastFrameAt: string | null;
  ageSeconds: number | null;
  securityProfile: number;
  remoteAddr: string;
  commissionedAt: string | null;
  simulated: boolean;
  evses: Evse[];
};

export type Session = {
  id: string;
  station: string;
  evse: number;
  connector: number;
  transactionId: string;
  idToken: string;
  credentialId: string | null;
  startedAt: string;
  endedAt: string | null;
  meterStartWh: number | null;
  energyWh: number;
  peakPowerW: number;
  socStartPercent: number | null;
  socEndPercent: number | null;
  stopReason: string;
  state: 'active' | 'ended' | 'inferred';
  flags: string[];
};

export type Site = {
  id: string;
  name: string;
  address: string;
  latitude: number | null;
  longitude: number | null;
  timeZone: string;
  openingHours: string;
  gridLimitW: number | null;
  freeVend: boolean;
  ports: { total: number; free: number; faulted: number; offline: number };
};

export type Message = {
  at: string;
  direction: 'in' | 'out';
  type: 'CALL' | 'CALLRESULT' | 'CALLERROR' | 'SEND' | 'CALLRESULTERROR';
  messageId: string;
  action: string;
  bytes: number;
  frame: string;
  quirks: string[];
};

export type CommandStatus = 'sent' | 'answered' | 'error' | 'timeout' | 'offline' | 'refused';

export type Command = {
  id: string;
  station: string;
  action: string;
  payload: unknown;
  status: CommandStatus;
  response: unknown;
  errorCode: string;
  errorDescription: string;
  requestedBy: string;
  requestedAt: string;
  finishedAt: string | null;
};

export type SystemEvent = {
  seq: number;
  kind: string;
  subject: string;
  at: string;
  deviceAt: string | null;
  receivedAt: string;
  timeQuality: 'device' | 'corrected' | 'received';
  origin: 'station' | 'upstream' | 'us';
  data: Record<string, unknown>;
};

export type Telemetry = { unit: string; stepSeconds: number; points: [string, number, number, number][] };

export type Conformance = {
  code: string;
  count: number;
  firstAt: string;
  lastAt: string;
  example: string;
  vendor: string;
  model: string;
  firmware: string;
};

export type Handshake = {
  identity: string;
  remoteAddr: string;
  reason: string;
  count: number;
  firstAt: string;
  lastAt: string;
};

export type Me = {
  id: string;
  name: string;
  role: string;
  grants: { role: string; sites: string[] }[];
  permissions: string[];
  mustSetPassword: boolean;
  reauthenticatedAt: string | null;
  demo: boolean;
};

export type User = { id: string; name: string; role: string; disabled: boolean; createdAt: string };

export type Token = {
  id: string;
  name: string;
  role: string;
  sites: string[];
  createdAt: string;
  lastUsedAt: string | null;
};
