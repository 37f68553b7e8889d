import { expect, test } from 'vitest';
import { isFrozen } from './camera';
import { judge, patience, pause, ways } from './player';

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

test('a picture is of now until the very moment at which it is not', () => {
  expect(judge(true, 0, 9_000, undefined)).toEqual({ verdict: 'good', again: 2_500 });
  expect(judge(true, 2_499, 9_000, undefined)).toEqual({ verdict: 'good', again: 1 });
  expect(judge(true, 2_500, 9_000, undefined)).toEqual({ verdict: 'old', again: 3_500 });
  expect(judge(true, 6_000, 9_000, undefined).verdict).toBe('lost');
});

test('a way without a first picture is given up, and one that is not the best after a while', () => {
  expect(judge(false, 0, 0, undefined)).toEqual({ verdict: 'good', again: 5_000 });
  expect(judge(false, 5_000, 5_000, undefined).verdict).toBe('lost');
  expect(judge(true, 100, 59_000, 60_000)).toEqual({ verdict: 'good', again: 1_000 });
  expect(judge(true, 100, 60_000, 60_000).verdict).toBe('tired');
  expect(judge(true, 2_600, 60_000, 60_000).verdict).toBe('old');
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
