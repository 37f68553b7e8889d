import { describe, expect, it } from 'vitest';
import {
  type Corner,
  cornersOf,
  dropCorner,
  freshZone,
  MOST_CORNERS,
  moveAll,
  moveCorner,
  splitEdge,
  stepOf,
} from './zones';

const square: Corner[] = [
  [0.2, 0.2],
  [0.4, 0.2],
  [0.4, 0.4],
  [0.2, 0.4],
];

describe('zones', () => {
  it('keeps corners in the picture', () => {
    expect(moveCorner(square, 1, 1.4, -0.2)[1]).toEqual([1, 0]);
    expect(moveCorner(square, 0, 0.12345, 0.5)[0]).toEqual([0.123, 0.5]);
  });

  it('moves a zone as a whole and never squeezes it at the edge', () => {
    expect(moveAll(square, 2, 0)).toEqual([
      [0.8, 0.2],
      [1, 0.2],
      [1, 0.4],
      [0.8, 0.4],
    ]);
    expect(moveAll(square, 0, -1)[0]).toEqual([0.2, 0]);
  });

  it('adds a corner between two, also behind the last, up to the limit', () => {
    expect(splitEdge(square, 0)[1]).toEqual([0.3, 0.2]);
    expect(splitEdge(square, 3)[4]).toEqual([0.2, 0.3]);
    let many = square;
    for (let i = 0; i < 100; i++) many = splitEdge(many, 0);
    expect(many).toHaveLength(MOST_CORNERS);
  });

  it('leaves three corners', () => {
    const three = dropCorner(square, 0);
    expect(three).toHaveLength(3);
    expect(dropCorner(three, 0)).toHaveLength(3);
  });

  it('moves by arrow keys, farther with Shift', () => {
    expect(stepOf('ArrowLeft', false)).toEqual([-0.005, 0]);
    expect(stepOf('ArrowDown', true)).toEqual([0, 0.05]);
    expect(stepOf('Enter', false)).toBeNull();
  });

  it('starts a zone inside the picture, beside the one before', () => {
    const first = freshZone([], 'watch');
    const second = freshZone([first], 'privacy');
    expect(cornersOf(first)).not.toEqual(cornersOf(second));
    for (let n = 0; n < 12; n++) {
      const zones = Array.from({ length: n }, () => first);
      for (const [x, y] of cornersOf(freshZone(zones, 'ignore'))) {
        expect(x >= 0 && x <= 1 && y >= 0 && y <= 1).toBe(true);
      }
    }
  });
});
