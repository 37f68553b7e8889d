import { describe, expect, it } from 'vitest';
import { lookedInVain, summed } from './labels';

const item = (what: 'person' | 'vehicle' | 'plate', score: number, plate = '') => ({
  what,
  score,
  plate,
  plateId: '',
  number: 1,
  box: [],
});
const label = (seconds: number, source: 'camera' | 'verifier', ...items: ReturnType<typeof item>[]) => ({
  seq: seconds,
  at: '2026-11-22T02:13:00Z',
  seenAt: new Date(Date.UTC(2026, 10, 22, 2, 13, seconds)).toISOString(),
  source,
  engine: '',
  scene: '',
  armed: true,
  items,
});

describe('what was seen', () => {
  it('is said once for each kind, persons first', () => {
    const seen = summed([
      label(9, 'verifier', item('person', 0.9), item('vehicle', 0.6)),
      label(4, 'camera', item('person', 0.7), item('plate', 0, 'HHCW42')),
    ]);
    expect(seen.map((x) => [x.what, x.score, x.plate, x.source])).toEqual([
      ['person', 0.9, '', 'verifier'],
      ['vehicle', 0.6, '', 'verifier'],
      ['plate', 0, 'HHCW42', 'camera'],
    ]);
    expect(new Date(seen[0]!.at).getUTCSeconds()).toBe(4);
  });
  it('may be nothing', () => {
    expect(summed([])).toEqual([]);
    expect(lookedInVain([])).toBe(false);
    expect(lookedInVain([label(1, 'verifier')])).toBe(true);
    expect(lookedInVain([label(1, 'verifier'), label(2, 'camera', item('person', 0.5))])).toBe(false);
  });
});
