import { describe, expect, it } from 'vitest';
import { leastSeconds, newDraft, parsed, planOf, workOfKind } from './plan';

const all = { ...newDraft(), everything: true };

describe('a plan', () => {
  it('needs stations, or the word that all are meant', () => {
    expect(planOf(newDraft())).toBeNull();
    expect(planOf(all)?.cohort).toEqual({ everything: true });
    expect(planOf({ ...all, vendor: 'Acme' })?.cohort).toEqual({ vendor: 'Acme' });
    expect(planOf(newDraft(['A', 'B']))?.cohort).toEqual({ stations: ['A', 'B'] });
  });

  it('says the same in the words of each version', () => {
    expect(planOf({ ...all, work: 'restartIdle' })?.params).toEqual({
      action: 'Reset',
      payload: { type: 'Soft' },
      byProtocol: {
        'ocpp2.0.1': { action: 'Reset', payload: { type: 'OnIdle' } },
        'ocpp2.1': { action: 'Reset', payload: { type: 'OnIdle' } },
      },
    });
  });

  it('waits until what is typed makes sense', () => {
    expect(planOf({ ...all, work: 'setting', value: '60' })).toBeNull();
    expect(planOf({ ...all, work: 'setting', key: 'HeartbeatInterval', value: '60' })).not.toBeNull();
    expect(planOf({ ...all, work: 'other', action: 'Reset', payload: '{' })).toBeNull();
    expect(planOf({ ...all, work: 'other', action: '', payload: '{}' })).toBeNull();
    expect(planOf({ ...all, from: '22:00' })).toBeNull();
    expect(planOf({ ...all, from: '22:00', to: '05:00' })?.window).toEqual({ from: '22:00', to: '05:00' });
    expect(parsed('[]')).toBeNull();
    expect(parsed('')).toEqual({});
  });

  it('is of a kind of its own where it is more than a command', () => {
    expect(planOf({ ...all, work: 'firmware' })).toBeNull();
    expect(planOf({ ...all, work: 'firmware', image: 'fi-1' })).toMatchObject({
      kind: 'firmware',
      params: { imageId: 'fi-1' },
    });
    expect(planOf({ ...all, work: 'firmware', image: 'fi-1', unsigned: true })?.params).toEqual({
      imageId: 'fi-1',
      unsigned: true,
    });
    for (const work of ['configure', 'password', 'certificate'] as const) {
      const plan = planOf({ ...all, work, whenIdle: true });
      expect(plan?.kind).toBe(work);
      expect(plan).not.toHaveProperty('params');
      expect(plan).not.toHaveProperty('whenIdle');
      expect(workOfKind(work, undefined)).toBe(work);
    }
    for (const [work, kind, params] of [
      ['root', 'root', {}],
      ['profile2', 'securityProfile', { profile: 2 }],
      ['profile3', 'securityProfile', { profile: 3 }],
    ] as const) {
      expect(planOf({ ...all, work })).toMatchObject({ kind, params });
      expect(workOfKind(kind, params)).toBe(work);
    }
    expect(workOfKind('root', { certificate: 'PEM' })).toBeNull();
  });

  it('knows how long it takes at least', () => {
    expect(leastSeconds({ ...all, canary: 0, perMinute: 30 }, 60)).toBe(120);
    expect(leastSeconds({ ...all, canary: 2, soakMinutes: 5, perMinute: 30 }, 60)).toBe(420);
  });
});
