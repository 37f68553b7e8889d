import type { MessageKey, Translate } from '../../i18n/i18n';

const words: Record<string, MessageKey> = {};

/** A finding in words where we have them; a code of a newer server stays readable as it is. */
export function quirkWords(t: Translate, code: string): string {
  const key = Object.hasOwn(words, code) ? words[code] : undefined;
  if (key) return t(key);
  const spaced = code.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
