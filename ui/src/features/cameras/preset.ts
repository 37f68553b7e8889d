// What a device said becomes the beginning of a camera.
import type { Asked } from './queries';

/** What the form of a new camera begins with. */
export type Preset = Partial<
  Record<'label' | 'mainUrl' | 'subUrl' | 'onvifUrl' | 'username' | 'password', string>
>;

type Stream = Asked['streams'][number];

const pixels = (s: Stream) => s.width * s.height;

/** The largest picture is kept as evidence. */
export const bestMain = (list: readonly Stream[]): string =>
  [...list].sort((a, b) => pixels(b) - pixels(a))[0]?.url ?? '';

/** The smallest one that browsers can play is for walls; nothing if it is the same size. */
export function bestSub(list: readonly Stream[], main: string): string | null {
  const most = list.find((s) => s.url === main);
  const rest = list
    .filter(
      (s) => s.url !== main && s.codec === 'h264' && pixels(s) > 0 && (!most || pixels(s) < pixels(most)),
    )
    .sort((a, b) => pixels(a) - pixels(b));
  return rest[0]?.url ?? null;
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
