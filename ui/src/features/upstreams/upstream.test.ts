import { describe, expect, it } from 'vitest';
import { added, newest, type Trouble, type Upstream } from './upstream';

const trouble = (at: string): Trouble => ({ at, station: 'S1', code: 'lost', reason: 'lost', status: 0 });
const with3 = (lost: string | null, refused: string | null, unreached: string | null) =>
  ({
    health: {
      lastLost: lost ? trouble(lost) : null,
      lastRefused: refused ? trouble(refused) : null,
      lastUnreached: unreached ? trouble(unreached) : null,
    },
  }) as Upstream;

describe('upstream systems', () => {
  it('tell the newest of their troubles', () => {
    expect(newest(with3(null, null, null))).toBeNull();
    expect(newest(with3('2026-11-23T10:00:00Z', '2026-11-23T11:00:00Z', '2026-11-23T09:00:00Z'))?.at).toBe(
      '2026-11-23T11:00:00Z',
    );
  });

  it('add so little that it needs two digits', () => {
    expect(added('en', 0.000_062)).toBe('0.06');
    expect(added('de', 0.0034)).toBe('3,4');
    expect(added('en', 0.128)).toBe('128');
  });
});
