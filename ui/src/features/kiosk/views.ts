// What a screen shows in turn, and how its addresses are made.
export const ROTATE = { least: 10, most: 3600, usual: 30 } as const;

export const DEFAULT_VIEWS = ['/', '/incidents', '/map', '/stations'] as const;

/** Only pages of our own: "/stations?state=faulted". */
export const isOwnPath = (v: string): boolean => /^\/(?![/\\])[^\\\s]*$/.test(v) && v.length <= 500;

/** The usual views, of which some may not exist. */
export function viewsOf(own: readonly string[] | undefined, exist: readonly string[]): string[] {
  const chosen = (own ?? []).filter(isOwnPath);
  return chosen.length > 0 ? chosen : DEFAULT_VIEWS.filter((v) => exist.includes(v));
}

/** The address of a view on a screen. */
export function onScreen(path: string, rotate: number | undefined): string {
  const url = new URL(path, 'http://screen');
  url.searchParams.set('kiosk', '1');
  if (rotate) url.searchParams.set('rotate', String(rotate));
  return url.pathname + url.search;
}

/** Which view comes after the one shown; the first when that is none of them. */
export function nextView(views: readonly string[], shown: string): string | undefined {
  const bare = (p: string) => {
    const url = new URL(p, 'http://screen');
    for (const own of ['kiosk', 'rotate']) url.searchParams.delete(own);
    return url.pathname + url.search;
  };
  const at = views.findIndex((v) => bare(v) === bare(shown));
  return views[(at + 1) % views.length];
}

/** A few pixels another way each minute, so that no edge burns in. */
export function shiftAt(minute: number): { x: number; y: number } {
  const ring = [
    [0, 0],
    [3, 0],
    [3, 3],
    [0, 3],
    [-3, 3],
    [-3, 0],
    [-3, -3],
    [0, -3],
    [3, -3],
  ] as const;
  const [x, y] = ring[((minute % ring.length) + ring.length) % ring.length]!;
  return { x, y };
}

const HEAP_LIMIT = 512 * 1024 * 1024;

/** Whether the page should start afresh: another build of the server, or memory that grew. */
export function mustReload(firstBuild: string, build: string, heap: number | undefined): boolean {
  return (firstBuild !== '' && build !== '' && build !== firstBuild) || (heap ?? 0) > HEAP_LIMIT;
}
