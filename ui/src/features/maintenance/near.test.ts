import { describe, expect, it } from 'vitest';
import { away, distance } from './near';

describe('how far a job is', () => {
  const hamburg = { latitude: 53.55, longitude: 9.99 };
  const berlin = { latitude: 52.52, longitude: 13.4 };
  it('is the way of the crow', () => expect(distance(hamburg, berlin)).toBeCloseTo(255, -1));
  it('is nothing where one stands', () => expect(distance(berlin, berlin)).toBe(0));
  it('is unknown without a place', () => {
    expect(away({ latitude: null, longitude: null }, berlin)).toBeUndefined();
    expect(away(berlin, null)).toBeUndefined();
  });
});
