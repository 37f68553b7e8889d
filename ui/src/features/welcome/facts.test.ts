import { describe, expect, it } from 'vitest';
import { current, type Facts, place, progress } from './facts';

const facts = (f: Partial<Facts> = {}): Facts => ({
  sites: 0,
  heard: 0,
  people: 1,
  relayed: undefined,
  demoOn: false,
  mayInvite: true,
  ...f,
});

describe('the set-up', () => {
  it('goes on with the first thing that is not there', () => {
    expect(current(progress(facts()))).toBe('site');
    expect(current(progress(facts({ sites: 1 })))).toBe('station');
    expect(current(progress(facts({ heard: 1 })))).toBe('site');
    expect(current(progress(facts({ sites: 1, heard: 1 })))).toBe('team');
    expect(current(progress(facts({ sites: 1, heard: 1, people: 2 })))).toBeUndefined();
  });

  it('offers to stand beside another system, and asks nobody to', () => {
    const csms = (relayed: number) => progress(facts({ relayed })).find((s) => s.step === 'csms');
    expect(csms(0)).toEqual({ step: 'csms', done: false, optional: true });
    expect(csms(2)?.done).toBe(true);
    expect(current(progress(facts({ sites: 1, relayed: 0 })))).toBe('station');
  });

  it('offers only what the server and the person can do', () => {
    expect(progress(facts({ demoOn: undefined, mayInvite: false })).map((s) => s.step)).toEqual([
      'admin',
      'site',
      'station',
    ]);
  });
});

describe('a position as maps copy it', () => {
  it('is read', () => {
    expect(place('53.5430, 9.9880')).toEqual({ latitude: 53.543, longitude: 9.988 });
    expect(place(' -33.9 18.4 ')).toEqual({ latitude: -33.9, longitude: 18.4 });
    expect(place('')).toBeUndefined();
  });

  for (const bad of ['Hamburg', '91, 10', '53,5 9,9', '53.5', '1, 200']) {
    it(`is not ${bad}`, () => expect(place(bad)).toBeNull());
  }
});
