import { describe, expect, it } from 'vitest';
import type { AccessEvent } from '../../api/shapes';
import { bySite, isAmiss, reasonKey } from './door';
import { calling, codeKey, fits, lateBy, withNews } from './log';
import { spansOf } from './past';
import { parseDoors } from './search';
import { type Fault, saysMore, standing } from './setup';
import { isWired, NO_WIRING, wiringOf } from './wiring';

const event = (seq: number, more: Partial<AccessEvent> = {}): AccessEvent => ({
  seq,
  at: '2026-11-23T02:00:00Z',
  receivedAt: '2026-11-23T02:00:00Z',
  doorId: 'gate',
  siteId: 'yard',
  credentialId: '',
  personId: '',
  name: '',
  decision: 'allow',
  decidedBy: 'controller',
  code: 'allowed',
  policy: '',
  reason: '',
  agrees: true,
  why: '',
  passback: '',
  withId: '',
  withName: '',
  method: 'card',
  out: false,
  cameraId: null,
  ...more,
});

describe('the log of doors', () => {
  it('takes each new event once, newest first, before what it has', () => {
    const pages = [
      { items: [event(5), event(3)], nextCursor: 'older' },
      { items: [event(1)], nextCursor: '' },
    ];
    const out = withNews(pages, [event(7), event(6), event(7), event(5), event(1)]);
    expect(out.map((p) => p.items.map((e) => e.seq))).toEqual([[7, 6, 5, 3], [1]]);
    expect(out[0]!.nextCursor).toBe('older');
    expect(withNews([], [event(1)])).toEqual([]);
  });

  const cases: [string, Parameters<typeof fits>[1], boolean][] = [
    ['everything fits what is not narrowed', { site: undefined, door: undefined, decision: undefined }, true],
    ['its own site', { site: 'yard', door: undefined, decision: undefined }, true],
    ['not another site', { site: 'depot', door: undefined, decision: undefined }, false],
    ['not another door', { site: undefined, door: 'hall', decision: undefined }, false],
    ['not another decision', { site: undefined, door: 'gate', decision: 'deny' }, false],
  ];
  for (const [what, asked, is] of cases) it(what, () => expect(fits(event(1), asked)).toBe(is));

  it('says how late an event was told, not that networks take a moment', () => {
    expect(lateBy(event(1, { receivedAt: '2026-11-23T02:00:30Z' }))).toBe(0);
    expect(lateBy(event(1, { receivedAt: '2026-11-23T02:10:00Z' }))).toBe(600_000);
  });

  it('has words for codes that are known and none for others', () => {
    expect(codeKey('outsideHours')).toBe('doors.code.outsideHours');
    expect(codeKey('constructor')).toBeNull();
  });
});

describe('calls for help', () => {
  const told = (at: string, door: string, alarm: string, active: boolean) => ({
    at,
    subject: `door/${door}`,
    data: { alarm, active },
  });
  it('are those that were not taken back since', () => {
    const out = calling([
      told('2026-11-23T02:09:00Z', 'gate', 'fire', false),
      told('2026-11-23T02:08:00Z', 'gate', 'tamper', true),
      told('2026-11-23T02:05:00Z', 'gate', 'fire', true),
      told('2026-11-23T02:04:00Z', 'hall', 'fire', true),
    ]);
    expect(out.map((a) => `${a.door} ${a.alarm}`)).toEqual(['hall fire', 'gate tamper']);
  });
});

describe('a door on the axis', () => {
  it('shows when it was other than locked, also what began before', () => {
    const told = [
      { at: 5, state: 'open' },
      { at: 20, state: 'locked' },
      { at: 30, state: 'forced' },
    ];
    expect(spansOf(told, 10, 50)).toEqual([
      { from: 10, to: 20, state: 'open' },
      { from: 30, to: 50, state: 'forced' },
    ]);
  });
});

describe('doors', () => {
  it('stand by site and name, whatever happens to them', () => {
    const d = (id: string, siteId: string, label = '') => ({ id, siteId, label });
    const out = bySite([d('b', 'x'), d('c', 'y', 'Gate'), d('a', 'x')], (s) => (s === 'x' ? 'Zoo' : 'Alm'));
    expect(out.map((s) => [s.site, s.doors.map((x) => x.id)])).toEqual([
      ['y', ['c']],
      ['x', ['a', 'b']],
    ]);
  });

  it('want an eye when forced, held or silent', () => {
    expect(['forced', 'held', 'offline', 'locked', 'lockdown'].filter((state) => isAmiss({ state }))).toEqual(
      ['forced', 'held', 'offline'],
    );
  });

  it('say why only where that is more than the state says', () => {
    expect(reasonKey({ reason: 'fire' })).toBe('doors.why.fire');
    expect(reasonKey({ reason: 'closed' })).toBeNull();
  });

  it('take from the address only what they know', () => {
    expect(parseDoors({ view: 'muster', door: 7, decision: 'maybe' })).toEqual({
      view: 'muster',
      door: '7',
      decision: undefined,
    });
  });
});

describe('controllers of doors', () => {
  const fault = (kind: Fault['fault'], detail: string): Fault => ({ fault: kind, detail, since: null });

  it('neither answer nor fail before they said anything', () => {
    expect(standing({ online: true, faults: [] })).toBe('online');
    expect(standing({ online: false, faults: [fault('offline', '')] })).toBe('offline');
    expect(standing({ online: false, faults: [fault('keypad', '')] })).toBe('unheard');
  });

  it('say why they are away, where that is known', () => {
    expect(saysMore({ online: false }, fault('offline', 'it does not answer'))).toBe(false);
    expect(saysMore({ online: false }, fault('offline', 'the broker is not connected'))).toBe(true);
    expect(saysMore({ online: true }, fault('offline', 'the device does not answer at door 2'))).toBe(true);
  });
});

describe('what a door is made of', () => {
  it('is nothing at a board and a name at another system', () => {
    expect(wiringOf({ ...NO_WIRING, device: 'gate' }, 'uhppote')).toBeUndefined();
    expect(wiringOf({ ...NO_WIRING, device: ' north ' }, 'http')).toEqual({ device: 'north' });
    expect(isWired({}, 'uhppote')).toBe(true);
    expect(isWired({ device: ' ' }, 'http')).toBe(false);
  });

  it('keeps on a broker what its preset asks for, and nothing else', () => {
    const all = {
      preset: 'custom' as const,
      device: 'x',
      output: 2,
      command: 'c',
      unlock: 'ON',
      lock: 'OFF',
      forced: true,
      contact: { preset: '' as const, device: 'y' },
    };
    expect(wiringOf(all, 'mqtt')).toEqual({
      preset: 'custom',
      command: 'c',
      unlock: 'ON',
      lock: 'OFF',
      forced: false,
    });
    expect(
      wiringOf(
        { ...all, preset: 'tasmota', contact: { preset: 'custom', topic: 't', open: 'o', device: 'y' } },
        'mqtt',
      ),
    ).toEqual({
      preset: 'tasmota',
      device: 'x',
      output: 2,
      forced: true,
      contact: { preset: 'custom', topic: 't', open: 'o' },
    });
    expect(isWired({ ...all, lock: '' }, 'mqtt')).toBe(false);
  });
});
