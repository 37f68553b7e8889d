import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { STATUSES } from '../live/status';
import de from './de.json';
import en from './en.json';
import { formatTag, initialLocale } from './locale';

const messages: Record<string, Record<string, string>> = { en, de };

/** The names of the values a message asks for. */
function values(message: string): string[] {
  return [...new Set([...message.matchAll(/\{(\w+)\s*[,}]/g)].map((m) => m[1]!))].sort();
}

describe('messages', () => {
  it('has the same keys in both languages', () =>
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort()));

  it('leaves no message empty', () => {
    for (const [locale, all] of Object.entries(messages)) {
      for (const [key, text] of Object.entries(all)) expect(text.trim(), `${locale} ${key}`).not.toBe('');
    }
  });

  it('asks for the same values in both languages', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[])
      expect(values(de[key]), key).toEqual(values(en[key]));
  });

  it('can be formatted in both languages', () => {
    for (const [locale, all] of Object.entries(messages)) {
      const faults: unknown[] = [];
      const intl = createIntl({ locale, messages: all, onError: (e) => faults.push(e) });
      for (const [key, text] of Object.entries(all)) {
        const given = Object.fromEntries(values(text).map((v) => [v, 2]));
        expect(intl.formatMessage({ id: key }, given)).not.toBe('');
      }
      expect(faults).toEqual([]);
    }
  });

  it('has a word for each status', () => {
    for (const s of STATUSES) expect(en).toHaveProperty([`status.${s}`]);
  });

  it('is used: no key is left over', () => {
    const walk = (dir: string): string[] =>
      readdirSync(dir, { withFileTypes: true }).flatMap((f) =>
        f.isDirectory()
          ? walk(join(dir, f.name))
          : /(?<!\.test)\.tsx?$/.test(f.name)
            ? [join(dir, f.name)]
            : [],
      );
    const source = walk(join(import.meta.dirname, '..'))
      .map((f) => readFileSync(f, 'utf8'))
      .join('\n');
    // Keys built from a part: `family.${f}` covers all of family.
    const prefixes = [...source.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map((m) => m[1]!);
    const left = Object.keys(en).filter(
      (k) => !source.includes(`'${k}'`) && !prefixes.some((p) => k.startsWith(p)),
    );
    expect(left).toEqual([]);
  });
});

describe('language', () => {
  it('follows the choice, then the browser, then English', () => {
    expect(initialLocale('de', ['en-GB'])).toBe('de');
    expect(initialLocale(null, ['fr-FR', 'de-AT'])).toBe('de');
    expect(initialLocale('xx', ['fr-FR'])).toBe('en');
  });

  it('writes numbers as the reader is used to', () => {
    expect(formatTag('de', ['de-AT', 'en'])).toBe('de-AT');
    expect(formatTag('en', ['de-DE'])).toBe('en-GB');
  });
});
