import { describe, expect, it } from 'vitest';
import { clockText, failureKey, lengths, type Output, ofSite, usual } from './output';

const of = (part: Partial<Output>): Output => ({ siteId: 'a', label: '', state: 'off', ...part }) as Output;

describe('outputs', () => {
  it('stand in the order in which they are reached for', () => {
    const list = [
      of({ id: '1', kind: 'siren', label: 'B' }),
      of({ id: '2', kind: 'siren', label: 'A' }),
      of({ id: '3', kind: 'light' }),
      of({ id: '4', kind: 'light', siteId: 'b' }),
      of({ id: '5', kind: 'speaker' }),
    ];
    expect(ofSite(list, 'a').map((o) => o.id)).toEqual(['3', '5', '2', '1']);
    expect(ofSite(undefined, 'a')).toEqual([]);
  });

  it('count down to nothing', () => {
    expect(clockText(94_100)).toBe('1:35');
    expect(clockText(9_000)).toBe('0:09');
    expect(clockText(-5)).toBe('0:00');
    expect(clockText(3_661_000)).toBe('1:01:01');
  });

  it('are offered no longer than they may be on', () => {
    expect(lengths('siren', 180)).toEqual([10, 30, 60, 180]);
    expect(lengths('siren', 45)).toEqual([10, 30, 45]);
    expect(lengths('light', 600)).toEqual([60, 300, 600]);
    expect(usual('siren', 20)).toBe(20);
    expect(usual('light', 3600)).toBe(900);
  });

  it('say what went wrong, also in codes of tomorrow', () => {
    expect(failureKey({ error: '' })).toBeNull();
    expect(failureKey({ error: 'noAnswer' })).toBe('outputs.failure.noAnswer');
    expect(failureKey({ error: 'melted' as 'failed' })).toBe('outputs.failure.failed');
  });
});
