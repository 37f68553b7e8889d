import { expect, test } from 'vitest';
import { isFrozen } from './camera';
import { patience, pause, ways } from './player';

test('the best way that is open comes first', () => {
  expect(ways(new Set())).toEqual(['webrtc', 'hls', 'stills']);
  expect(ways(new Set(['webrtc']))).toEqual(['hls', 'stills']);
  expect(ways(new Set(['webrtc', 'hls', 'stills']))).toEqual([]);
});

test('tries become rarer and never stop', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(pause)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('a lesser way is left for the best again and again, more seldom each time', () => {
  expect([0, 1, 2, 5, 50].map((n) => patience(n) / 60_000)).toEqual([1, 2, 4, 30, 30]);
});

test('only the same picture again and again is a picture of the past', () => {
  const camera = {
    id: 'a',
    label: '',
    siteId: 's',
    recording: 'continuous',
    armed: false,
    sub: false,
    masked: false,
    zones: [],
  };
  expect(isFrozen({ ...camera, state: 'tampered', reason: 'frozen' })).toBe(true);
  expect(isFrozen({ ...camera, state: 'tampered', reason: 'covered' })).toBe(false);
  expect(isFrozen({ ...camera, state: 'live', reason: 'frozen' })).toBe(false);
});
