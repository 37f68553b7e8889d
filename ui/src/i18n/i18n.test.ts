import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { STATUSES } from '../live/status';
import { formatTag, initialLocale } from './locale';

const source = join(import.meta.dirname, '..');
const features = readdirSync(join(source, 'features'), { withFileTypes: true })
  .filter((f) => f.isDirectory())
  .map((f) => f.name);

/** The words of a feature; of the shell without one. */
function words(locale: string, feature?: string): Record<string, string> {
  const file = feature
    ? join(source, 'features', feature, 'words', `${locale}.json`)
    : join(source, 'i18n', `${locale}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

const all = (locale: string): Record<string, string> =>
  Object.assign({}, words(locale), ...features.map((f) => words(locale, f)));
const en = all('en');
const de = all('de');
const messages: Record<string, Record<string, string>> = { en, de };

function code(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((f) =>
    f.isDirectory() ? code(join(dir, f.name)) : /(?<!\.test)\.tsx?$/.test(f.name) ? [join(dir, f.name)] : [],
  );
}

/** The names of the values a message asks for: braces within an argument hold its choices. */
function values(message: string): string[] {
  const names = new Set<string>();
  let depth = 0;
  for (let i = 0; i < message.length; i++) {
    if (message[i] === '{' && depth++ % 2 === 0) names.add(/^\w+/.exec(message.slice(i + 1))?.[0] ?? '');
    else if (message[i] === '}') depth--;
  }
  return [...names].sort();
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
    for (const key of Object.keys(en)) expect(values(de[key]!), key).toEqual(values(en[key]!));
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

  it('has each key once', () => {
    const keys = [words('en'), ...features.map((f) => words('en', f))].flatMap(Object.keys);
    expect(keys.filter((k, i) => keys.indexOf(k) !== i)).toEqual([]);
  });

  // Keys built from a part: `family.${f}` covers all of family.
  const used = (text: string, key: string): boolean =>
    text.includes(`'${key}'`) ||
    [...text.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].some((m) => key.startsWith(m[1]!));

  it('is used: no key is left over', () => {
    const text = code(source)
      .map((f) => readFileSync(f, 'utf8'))
      .join('\n');
    expect(Object.keys(en).filter((k) => !used(text, k))).toEqual([]);
  });

  it('keeps the words of a feature to that feature', () => {
    const astray = features.flatMap((feature) =>
      code(source)
        .filter((f) => !f.startsWith(join(source, 'features', feature)))
        .flatMap((f) => {
          const text = readFileSync(f, 'utf8');
          return Object.keys(words('en', feature))
            .filter((k) => text.includes(`'${k}'`))
            .map((k) => `${k} in ${f}`);
        }),
    );
    expect(astray).toEqual([]);
  });

  // A page that shows parts of other features brings their words as well.
  it('comes with every page that needs it', () => {
    const reach = (file: string, seen: Set<string>): Set<string> => {
      if (seen.has(file)) return seen;
      seen.add(file);
      for (const m of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
        const to = join(file, '..', m[1]!);
        const found = [to, `${to}.ts`, `${to}.tsx`].find((f) => /\.tsx?$/.test(f) && existsSync(f));
        if (found) reach(found, seen);
      }
      return seen;
    };
    const router = readFileSync(join(source, 'app', 'router.tsx'), 'utf8');
    const pages = [...router.matchAll(/page\(\(\) => import\('\.\.\/(features\/\w+\/\w+)'\),([^)]*)\)/g)];
    expect(pages.length).toBeGreaterThan(3);
    for (const [, path, given] of pages) {
      const brought = [...given!.matchAll(/'(\w+)'/g)].map((m) => m[1]);
      const reached = [...reach(join(source, `${path}.tsx`), new Set())];
      const needed = features.filter((f) =>
        reached
          .filter((r) => r.startsWith(join(source, 'features', f, '/')))
          .some((r) => {
            const text = readFileSync(r, 'utf8');
            return Object.keys(words('en', f)).some((k) => used(text, k));
          }),
      );
      expect(brought.sort(), path).toEqual(needed.sort());
    }
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
