import { describe, expect, it } from 'vitest';
import type { Evse, Setting, SystemEvent } from '../../api/shapes';
import { type Draft, effectOf, needsTypedId } from './actions';
import { limitOf, powerCommand, profileLimit, timeToFull } from './pace';
import { answerWord, isDone } from './send';
import { differences, grouped, isVendors, keyOf, searched, setCommand } from './settings';
import { updateSteps, versionsOf } from './versions';

const now = Date.parse('2026-11-22T12:00:00Z');
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const soc = (...points: [number, number][]) => ({
  unit: '%',
  stepSeconds: 60,
  points: points.map(([m, v]) => [ago(m), v, v, v] as [string, number, number, number]),
});

describe('time to full', () => {
  it('goes on at the pace of the last minutes', () =>
    expect(timeToFull(soc([10, 60], [5, 65], [0, 70]), now)).toBeCloseTo(30 * 60_000, -3));

  const guesses: Record<string, Parameters<typeof timeToFull>[0]> = {
    'too few samples': soc([10, 60], [0, 70]),
    'samples from one moment': soc([2, 60], [1, 61], [0, 62]),
    'nothing known': undefined,
    'a car that is full': soc([10, 98], [5, 99], [0, 100]),
    'a level that stands': soc([10, 80], [5, 80], [0, 80]),
    'a level that falls': soc([10, 80], [5, 79], [0, 78]),
    'samples of long ago': soc([60, 20], [50, 30], [40, 40]),
    'a pace of days': soc([12, 50], [6, 50.001], [0, 50.002]),
  };
  for (const [name, given] of Object.entries(guesses)) {
    it(`does not guess from ${name}`, () => expect(timeToFull(given, now)).toBeNull());
  }
});

describe('why a port is not faster', () => {
  const port = (powerW: number | null, offeredW: number | null, ratedW: number | null) =>
    ({ id: 1, status: 'Charging', powerW, offeredW, ratedW }) as Evse;
  const watts = (limit: number, evse = 1) => ({
    evse,
    profile: {
      chargingProfileKind: 'Relative',
      chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  });
  const cases: Record<string, [Evse, ReturnType<typeof watts>[], unknown]> = {
    'the car takes less than offered': [
      port(40_000, 100_000, 150_000),
      [],
      { by: 'vehicle', powerW: 40_000, offeredW: 100_000 },
    ],
    'the station offers less than its rating': [
      port(49_000, 50_000, 150_000),
      [],
      { by: 'station', offeredW: 50_000, ratedW: 150_000 },
    ],
    'a profile says so': [
      port(29_500, 30_000, 150_000),
      [watts(30_000)],
      { by: 'schedule', limitW: 30_000, couldW: 150_000 },
    ],
    'a profile of the whole station says so': [
      port(29_500, null, 150_000),
      [watts(30_000, 0)],
      { by: 'schedule', limitW: 30_000, couldW: 150_000 },
    ],
    'a profile of another port says nothing': [port(29_500, null, 150_000), [watts(30_000, 2)], null],
    'a profile above what flows is no reason': [port(20_000, null, 150_000), [watts(30_000)], null],
    'all is delivered': [port(148_000, 150_000, 150_000), [], null],
    'nothing is known of what is offered': [port(40_000, null, 150_000), [], null],
    'no power is told': [port(null, 50_000, 150_000), [], null],
  };
  for (const [name, [evse, profiles, want]] of Object.entries(cases)) {
    it(name, () => expect(limitOf(evse, profiles, now)).toEqual(want));
  }

  it('says nothing of a port that does not charge', () =>
    expect(limitOf({ ...port(10, 50_000, 150_000), status: 'SuspendedEV' }, [], now)).toBeNull());

  it('reads amperes with the phases a period names', () => {
    const amperes = (period: object) => ({
      profile: { chargingSchedule: [{ chargingRateUnit: 'A', chargingSchedulePeriod: [period] }] },
    });
    expect(profileLimit(amperes({ startPeriod: 0, limit: 16 }), now)).toBe(11_040);
    expect(profileLimit(amperes({ startPeriod: 0, limit: 16, numberPhases: 1 }), now)).toBe(3680);
  });

  it('reads the period in force only of a schedule that says when it began', () => {
    const profile = (chargingProfileKind: string) => ({
      profile: {
        chargingProfileKind,
        chargingSchedule: {
          chargingRateUnit: 'W',
          startSchedule: ago(30),
          chargingSchedulePeriod: [
            { startPeriod: 0, limit: 1 },
            { startPeriod: 1200, limit: 2 },
            { startPeriod: 7200, limit: 3 },
          ],
        },
      },
    });
    expect(profileLimit(profile('Absolute'), now)).toBe(2);
    expect(profileLimit(profile('Recurring'), now)).toBeNull();
    for (const nonsense of [null, 7, {}, { chargingSchedule: 'x' }, { chargingSchedule: [{}, {}] }])
      expect(profileLimit({ profile: nonsense }, now)).toBeNull();
  });
});

const setting = (variable: string, value: string | null, part: Partial<Setting> = {}): Setting => ({
  component: '',
  componentInstance: '',
  evse: 0,
  connector: 0,
  variable,
  variableInstance: '',
  attribute: 'Actual',
  value,
  mutability: 'ReadWrite',
  at: ago(1),
  ...part,
});

describe('a silent station', () => {
  it('is asked to add power to what it sends', () =>
    expect(
      powerCommand('ocpp1.6', [setting('MeterValuesSampledData', 'SoC, Energy.Active.Import.Register')])
        .payload,
    ).toEqual({
      key: 'MeterValuesSampledData',
      value: 'SoC,Energy.Active.Import.Register,Power.Active.Import',
    }));

  it('is asked to send at all where power is listed and the interval is 0', () =>
    expect(
      powerCommand('ocpp1.6', [
        setting('MeterValuesSampledData', 'Power.Active.Import'),
        setting('MeterValueSampleInterval', '0'),
      ]).payload,
    ).toEqual({ key: 'MeterValueSampleInterval', value: '60' }));

  it('keeps an interval of 2.x that is set', () => {
    const ctrlr = { component: 'SampledDataCtrlr' };
    const names = (settings: Setting[]) =>
      (powerCommand('ocpp2.0.1', settings).payload.setVariableData as { variable: { name: string } }[]).map(
        (v) => v.variable.name,
      );
    expect(names([setting('TxUpdatedInterval', '30', ctrlr)])).toEqual(['TxUpdatedMeasurands']);
    expect(names([])).toEqual(['TxUpdatedMeasurands', 'TxUpdatedInterval']);
  });
});

describe('settings', () => {
  const evse = setting('Power', '1', { component: 'EVSE', evse: 2, attribute: 'MaxSet' });
  it('names a variable by its component, port and attribute', () =>
    expect(keyOf(evse)).toBe('EVSE · EVSE 2/Power.MaxSet'));

  it('groups by component and sorts ports as numbers', () =>
    expect(
      grouped([10, 9].map((n) => ({ ...evse, evse: n }))).map((g) => [g.name, g.settings.length]),
    ).toEqual([
      ['EVSE · EVSE 9', 1],
      ['EVSE · EVSE 10', 1],
    ]));

  it('finds all words anywhere, values too', () => {
    const all = [setting('HeartbeatInterval', '300'), setting('Heartbeats', 'off')];
    expect(searched(all, 'heart 300')).toHaveLength(1);
    expect(searched(all, '')).toHaveLength(2);
  });

  it('knows the keys of a maker', () => {
    expect(isVendors(setting('HeartbeatInterval', '1'))).toBe(false);
    expect(isVendors(setting('AcmeBeep', '1'))).toBe(true);
    expect(isVendors(evse)).toBe(false);
  });

  it('compares, and leaves out what names the single station', () => {
    const here = [
      setting('A', '1'),
      setting('B', '2'),
      setting('OnlyHere', 'x'),
      setting('SerialNumber', '7'),
    ];
    const there = [
      setting('A', '1'),
      setting('B', '3'),
      setting('OnlyThere', 'y'),
      setting('SerialNumber', '8'),
    ];
    expect(differences(here, there).map((d) => [d.key, d.here?.value, d.there?.value])).toEqual([
      ['/B', '2', '3'],
      ['/OnlyHere', 'x', undefined],
      ['/OnlyThere', undefined, 'y'],
    ]);
  });

  it('sets a key of 1.6 and a variable of 2.x', () => {
    expect(setCommand('ocpp1.6', setting('A', '1'), '2')).toEqual({
      action: 'ChangeConfiguration',
      payload: { key: 'A', value: '2' },
    });
    expect(setCommand('ocpp2.0.1', evse, '5').payload).toEqual({
      setVariableData: [
        {
          component: { name: 'EVSE', evse: { id: 2 } },
          variable: { name: 'Power' },
          attributeType: 'MaxSet',
          attributeValue: '5',
        },
      ],
    });
  });
});

describe('answers', () => {
  const answered = (response: unknown) =>
    isDone({ status: 'answered', response } as Parameters<typeof isDone>[0]);
  it('finds the word of 1.6 and of each variable', () => {
    expect(answerWord({ status: 'Rejected' })).toBe('Rejected');
    expect(
      answerWord({ setVariableResult: [{ attributeStatus: 'Accepted' }, { attributeStatus: 'Rejected' }] }),
    ).toBe('Rejected');
    for (const nonsense of [
      null,
      7,
      {},
      { status: 3 },
      { setVariableResult: 'x' },
      { setVariableResult: [null] },
    ])
      expect(answerWord(nonsense)).toBe('');
  });
  it('calls nothing done but what was done', () => {
    expect(answered({ status: 'Accepted' })).toBe(true);
    expect(answered({ status: 'RebootRequired' })).toBe(true);
    expect(answered({ configurationKey: [] })).toBe(true);
    expect(answered({ status: 'Rejected' })).toBe(false);
    expect(answered({ status: 'NotSupported' })).toBe(false);
    expect(isDone({ status: 'timeout', response: null } as Parameters<typeof isDone>[0])).toBe(false);
  });
});

describe('free actions', () => {
  const draft = (action: string, payload: object): Draft =>
    ({ kind: 'any', port: 0, action, payload: JSON.stringify(payload) }) as Draft;
  const station = { evses: [{ id: 1, sessionId: 'a' } as Evse], protocol: 'ocpp1.6' };
  it('mean what their forms mean', () => {
    expect(effectOf(draft('Reset', { type: 'Hard' }), station)).toMatchObject({
      values: { n: 1 },
      grave: true,
    });
    expect(needsTypedId(draft('Reset', { type: 'Hard' }))).toBe(true);
    expect(needsTypedId(draft('Reset', { type: 'Soft' }))).toBe(false);
    expect(effectOf(draft('UnlockConnector', { connectorId: 1 }), station)).toMatchObject({ grave: true });
    expect(effectOf(draft('UpdateFirmware', {}), station)).toMatchObject({ grave: true });
    expect(effectOf(draft('GetConfiguration', {}), station)).toMatchObject({ key: 'effect.reads' });
    expect(effectOf(draft('toString', {}), station)).toMatchObject({ key: 'effect.any' });
  });
});

describe('firmware', () => {
  const event = (kind: string, minutes: number, data: object, seq = 0) =>
    ({ kind, at: ago(minutes), data, seq }) as unknown as SystemEvent;
  it('joins the boots of a version and ends it with the next', () =>
    expect(
      versionsOf(
        [
          event('boot', 5, { firmware: '2' }),
          event('boot', 20, { firmware: '1' }),
          event('boot', 30, { firmware: '' }),
          event('boot', 40, { firmware: '1' }),
        ],
        now,
      ).map((v) => [v.version, v.boots, (v.to - v.from) / 60_000]),
    ).toEqual([
      ['2', 1, 5],
      ['1', 2, 35],
    ]));

  it('leaves out steps that say nothing, and marks those that failed', () =>
    expect(
      updateSteps([
        event('firmware', 1, { status: 'InstallationFailed', requestId: 4 }, 3),
        event('firmware', 2, { status: 'Idle' }, 2),
        event('firmware', 3, { status: 'Downloading' }, 1),
      ]).map((s) => [s.status, s.failed, s.request]),
    ).toEqual([
      ['InstallationFailed', true, 4],
      ['Downloading', false, null],
    ]));
});
