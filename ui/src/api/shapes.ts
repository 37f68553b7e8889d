// Short names for the shapes of the API description. The types come from
// api/openapi.json (npm run gen): when the server changes, the build says where.
import type { components } from './gen';

type Schemas = components['schemas'];

export type Summary = Schemas['Summary'];
export type StationDetail = Schemas['StationShape'];
export type Evse = Schemas['EVSEShape'];
export type Fault = Schemas['FaultShape'];
export type Session = Schemas['SessionShape'];
export type Site = Schemas['SiteShape'];
export type Message = Schemas['MessageShape'];
export type Command = Schemas['CommandShape'];
export type Pin = Schemas['PinShape'];
export type Power = Schemas['PowerShape'];
export type Attention = Schemas['Attention'];
export type Outage = Schemas['Outage'];
export type SlowPort = Schemas['SlowPort'];
export type Telemetry = Schemas['SeriesShape'];
export type States = Schemas['StatesShape'];
export type StateInterval = Schemas['StateIntervalShape'];
export type PastFault = Schemas['PastFaultShape'];
export type Setting = Schemas['SettingShape'];
export type ChargingProfile = Omit<Schemas['ProfileShape'], 'profile'> & { profile: unknown };
export type Note = Schemas['NoteShape'];
export type Certificates = Schemas['CertificatesShape'];
export type StationMonitors = Schemas['StationMonitorsShape'];
export type Watched = Schemas['WatchedShape'];
export type Me = Schemas['Me'];
export type User = Schemas['UserShape'];
export type Token = Schemas['TokenShape'];
export type Grant = Schemas['Grant'];
/** What an event says depends on its kind; readers look for the fields they know. */
export type SystemEvent = Omit<Schemas['EventShape'], 'data'> & { data: Record<string, unknown> };
export type Attempt = Schemas['AttemptShape'];
export type Found = Schemas['FoundShape'];
export type CameraShape = Schemas['CameraShape'];
export type DoorShape = Schemas['DoorShape'];
export type OutputShape = Schemas['OutputShape'];
export type AccessEvent = Schemas['AccessEventShape'];
export type IncidentShape = Schemas['IncidentShape'];
export type IncidentDetail = Schemas['IncidentDetail'];
export type IncidentLog = Schemas['Logged'];
export type IncidentAct = Schemas['IncidentActionInputBody'];
