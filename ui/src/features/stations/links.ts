// Links to stations for lists of thousands. One listener of the list serves all
// of them; each is a plain link, so that opening in a new tab, copying and
// keyboards work as anywhere.
import { useRouter } from '@tanstack/react-router';
import { type MouseEvent, type PointerEvent, useMemo } from 'react';

const PLACE = 'STATION-ID';

export function useStationLinks() {
  const router = useRouter();
  const { searchStr } = router.state.location;
  // biome-ignore lint/correctness/useExhaustiveDependencies: links carry parts of the address along
  return useMemo(() => {
    const to = '/stations/$id' as const;
    const { href } = router.buildLocation({ to, params: { id: PLACE } });
    const [before, after] = href.split(PLACE);
    let preloaded = '';
    const stationOf = (e: { target: EventTarget }) =>
      e.target instanceof Element ? e.target.closest('a[data-station]')?.getAttribute('data-station') : null;
    return {
      href: (id: string) => `${before}${encodeURIComponent(id)}${after ?? ''}`,
      onClick: (e: MouseEvent) => {
        const id = stationOf(e);
        if (!id || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey)
          return;
        e.preventDefault();
        void router.navigate({ to, params: { id } });
      },
      onPointerOver: (e: PointerEvent) => {
        const id = stationOf(e);
        if (!id || id === preloaded) return;
        preloaded = id;
        void router.preloadRoute({ to, params: { id } });
      },
    };
  }, [router, searchStr]);
}
