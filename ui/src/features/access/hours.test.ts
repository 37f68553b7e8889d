import { describe, expect, it } from 'vitest';
import { cellOf, hoursText, paint } from './hours';

const office = [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:30' }];
const night = { days: [5], from: '22:00', to: '06:00' };

describe('times of the week', () => {
  it('says what each hour is', () => {
    expect(cellOf(office, 1, 8)).toBe('on');
    expect(cellOf(office, 1, 18)).toBe('part');
    expect(cellOf(office, 0, 8)).toBe('off');
    expect(cellOf([night], 5, 23)).toBe('night');
    expect(cellOf([night], 6, 5)).toBe('night');
    expect(cellOf([night], 5, 5)).toBe('off');
    expect(cellOf([{ days: [0], from: '00:00', to: '24:00' }], 0, 23)).toBe('on');
  });

  it('opens hours and joins days with the same times', () => {
    expect(
      paint(
        [],
        [
          [1, 8],
          [1, 9],
          [2, 8],
          [2, 9],
        ],
        true,
      ),
    ).toEqual([{ days: [1, 2], from: '08:00', to: '10:00' }]);
    expect(paint(office, [[5, 18]], true)).toEqual([
      { days: [1, 2, 3, 4], from: '08:00', to: '18:30' },
      { days: [5], from: '08:00', to: '19:00' },
    ]);
  });

  it('closes hours and leaves the nights', () => {
    expect(paint([{ days: [1], from: '08:00', to: '12:00' }, night], [[1, 9]], false)).toEqual([
      { days: [1], from: '08:00', to: '09:00' },
      { days: [1], from: '10:00', to: '12:00' },
      night,
    ]);
    expect(paint([{ days: [1], from: '23:00', to: '24:00' }], [[1, 22]], true)).toEqual([
      { days: [1], from: '22:00', to: '24:00' },
    ]);
  });

  it('tells them in short', () => {
    expect(hoursText('en-GB', [...office, { days: [0, 6], from: '00:00', to: '24:00' }])).toBe(
      'Mon–Fri 08:00–18:30; Sat, Sun',
    );
    expect(hoursText('de-DE', [night])).toBe('Fr 22:00–06:00');
    expect(hoursText('en-GB', [])).toBe('');
  });
});
