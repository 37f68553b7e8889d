import { useMantineColorScheme } from '@mantine/core';
import { useReducedMotion } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Failed } from '../../ui/panel';
import { type Ground, loadGround } from './ground';
import styles from './map.module.css';
import { atSpot, fitView, type Place } from './model';
import { Overlay } from './overlay';
import { atText, type View } from './search';
import { type Bounds, readPalette, type Sheet } from './sheet';

type Props = {
  places: readonly Place[];
  start: View | undefined;
  styleUrl: string;
  /** Id of the site that is pointed at in the list. */
  lit: string | null;
  moved: (at: string, bounds: Bounds) => void;
  over: (ids: string[] | null) => void;
};

const hasGl = (): boolean => {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null;
  } catch {
    return false;
  }
};

export function MapView(props: Props) {
  const t = useT();
  const {
    data: ground,
    error,
    refetch,
  } = useQuery({
    queryKey: ['map', 'ground'],
    queryFn: ({ signal }) => loadGround(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error && !ground) return <Failed what={t('map.ground')} error={error} retry={() => void refetch()} />;
  if (!ground) return null;
  return <Drawn {...props} ground={ground} />;
}

function Drawn({ places, start, styleUrl, lit, moved, over, ground }: Props & { ground: Ground }) {
  const t = useT();
  const router = useRouter();
  const still = useReducedMotion();
  const { colorScheme } = useMantineColorScheme();
  const box = useRef<HTMLDivElement>(null);
  const sheet = useRef<Sheet | null>(null);
  const overlay = useRef<Overlay | null>(null);
  const [plain, setPlain] = useState(false);
  const [styleFailed, setStyleFailed] = useState(false);
  const latest = useRef({ places, moved, over, start, lit });
  latest.current = { places, moved, over, start, lit };

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    let gone = false;
    let undo = () => {};
    const build = async () => {
      const gl = hasGl() ? await import('./gl').catch(() => null) : null;
      const { flatSheet } = await import('./flat');
      if (gone) return;
      let rest: ReturnType<typeof setTimeout> | undefined;
      const options = {
        element: el,
        view: latest.current.start ?? fitView(latest.current.places, el.clientWidth, el.clientHeight),
        ground,
        palette: readPalette(el),
        label: t('map.label'),
        still,
        moved: () => overlay.current?.draw(),
        rested: () => {
          clearTimeout(rest);
          rest = setTimeout(() => {
            const s = sheet.current;
            if (s) latest.current.moved(atText(s.view()), s.bounds());
          }, 200);
        },
      };
      let made: Sheet | null = null;
      try {
        made = gl?.glSheet(options, styleUrl, () => setStyleFailed(true)) ?? null;
      } catch {
        el.replaceChildren();
      }
      if (!made) {
        setPlain(true);
        made = flatSheet(options);
      }
      sheet.current = made;
      const marks = new Overlay(el, made, {
        open: (p) => void router.navigate({ to: '/sites/$id', params: { id: p.id } }),
        near: (c) => {
          const view = fitView(c.places, el.clientWidth, el.clientHeight);
          const now = made.view().zoom;
          // Sites at one address never part; a step nearer is all there is.
          made.go(view.zoom > now + 0.5 ? view : { ...atSpot(c), zoom: now + 2 });
        },
        over: (ids) => latest.current.over(ids),
      });
      overlay.current = marks;
      marks.set(latest.current.places);
      options.rested();
      const watch = new ResizeObserver(() => {
        made.resize();
        marks.draw();
      });
      watch.observe(el);
      undo = () => {
        clearTimeout(rest);
        watch.disconnect();
        marks.destroy();
        made.destroy();
        sheet.current = null;
        overlay.current = null;
      };
    };
    void build();
    return () => {
      gone = true;
      undo();
    };
  }, [ground, styleUrl, still, router, t]);

  useEffect(() => overlay.current?.set(places), [places]);
  useEffect(() => overlay.current?.highlight(lit), [lit]);

  // The colours come from the style sheet; "auto" may change without a click.
  // biome-ignore lint/correctness/useExhaustiveDependencies: colorScheme says that the style sheet's colours changed
  useEffect(() => {
    const repaint = () =>
      requestAnimationFrame(() => box.current && sheet.current?.paint(readPalette(box.current)));
    repaint();
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    query.addEventListener('change', repaint);
    return () => query.removeEventListener('change', repaint);
  }, [colorScheme]);

  const zoom = (by: number) => {
    const s = sheet.current;
    if (s) s.go({ ...s.view(), zoom: s.view().zoom + by });
  };
  return (
    <>
      {/* Inline: MapLibre's own style sheet, which comes later, gives it another position. */}
      <div ref={box} className={styles.sheet} style={{ position: 'absolute', inset: 0 }} />
      <div className={styles.controls}>
        <button type="button" className={styles.control} aria-label={t('map.nearer')} onClick={() => zoom(1)}>
          <Icon name="plus" size={16} />
        </button>
        <button
          type="button"
          className={styles.control}
          aria-label={t('map.further')}
          onClick={() => zoom(-1)}
        >
          <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
            <path d="M4 10h12" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
          </svg>
        </button>
        <button
          type="button"
          className={styles.control}
          aria-label={t('map.all')}
          onClick={() =>
            box.current &&
            sheet.current?.go(
              fitView(latest.current.places, box.current.clientWidth, box.current.clientHeight),
            )
          }
        >
          <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
            <path
              d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.5"
              strokeLinecap="round"
            />
          </svg>
        </button>
      </div>
      {(plain || styleFailed) && (
        <p className={styles.note} role="status">
          {styleFailed ? t('map.styleFailed') : t('map.plain')}
        </p>
      )}
      {(styleUrl === '' || styleFailed || plain) && <p className={styles.credit}>{t('map.credit')}</p>}
    </>
  );
}
