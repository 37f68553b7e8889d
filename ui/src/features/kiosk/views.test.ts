import { describe, expect, it } from 'vitest';
import { isOwnPath, mustReload, nextView, onScreen, shiftAt, viewsOf } from './views';

describe('views of a screen', () => {
  it('are those chosen for it, else the usual ones that exist', () => {
    expect(viewsOf(['/stations?state=faulted'], ['/'])).toEqual(['/stations?state=faulted']);
    expect(viewsOf([], ['/', '/stations', '/settings'])).toEqual(['/', '/stations']);
    expect(viewsOf(['https://evil.example'], ['/'])).toEqual(['/']);
  });

  it('stay on our own pages', () => {
    for (const bad of ['//evil.example', '/\\evil.example', 'javascript:alert(1)', 'stations', '/a b'])
      expect(isOwnPath(bad), bad).toBe(false);
    expect(isOwnPath('/stations?state=faulted&site=ham-1')).toBe(true);
  });

  it('come one after the other', () => {
    const views = ['/', '/stations?state=faulted'];
    expect(nextView(views, '/?kiosk=1&rotate=30')).toBe('/stations?state=faulted');
    expect(nextView(views, '/stations?state=faulted&kiosk=1')).toBe('/');
    expect(nextView(views, '/settings')).toBe('/');
    expect(nextView([], '/')).toBeUndefined();
  });

  it('keep what they filter by', () =>
    expect(onScreen('/stations?state=faulted', 30)).toBe('/stations?state=faulted&kiosk=1&rotate=30'));
});

describe('a screen that runs for months', () => {
  it('moves a little each minute and comes back', () => {
    const seen = Array.from({ length: 18 }, (_, m) => shiftAt(m));
    expect(new Set(seen.slice(0, 9).map((s) => `${s.x},${s.y}`)).size).toBe(9);
    expect(Math.max(...seen.flatMap((s) => [Math.abs(s.x), Math.abs(s.y)]))).toBeLessThanOrEqual(4);
    expect(seen[9]).toEqual(seen[0]);
  });

  it('loads itself anew for a new build or when memory grew, and not before it knows', () => {
    expect(mustReload('', 'b', undefined)).toBe(false);
    expect(mustReload('a', '', undefined)).toBe(false);
    expect(mustReload('a', 'a', 50e6)).toBe(false);
    expect(mustReload('a', 'b', undefined)).toBe(true);
    expect(mustReload('a', 'a', 2e9)).toBe(true);
  });
});
