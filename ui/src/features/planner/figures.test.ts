import { describe, expect, it } from 'vitest';
import { fine, interval, ticks } from './figures';

describe('figures of plans', () => {
  it('have few digits', () => {
    expect(fine('en', 0.004)).toBe('0');
    expect(fine('en', 2.04)).toBe('2');
    expect(fine('en', 2.46)).toBe('2.5');
    expect(fine('de', 2.46)).toBe('2,5');
    expect(fine('en', 31.4)).toBe('31');
    expect(fine('en', 12345)).toBe('12,300');
    expect(fine('en', -0.01)).toBe('0');
  });
  it('say what they may be off by', () => {
    expect(interval('en', { mean: 9, low: 8.2, high: 9.8 })).toBe('9 (8.2–9.8)');
    expect(interval('en', { mean: 0, low: 0, high: 0.01 })).toBe('0');
  });
  it('stand on round steps', () => {
    expect(ticks(43)).toEqual([0, 20, 40, 60]);
    expect(ticks(100)).toEqual([0, 25, 50, 75, 100]);
    expect(ticks(0.9)[0]).toBe(0);
    expect(ticks(0)).toEqual([0, 1]);
  });
});
