import { describe, expect, it } from 'vitest';
import type { Command, Evse, Message, StateInterval } from '../../api/shapes';
import { build, type Draft, effectOf, needsTypedId, parseObject } from './actions';
import { pretty, summarise } from './frame-words';
import { answers, mergeCommand, mergeMessages } from './merge';
import { envelope, joinLines, lonelyPoints, seriesOf, withGaps } from './series';
import { bandAt, bandsOf, nearest, seriesStep, stateStep, ticksOf } from './track';

const draft = (part: Partial<Draft>): Draft => ({
  kind: 'reset',
  port: 0,
  resetNow: false,
  operative: false,
  trigger: 'Heartbeat',
  idToken: 'ABC',
  tokenType: 'ISO14443',
  transactionId: '17',
  remoteStartId: 5,
  action: 'GetLog',
  payload: '{}',
  ...part,
});

describe('commands', () => {
  const cases: Record<string, [Partial<Draft>, string, string, unknown]> = {
    'a soft reset of 1.6': [{}, 'ocpp1.6', 'Reset', { type: 'Soft' }],
    'a hard reset of 1.6': [{ resetNow: true }, 'ocpp1.6', 'Reset', { type: 'Hard' }],
    'a reset of 2.0.1 when idle': [{}, 'ocpp2.0.1', 'Reset', { type: 'OnIdle' }],
    'a reset of 2.1 at once': [{ resetNow: true }, 'ocpp2.1', 'Reset', { type: 'Immediate' }],
    'an unlock of 1.6': [{ kind: 'unlock', port: 2 }, 'ocpp1.6', 'UnlockConnector', { connectorId: 2 }],
    'an unlock of 2.0.1': [
      { kind: 'unlock', port: 2 },
      'ocpp2.0.1',
      'UnlockConnector',
      { evseId: 2, connectorId: 1 },
    ],
    'a whole station of 1.6 out of service': [
      { kind: 'availability' },
      'ocpp1.6',
      'ChangeAvailability',
      { connectorId: 0, type: 'Inoperative' },
    ],
    'one port of 2.0.1 in service': [
      { kind: 'availability', port: 1, operative: true },
      'ocpp2.0.1',
      'ChangeAvailability',
      { operationalStatus: 'Operative', evse: { id: 1 } },
    ],
    'a remote start of 1.6': [
      { kind: 'start', port: 1 },
      'ocpp1.6',
      'RemoteStartTransaction',
      { idTag: 'ABC', connectorId: 1 },
    ],
    'a remote start of 2.0.1': [
      { kind: 'start', port: 1 },
      'ocpp2.0.1',
      'RequestStartTransaction',
      { idToken: { idToken: 'ABC', type: 'ISO14443' }, remoteStartId: 5, evseId: 1 },
    ],
    'a remote stop of 1.6, whose ids are numbers': [
      { kind: 'stop' },
      'ocpp1.6',
      'RemoteStopTransaction',
      { transactionId: 17 },
    ],
    'a remote stop of 2.0.1, whose ids are texts': [
      { kind: 'stop' },
      'ocpp2.0.1',
      'RequestStopTransaction',
      { transactionId: '17' },
    ],
    'any action as written': [{ kind: 'any', payload: '{"a":1}' }, 'ocpp1.6', 'GetLog', { a: 1 }],
  };
  for (const [name, [part, protocol, action, payload]] of Object.entries(cases)) {
    it(`builds ${name}`, () => expect(build(draft(part), protocol)).toEqual({ action, payload }));
  }

  it('builds nothing from a payload that is no object', () => {
    for (const payload of ['[1]', '7', '{', 'null']) {
      expect(build(draft({ kind: 'any', payload }), 'ocpp1.6')).toBeNull();
      expect(parseObject(payload)).toBeNull();
    }
  });

  const evse = (id: number, sessionId: string | null) => ({ id, sessionId }) as Evse;
  it('says how many sessions a reset ends', () => {
    const station = { evses: [evse(1, 'a'), evse(2, 'b'), evse(3, null)], protocol: 'ocpp1.6' };
    expect(effectOf(draft({ resetNow: true }), station)).toMatchObject({ values: { n: 2 }, grave: true });
    expect(effectOf(draft({}), { ...station, protocol: 'ocpp2.1' })).toMatchObject({ grave: false });
  });

  it('says what an unlock does to this port only', () => {
    const station = { evses: [evse(1, null), evse(2, 'b')], protocol: 'ocpp1.6' };
    expect(effectOf(draft({ kind: 'unlock', port: 1 }), station)).toMatchObject({
      values: { n: 0 },
      grave: false,
    });
    expect(effectOf(draft({ kind: 'unlock', port: 2 }), station)).toMatchObject({
      values: { n: 1 },
      grave: true,
    });
  });

  it('wants the id typed only for a restart at once', () => {
    expect(needsTypedId(draft({ resetNow: true }))).toBe(true);
    expect(needsTypedId(draft({}))).toBe(false);
    expect(needsTypedId(draft({ kind: 'unlock', resetNow: true }))).toBe(false);
  });
});

describe('command list', () => {
  const command = (id: string, status: Command['status'], finishedAt: string | null = null) =>
    ({ id, status, finishedAt }) as Command;

  it('puts a new command first', () =>
    expect(mergeCommand([command('a', 'sent')], command('b', 'sent')).map((c) => c.id)).toEqual(['b', 'a']));

  it('lets an answer replace what was sent', () =>
    expect(mergeCommand([command('a', 'sent')], command('a', 'answered', 'x'))[0]?.status).toBe('answered'));

  it('never takes an answer back for an older frame', () =>
    expect(mergeCommand([command('a', 'answered', 'x')], command('a', 'sent'))[0]?.status).toBe('answered'));
});

describe('messages', () => {
  const message = (at: string, id: string, part: Partial<Message> = {}): Message => ({
    at,
    direction: 'in',
    type: 'CALL',
    messageId: id,
    action: 'Heartbeat',
    bytes: 2,
    frame: '[]',
    quirks: [],
    ...part,
  });

  it('keeps each once, newest first, within the limit', () => {
    const held = [message('2026-01-01T00:00:02Z', 'b'), message('2026-01-01T00:00:01Z', 'a')];
    const fresh = [message('2026-01-01T00:00:03Z', 'c'), message('2026-01-01T00:00:02Z', 'b')];
    expect(mergeMessages(held, fresh, 2).map((m) => m.messageId)).toEqual(['c', 'b']);
  });

  it('measures an answer against the call of the other direction', () => {
    const call = message('2026-01-01T00:00:01.000Z', '7');
    const ours = message('2026-01-01T00:00:01.500Z', '7', { direction: 'out' });
    const answer = message('2026-01-01T00:00:01.040Z', '7', { direction: 'out', type: 'CALLRESULT' });
    expect(answers([ours, answer, call]).get(answer)).toEqual({ ms: 40, action: 'Heartbeat' });
  });

  it('shows a broken frame as it came', () => {
    expect(pretty('[2,"x"')).toBe('[2,"x"');
    expect(summarise(message('', '', { frame: '[2,"x"' }))).toBe('[2,"x"');
  });

  it('sums up a payload and an error in one line', () => {
    expect(
      summarise(
        message('', '', { frame: '[2,"1","StatusNotification",{"connectorId":1,"meterValue":[1,2]}]' }),
      ),
    ).toBe('connectorId=1 meterValue=[2]');
    expect(
      summarise(message('', '', { type: 'CALLERROR', frame: '[4,"1","NotSupported","no lock",{}]' })),
    ).toBe('NotSupported: no lock');
  });
});

describe('curve', () => {
  it('breaks the line where values are missing', () => {
    expect(
      withGaps(
        [
          [0, 1],
          [60, 2],
          [600, 3],
        ],
        60,
      ),
    ).toEqual({ at: [0, 60, 120, 600], value: [1, 2, null, 3] });
  });

  it('does not break it for one late sample', () => {
    expect(
      withGaps(
        [
          [0, 1],
          [140, 2],
        ],
        60,
      ).value,
    ).toEqual([1, 2]);
  });

  it('takes five minutes for a gap among minutes and for a line among their like', () => {
    const gaps = (...at: number[]) =>
      withGaps(
        at.map((x) => [x, 1]),
        60,
      ).value.filter((v) => v === null).length;
    expect(gaps(0, 60, 120, 420, 480)).toBe(1);
    expect(gaps(0, 300, 600, 900, 960, 1020)).toBe(0);
    expect(gaps(0, 900, 1800)).toBe(0);
    expect(gaps(0, 7200, 14400)).toBe(2);
  });

  it('lets live values follow history without doubling it', () => {
    const history = {
      unit: 'W',
      stepSeconds: 60,
      points: [['2026-01-01T00:00:00Z', 900, 1000, 1100]] as [string, number, number, number][],
    };
    const t0 = Date.parse('2026-01-01T00:00:00Z') / 1000;
    const line = seriesOf(
      history,
      [
        { at: t0 - 5, value: 7000 },
        { at: t0 + 5, value: 2000 },
        { at: t0 + 10, value: null },
      ],
      1e-3,
    );
    expect(line).toEqual({ at: [t0, t0 + 5, t0 + 10], value: [1, 2, null] });
  });

  it('marks a value that stands alone, and no other', () => {
    expect(lonelyPoints([5, null, undefined, 7, undefined, null, 1, 2, null, 3])).toEqual([0, 3, 9]);
    expect(lonelyPoints([1, undefined, 2])).toEqual([]);
    expect(lonelyPoints([])).toEqual([]);
  });

  it('keeps a gap apart from a time that only another line has', () => {
    const [at, a, b] = joinLines([
      { at: [0, 10], value: [1, null] },
      { at: [5], value: [9] },
    ]);
    expect(at).toEqual([0, 5, 10]);
    expect(a).toEqual([1, undefined, null]);
    expect(b).toEqual([undefined, 9, undefined]);
  });
});

describe('state timeline', () => {
  const t0 = Date.parse('2026-01-01T00:00:00Z');
  const at = (minutes: number) => t0 + minutes * 60_000;
  const told = (
    from: number,
    to: number,
    status: StateInterval['status'],
    part: Partial<StateInterval> = {},
  ) => ({
    from: new Date(at(from)).toISOString(),
    to: new Date(at(to)).toISOString(),
    status,
    online: true,
    observed: true,
    late: false,
    ...part,
  });
  const run = (list: StateInterval[], present?: Parameters<typeof bandsOf>[1]) =>
    bandsOf(list, present).map((b) => [b.family, (b.to - b.from) / 60_000]);

  const cases: Record<string, [StateInterval[], unknown]> = {
    'a state as it was told': [[told(0, 10, 'SuspendedEV')], [['suspended', 10]]],
    'offline whatever was said before': [[told(0, 10, 'Charging', { online: false })], [['offline', 10]]],
    'what was told later although the station was away': [
      [told(0, 10, 'Charging', { online: false, late: true })],
      [['charging', 10]],
    ],
    'time without us as not observed': [
      [told(0, 10, 'Available', { online: null, observed: false })],
      [['unseen', 10]],
    ],
    'what was told later about time without us': [
      [told(0, 10, 'Charging', { online: null, observed: false, late: true })],
      [['charging', 10]],
    ],
    'nothing known': [[told(0, 10, 'Unknown', { online: null })], [['unknown', 10]]],
  };
  for (const [name, [list, want]] of Object.entries(cases)) {
    it(`shows ${name}`, () => expect(run(list)).toEqual(want));
  }

  it('goes on to the present when nothing changed', () =>
    expect(
      run([told(0, 50, 'Charging')], { status: 'Charging', online: true, since: at(0), now: at(60) }),
    ).toEqual([['charging', 60]]));

  it('ends with what is live, from the moment that began', () =>
    expect(
      run([told(0, 50, 'Available')], { status: 'Available', online: false, since: at(45), now: at(60) }),
    ).toEqual([
      ['available', 45],
      ['offline', 15],
    ]));

  it('finds the band of a moment, its end excluded', () => {
    const bands = bandsOf([told(0, 10, 'Available'), told(10, 20, 'Charging')]);
    expect([0, 9, 10, 19, 20].map((m) => bandAt(bands, at(m))?.status)).toEqual([
      'Available',
      'Available',
      'Charging',
      'Charging',
      undefined,
    ]);
  });

  it('reads the value nearest to a moment, and none from too far', () => {
    expect([0, 4, 6, 30, 100].map((x) => nearest([0, 10, 40], x, 20))).toEqual([0, 0, 1, 2, -1]);
    expect(nearest([], 5, 10)).toBe(-1);
  });

  it('puts ticks at round times of the clock on the wall', () => {
    // The night the clocks go back in Berlin: the day has 25 hours.
    const from = Date.parse('2026-10-24T10:00:00Z');
    const { at: ticks, step } = ticksOf(from, from + 3 * 86_400_000, 'Europe/Berlin', 5);
    expect(step).toBe(86_400_000);
    expect(ticks.map((x) => new Date(x).toISOString())).toEqual([
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
      '2026-10-26T23:00:00.000Z',
    ]);
    expect(ticksOf(from, from + 3_600_000, 'UTC', 5).at).toHaveLength(5);
  });

  it('asks for each change up to a week and for steps beyond', () => {
    expect(stateStep(7 * 86_400_000)).toBe(0);
    expect(stateStep(90 * 86_400_000)).toBe(7776);
    expect(seriesStep(3_600_000)).toBe(10);
    expect(seriesStep(90 * 86_400_000)).toBe(21_600);
  });
});

describe('envelope', () => {
  it('is left out where each step holds one value', () =>
    expect(
      envelope({ unit: 'W', stepSeconds: 60, points: [['2026-01-01T00:00:00Z', 5, 5, 5]] }, 1),
    ).toBeNull());

  it('keeps the least and the most of a step', () =>
    expect(
      envelope({ unit: 'W', stepSeconds: 60, points: [['2026-01-01T00:00:00Z', 1000, 2000, 3000]] }, 1e-3),
    ).toMatchObject({ low: { value: [1] }, high: { value: [3] } }));
});
