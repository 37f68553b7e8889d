import { describe, expect, it } from 'vitest';
import type { SystemEvent } from '../../api/shapes';
import type { Translate } from '../../i18n/i18n';
import { meanW, parseSessions } from '../sessions/filter';
import { belongs, groupOf, groups, kindsOf, parseEvents, parseGroups, subjectPort } from './kinds';
import { eventWords } from './sentence';

const t: Translate = (key, values) => (values ? `${key} ${JSON.stringify(values)}` : key);
const said = (kind: string, data: unknown) =>
  eventWords(t, { kind, subject: 'station/A/1', data } as SystemEvent);

describe('events in words', () => {
  const cases: [string, unknown, string][] = [
    ['status', { status: 'Charging', errorCode: 'NoError' }, 'status.Charging'],
    [
      'status',
      { status: 'Faulted', errorCode: 'GroundFailure', info: 'pin 3' },
      'status.Faulted · fault.GroundFailure · pin 3',
    ],
    ['status', { status: 'Dozing', errorCode: 'MyCode' }, 'Dozing · MyCode'],
    ['transaction', { stage: 'started', tokenStatus: 'Accepted' }, 'said.started'],
    ['transaction', { stage: 'started', tokenStatus: 'Blocked' }, 'said.started · Blocked'],
    [
      'transaction',
      { stage: 'updated', chargingState: 'Charging', samples: '1 E=5 P=46207.2' },
      'said.went · status.Charging · said.power {"kw":46.2}',
    ],
    ['transaction', { stage: 'ended', reason: 'Local' }, 'said.ended {"how":"stop.Local"}'],
    ['authorize', { status: 'Accepted' }, 'said.accepted'],
    [
      'authorize',
      { status: 'Blocked', reason: 'the credential is blocked' },
      'said.refused {"status":"Blocked"} · the credential is blocked',
    ],
    ['commandResult', { status: 'answered', response: { status: 'Rejected' } }, 'said.answered · Rejected'],
    ['commandResult', { status: 'timeout' }, 'said.unanswered {"status":"timeout"}'],
    ['driver.report', { category: 'cable', text: '<b>cut</b>' }, 'cable · <b>cut</b>'],
    ['something.new', { a: 1 }, ''],
  ];
  for (const [kind, data, want] of cases)
    it(`${kind} ${JSON.stringify(data)}`, () => expect(said(kind, data)).toBe(want));

  it('says something of any body without breaking', () => {
    for (const kind of [...kindsOf(groups), 'x']) {
      for (const data of [
        null,
        undefined,
        [],
        'text',
        7,
        { status: {}, items: 'x', response: null, samples: [] },
      ]) {
        expect(typeof said(kind, data)).toBe('string');
      }
    }
  });
});

describe('which events are shown', () => {
  it('has each kind in one group', () => {
    const all = kindsOf(groups);
    expect(new Set(all).size).toBe(all.length);
    for (const k of all) expect(groupOf(k)).toBeDefined();
  });

  it('reads groups from the address and drops others', () =>
    expect(parseGroups('cards,nonsense,states')).toEqual(['states', 'cards']));

  it('reads a subject only if it is one', () => {
    expect(parseEvents({ subject: 'station/A/1', open: '12', follow: 'off' })).toEqual({
      kind: undefined,
      subject: 'station/A/1',
      open: 12,
      follow: 'off',
    });
    expect(parseEvents({ subject: '<b>', open: -1 })).toEqual({
      kind: undefined,
      subject: undefined,
      open: undefined,
      follow: undefined,
    });
    expect(subjectPort('server/self')).toBeNull();
    expect(subjectPort('station/A')).toEqual({ station: 'A', evse: 0 });
  });

  const e = { kind: 'status', subject: 'station/A/1', at: '2026-11-22T12:00:00Z' };
  const from = Date.parse('2026-11-22T11:00:00Z');
  const site = (id: string) => (id === 'A' ? 'ham' : undefined);
  const cases: [string, boolean, boolean][] = [
    ['everything', belongs(e, { chosen: [], from }, site), true],
    ['its kind', belongs(e, { chosen: ['states'], from }, site), true],
    ['another kind', belongs(e, { chosen: ['cards'], from }, site), false],
    ['its station', belongs(e, { chosen: [], subject: 'station/A', from }, site), true],
    [
      'a station whose id begins alike',
      belongs({ ...e, subject: 'station/AB' }, { chosen: [], subject: 'station/A', from }, site),
      false,
    ],
    ['its site', belongs(e, { chosen: [], site: 'ham', from }, site), true],
    ['another site', belongs(e, { chosen: [], site: 'ber', from }, site), false],
    ['the past', belongs(e, { chosen: [], from: from + 7_200_000 }, site), false],
    ['measured values, not asked for', belongs({ ...e, kind: 'meter' }, { chosen: [], from }, site), false],
    ['measured values, asked for', belongs({ ...e, kind: 'meter' }, { chosen: ['meter'], from }, site), true],
  ];
  for (const [name, got, want] of cases)
    it(`${want ? 'takes' : 'leaves'}: ${name}`, () => expect(got).toBe(want));
});

describe('sessions', () => {
  it('knows a mean only of what lasted', () => {
    expect(meanW(22_000, 7_200_000)).toBe(11_000);
    expect(meanW(0, 7_200_000)).toBeNull();
    expect(meanW(10, 1000)).toBeNull();
  });

  it('reads its filter from the address', () =>
    expect(
      parseSessions({ station: 42, token: 't-x', state: 'sleeping', flagged: 'true', open: 'S1' }),
    ).toEqual({
      station: '42',
      token: 't-x',
      state: undefined,
      flagged: true,
      open: 'S1',
    }));
});
