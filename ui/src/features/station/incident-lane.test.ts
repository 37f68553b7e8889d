import { describe, expect, it } from 'vitest';
import type { Incident } from '../incidents/shape';
import { rowsOf } from './incident-lane';

const at = (minute: number) => new Date(minute * 60_000).toISOString();
const incident = (id: string, opened: number, repaired: number | null): Incident =>
  ({
    id,
    openedAt: at(opened),
    repairedAt: repaired === null ? null : at(repaired),
    closedAt: null,
  }) as Incident;
const minutes = (n: number) => n * 60_000;

describe('incidents over the timeline', () => {
  it('stand in one row as long as none covers another', () => {
    const { placed, left } = rowsOf(
      [incident('b', 30, 40), incident('a', 10, 20)],
      0,
      minutes(60),
      minutes(1),
    );
    expect(placed.map((p) => [p.incident.id, p.row])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect(left).toBe(0);
  });

  it('take further rows where they overlap, and the rest is counted', () => {
    const list = [1, 2, 3, 4, 5].map((n) => incident(`i${n}`, n, null));
    const { placed, left } = rowsOf(list, 0, minutes(60), minutes(1));
    expect(placed.map((p) => p.row)).toEqual([0, 1, 2]);
    expect(left).toBe(2);
  });

  it('keep room for a shape however short they were', () => {
    const { placed } = rowsOf([incident('a', 10, 10), incident('b', 12, 12)], 0, minutes(60), minutes(5));
    expect(placed.map((p) => p.row)).toEqual([0, 1]);
  });

  it('are cut at the ends of what is shown', () => {
    const { placed } = rowsOf(
      [incident('a', -30, 10), incident('b', 50, null), incident('gone', -30, -20)],
      0,
      minutes(60),
      minutes(1),
    );
    expect(placed.map((p) => [p.from, p.to])).toEqual([
      [0, minutes(10)],
      [minutes(50), minutes(60)],
    ]);
  });
});
