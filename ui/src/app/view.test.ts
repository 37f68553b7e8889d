import { describe, expect, it } from 'vitest';
import { parseView, rangeAt, rangeText } from './view';

const now = Date.parse('2026-11-22T10:00:07Z');

describe('view', () => {
  it('keeps what makes sense and drops the rest', () => {
    expect(parseView({ site: 'ham-1', range: '7d', zone: 'utc', kiosk: 1 })).toEqual({
      site: 'ham-1',
      range: '7d',
      zone: 'utc',
      kiosk: 1,
    });
    expect(parseView({ site: '', range: 'yesterday', zone: 'moon', kiosk: 'x' })).toEqual({});
    expect(parseView({ site: 17 })).toEqual({ site: '17' });
  });

  it('leaves the default range out of the address', () =>
    expect(parseView({ range: '24h' }).range).toBeUndefined());

  it('ends a relative range at the step after now, so that it stays the same for a while', () => {
    const a = rangeAt('24h', now);
    expect(a.to).toBeGreaterThanOrEqual(now);
    expect(a).toEqual(rangeAt(undefined, now + 5000));
    expect(a.to - a.from).toBe(86_400_000);
  });

  it('reads two instants', () => {
    const from = Date.parse('2026-10-01T00:00:00Z');
    expect(rangeAt(rangeText(from, now), now)).toEqual({ span: null, from, to: now });
  });

  for (const bad of ['2026-11-22..2026-11-21', 'a..b', '1970-01-01..2026-01-01', '2026-01-01..', '1..2..3']) {
    it(`does not take ${bad} for a range`, () => expect(parseView({ range: bad }).range).toBeUndefined());
  }
});
