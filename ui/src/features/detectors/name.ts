import type { MessageKey, Translate } from '../../i18n/i18n';
import type words from './words/en.json';

/** The detectors of the server, by their ids. */
export const DETECTORS = Array.from({ length: 27 }, (_, i) => `D${String(i + 1).padStart(2, '0')}`);

/** What a detector is called; the id of one that this page does not know. */
export const detectorText = (t: Translate, id: string): string =>
  DETECTORS.includes(id) ? t(`detector.${id}` as keyof typeof words & MessageKey) : id;
