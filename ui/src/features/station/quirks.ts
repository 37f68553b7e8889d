import type { MessageKey, Translate } from '../../i18n/i18n';

const words = {
  missing: 'quirk.missing',
  unknownField: 'quirk.unknownField',
  wrongType: 'quirk.wrongType',
  tooLong: 'quirk.tooLong',
  unknownEnum: 'quirk.unknownEnum',
  outOfRange: 'quirk.outOfRange',
  itemCount: 'quirk.itemCount',
  badTime: 'quirk.badTime',
  timeForm: 'quirk.timeForm',
  noZone: 'quirk.noZone',
  clockUnset: 'quirk.clockUnset',
  null: 'quirk.null',
  badURI: 'quirk.badURI',
  unreadable: 'quirk.unreadable',
  negativeID: 'quirk.negativeID',
  notUTF8: 'quirk.notUTF8',
  messageID: 'quirk.messageID',
  frame: 'quirk.frame',
  trailing: 'quirk.trailing',
  paddedText: 'quirk.paddedText',
  unitSpelling: 'quirk.unitSpelling',
  noErrorSpelling: 'quirk.noErrorSpelling',
  statusSpelling: 'quirk.statusSpelling',
  unknownUnit: 'quirk.unknownUnit',
  vendorErrorCodeWithoutError: 'quirk.vendorErrorCodeWithoutError',
} as const satisfies Record<string, MessageKey>;

/**
 * A finding in words: "tooLong:/model" names what is wrong and where. A code of
 * a newer server stays readable as it is.
 */
export function quirkWords(t: Translate, code: string): string {
  const cut = code.indexOf(':');
  const name = cut < 0 ? code : code.slice(0, cut);
  const path =
    cut < 0
      ? ''
      : code
          .slice(cut + 1)
          .replace(/^\//, '')
          .replaceAll('/*', '')
          .replaceAll('/', '.');
  const what = Object.hasOwn(words, name) ? t(words[name as keyof typeof words]) : sentence(name);
  return path === '' ? what : `${path}: ${what}`;
}

function sentence(name: string): string {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
