// What a port does at a moment, in the order in which it is drawn from the
// ground up, and the colour of each.
import type { Translate } from '../../i18n/i18n';
import type { Layer } from './timeline';

const LAYERS = [
  ['charging', 'var(--s-charging)'],
  ['idle', 'color-mix(in srgb, var(--s-suspended) 55%, var(--surface))'],
  ['blocked', 'var(--s-preparing)'],
  ['reserved', 'var(--s-reserved)'],
  ['faulted', 'var(--s-faulted)'],
  ['unavailable', 'color-mix(in srgb, var(--s-unavailable) 60%, var(--surface))'],
  ['unobserved', ''],
] as const;

export type Doing = (typeof LAYERS)[number][0];
export const DOINGS: readonly Doing[] = LAYERS.map(([key]) => key);

export const layersOf = (t: Translate): Layer[] =>
  LAYERS.map(([key, color]) => ({
    key,
    name: t(`analytics.doing.${key}`),
    color,
    hatch: key === 'unobserved',
  }));
