import { describe, expect, it } from 'vitest';
import { dropPin, freePlace, placePin, samePins, stepPin } from './pins';

const pins = [
  { station: 'A', x: 0.5, y: 0.5 },
  { station: 'B', x: 0.998, y: 0 },
];

describe('pins on a plan', () => {
  it('stay on the plan', () => {
    expect(placePin(pins, 'A', -3, 1.7)).toContainEqual({ station: 'A', x: 0, y: 1 });
    expect(stepPin(pins, 'B', 'ArrowRight', false)).toContainEqual({ station: 'B', x: 1, y: 0 });
    expect(stepPin(pins, 'B', 'ArrowUp', true)).toContainEqual({ station: 'B', x: 0.998, y: 0 });
  });

  it('go a little with an arrow and further with shift', () => {
    expect(stepPin(pins, 'A', 'ArrowLeft', false)?.[0]).toEqual({ station: 'A', x: 0.495, y: 0.5 });
    expect(stepPin(pins, 'A', 'ArrowDown', true)?.[0]).toEqual({ station: 'A', x: 0.5, y: 0.55 });
    expect(stepPin(pins, 'A', 'Tab', false)).toBeNull();
    expect(stepPin(pins, 'nobody', 'ArrowLeft', false)).toBeNull();
  });

  it('come and go', () => {
    expect(placePin(pins, 'C', 0.1, 0.2)).toHaveLength(3);
    expect(dropPin(pins, 'A')).toEqual([pins[1]]);
    expect(samePins(pins, [...pins].reverse())).toBe(true);
    expect(samePins(pins, dropPin(pins, 'A'))).toBe(false);
  });

  it('find a place that is free, however many there are', () => {
    let many = [...pins];
    for (let i = 0; i < 200; i++) {
      const at = freePlace(many);
      expect(at.x >= 0 && at.x <= 1 && at.y >= 0 && at.y <= 1).toBe(true);
      many = placePin(many, `S${i}`, at.x, at.y);
    }
    const places = new Set(many.slice(0, 40).map((p) => `${p.x} ${p.y}`));
    expect(places.size).toBe(40);
  });
});
