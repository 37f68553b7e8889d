import { describe, expect, it } from 'vitest';
import { collect } from './collect';

const list = (n: number, per: number) => async (cursor: string | undefined) => {
  const from = Number(cursor ?? 0);
  const items = Array.from({ length: Math.min(per, n - from) }, (_, i) => from + i);
  return { items, nextCursor: from + per < n ? String(from + per) : '' };
};

describe('reading a whole list', () => {
  it('reads to the end and tells how far it is', async () => {
    const told: number[] = [];
    expect(await collect(list(250, 100), 1000, (n) => told.push(n))).toEqual({
      items: Array.from({ length: 250 }, (_, i) => i),
      cut: false,
    });
    expect(told).toEqual([100, 200]);
  });

  it('stops at the limit and says so', async () => {
    const got = await collect(list(250, 100), 150, () => {});
    expect([got.items.length, got.cut]).toEqual([150, true]);
  });

  it('is not cut when the list ends right there', async () =>
    expect((await collect(list(200, 100), 200, () => {})).cut).toBe(false));

  it('ends on a list that never gives anything', async () =>
    expect(
      await collect(
        async () => ({ items: [], nextCursor: 'x' }),
        10,
        () => {},
      ),
    ).toEqual({
      items: [],
      cut: true,
    }));
});
