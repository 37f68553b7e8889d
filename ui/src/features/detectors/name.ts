import type { MessageKey, Translate } from '../../i18n/i18n';
import type words from './words/en.json';

const numbered = (letter: string, length: number) =>
  Array.from({ length }, (_, i) => `${letter}${String(i + 1).padStart(2, '0')}`);
/** The detectors of the server, by their ids: of stations, doors and what cameras see, alone and together. */
export const DETECTORS = [
  ...numbered('A', 8),
  'C02',
  'C03',
  'C05',
  'C06',
  ...numbered('C', 19).slice(7, 13),
  'C15',
  'C16',
  'C18',
  'C19',
  ...numbered('D', 28),
  'D33',
  'D35',
  'D36',
  ...numbered('V', 5),
  'V10',
  'V11',
];

/** What a detector is called; the id of one that this page does not know. */
export const detectorText = (t: Translate, id: string): string =>
  DETECTORS.includes(id) ? t(`detector.${id}` as keyof typeof words & MessageKey) : id;
