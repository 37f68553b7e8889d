// How fast a port delivers, why it does not deliver more, and when the car is
// full: only what the numbers say, never what one might guess.
import type { ChargingProfile, Evse, Session, Setting, Telemetry } from '../../api/shapes';
import { HOUR, MINUTE } from '../../format/time';

/** How far back a pace is read: a car slows down towards the end. */
const READ = 20 * MINUTE;
const SAMPLES = 3;
const LEAST_SPAN = 4 * MINUTE;
const LONGEST = 24 * HOUR;

/** Milliseconds until 100 %, at the pace of the last minutes; null where that would be a guess. */
export function timeToFull(soc: Telemetry | undefined, now: number): number | null {
  const points = (soc?.points ?? [])
    .map(([at, , mean]) => ({ at: Date.parse(String(at)), soc: Number(mean) }))
    .filter((p) => Number.isFinite(p.at) && Number.isFinite(p.soc) && p.at > now - READ && p.at <= now);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < SAMPLES || last.at - first.at < LEAST_SPAN) return null;
  if (last.soc >= 100) return null;
  const n = points.length;
  const meanAt = points.reduce((a, p) => a + p.at, 0) / n;
  const meanSoc = points.reduce((a, p) => a + p.soc, 0) / n;
  const over = points.reduce((a, p) => a + (p.at - meanAt) * (p.soc - meanSoc), 0);
  const under = points.reduce((a, p) => a + (p.at - meanAt) ** 2, 0);
  const pace = over / under;
  if (!(pace > 0)) return null;
  const left = (100 - last.soc) / pace - (now - last.at);
  return left > 0 && left < LONGEST ? left : null;
}

export type Limit =
  | { by: 'schedule'; limitW: number; couldW: number }
  | { by: 'station'; offeredW: number; ratedW: number }
  | { by: 'vehicle'; powerW: number; offeredW: number };

const CLEARLY = 0.9;
/** Single-phase volts; what a limit in amperes means depends on them. */
const VOLTS = 230;

type Schedule = {
  chargingRateUnit?: unknown;
  startSchedule?: unknown;
  duration?: unknown;
  chargingSchedulePeriod?: unknown;
};

/** The power a profile allows now, where it says so without a calendar; null where it does not. */
export function profileLimit(p: Pick<ChargingProfile, 'profile'>, now: number): number | null {
  const body = p.profile as { chargingProfileKind?: unknown; chargingSchedule?: unknown } | null;
  if (typeof body !== 'object' || body === null) return null;
  const list = Array.isArray(body.chargingSchedule) ? body.chargingSchedule : [body.chargingSchedule];
  const s = list[0] as Schedule | undefined;
  if (list.length !== 1 || !s || !Array.isArray(s.chargingSchedulePeriod)) return null;
  const periods = s.chargingSchedulePeriod as {
    startPeriod?: unknown;
    limit?: unknown;
    numberPhases?: unknown;
  }[];
  let at = 0;
  if (periods.length > 1) {
    // Which period holds depends on when the schedule began.
    const start = typeof s.startSchedule === 'string' ? Date.parse(s.startSchedule) : Number.NaN;
    if (body.chargingProfileKind !== 'Absolute' || !Number.isFinite(start)) return null;
    const seconds = (now - start) / 1000;
    at = periods.findLastIndex((x) => typeof x.startPeriod === 'number' && x.startPeriod <= seconds);
  }
  const period = periods[at];
  if (!period || typeof period.limit !== 'number') return null;
  if (s.chargingRateUnit === 'W') return period.limit;
  const phases = typeof period.numberPhases === 'number' ? period.numberPhases : 3;
  return s.chargingRateUnit === 'A' ? period.limit * VOLTS * phases : null;
}

/** Why a port that charges does not deliver its rating: the first reason that the numbers show. */
export function limitOf(
  e: Pick<Evse, 'id' | 'status' | 'powerW' | 'offeredW' | 'ratedW'>,
  profiles: readonly Pick<ChargingProfile, 'evse' | 'profile'>[],
  now: number,
): Limit | null {
  if (e.status !== 'Charging' || e.powerW === null) return null;
  const offered = e.offeredW || null;
  if (offered !== null && e.powerW < CLEARLY * offered)
    return { by: 'vehicle', powerW: e.powerW, offeredW: offered };
  const could = e.ratedW ?? offered;
  if (could === null || e.powerW >= CLEARLY * could) return null;
  const limits = profiles
    .filter((p) => p.evse === e.id || p.evse === 0)
    .map((p) => profileLimit(p, now))
    .filter((w): w is number => w !== null);
  const least = Math.min(...limits);
  if (least < CLEARLY * could && e.powerW >= CLEARLY * least)
    return { by: 'schedule', limitW: least, couldW: could };
  if (offered !== null && e.ratedW && offered < CLEARLY * e.ratedW)
    return { by: 'station', offeredW: offered, ratedW: e.ratedW };
  return null;
}

export type Prepared = { action: string; payload: Record<string, unknown>; setting: string };

const POWER = 'Power.Active.Import';

/** The value of a setting as the station last told it; undefined: it never did. */
export const settingOf = (
  settings: readonly Setting[] | undefined,
  component: string,
  variable: string,
): string | undefined =>
  settings?.find(
    (s) =>
      s.component.toLowerCase() === component.toLowerCase() &&
      s.variable.toLowerCase() === variable.toLowerCase() &&
      s.attribute === 'Actual',
  )?.value ?? undefined;

const withPower = (list: string | undefined, otherwise: string): string => {
  const have = (list ?? otherwise)
    .split(',')
    .map((x) => x.trim())
    .filter(Boolean);
  return have.includes(POWER) ? have.join(',') : [...have, POWER].join(',');
};

/** What would make a silent station tell its power, as the next command to send. */
export function powerCommand(protocol: string, settings: readonly Setting[] | undefined): Prepared {
  if (protocol === 'ocpp1.6' || protocol === '') {
    const data = settingOf(settings, '', 'MeterValuesSampledData');
    const interval = settingOf(settings, '', 'MeterValueSampleInterval');
    if (data?.includes(POWER) && (interval === undefined || Number(interval) === 0)) {
      return {
        setting: 'MeterValueSampleInterval',
        action: 'ChangeConfiguration',
        payload: { key: 'MeterValueSampleInterval', value: '60' },
      };
    }
    return {
      setting: 'MeterValuesSampledData',
      action: 'ChangeConfiguration',
      payload: {
        key: 'MeterValuesSampledData',
        value: withPower(data, 'Energy.Active.Import.Register'),
      },
    };
  }
  const measurands = settingOf(settings, 'SampledDataCtrlr', 'TxUpdatedMeasurands');
  const interval = settingOf(settings, 'SampledDataCtrlr', 'TxUpdatedInterval');
  const set = (variable: string, value: string) => ({
    component: { name: 'SampledDataCtrlr' },
    variable: { name: variable },
    attributeValue: value,
  });
  return {
    setting: 'SampledDataCtrlr.TxUpdatedMeasurands',
    action: 'SetVariables',
    payload: {
      setVariableData: [
        set('TxUpdatedMeasurands', withPower(measurands, 'Energy.Active.Import.Register')),
        ...(interval !== undefined && Number(interval) > 0 ? [] : [set('TxUpdatedInterval', '60')]),
      ],
    },
  };
}

/** A session's length of measuring, in whole minutes so that the question stays the same for a while. */
export const measuredSince = (s: Pick<Session, 'startedAt'>, now: number): { from: number; to: number } => {
  const to = Math.ceil(now / MINUTE) * MINUTE;
  return { from: Math.max(Math.floor(Date.parse(s.startedAt) / MINUTE) * MINUTE, to - HOUR), to };
};
