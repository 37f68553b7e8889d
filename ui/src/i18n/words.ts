// The words a page needs arrive with the page: those of the shell at once, those
// of a feature beside its code.
import en from './en.json';
import type { Locale } from './locale';

type Dictionary = Record<string, string>;
type Load = () => Promise<{ default: Dictionary }>;

const files = import.meta.glob<{ default: Dictionary }>('../features/*/words/*.json');
const fileOf = (feature: string, locale: Locale): Load | undefined =>
  files[`../features/${feature}/words/${locale}.json`];

export class Words {
  private readonly features = new Set<string>();
  private readonly loaded = new Map<string, Dictionary>();
  private readonly listeners = new Set<() => void>();
  private merged: Partial<Record<Locale, Dictionary>> = {};

  constructor(private locale: Locale) {
    this.loaded.set('en', en);
  }

  /** Brings the words of features, in the language in use, before their code runs. */
  async need(...features: string[]): Promise<void> {
    for (const f of features) this.features.add(f);
    await this.fill(this.locale);
  }

  async use(locale: Locale): Promise<void> {
    this.locale = locale;
    await this.fill(locale);
  }

  /** Undefined until the language is there. */
  in(locale: Locale): Dictionary | undefined {
    if (!this.loaded.has(locale)) return undefined;
    this.merged[locale] ??= Object.assign(
      {},
      ...[...this.loaded]
        .filter(([k]) => k === locale || k.startsWith(`${locale}/`))
        .map(([, words]) => words),
    );
    return this.merged[locale];
  }

  readonly subscribe = (fn: () => void): (() => void) => {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  };

  private async fill(locale: Locale): Promise<void> {
    const wanted: [string, Load | undefined][] = [...this.features].map((f) => [
      `${locale}/${f}`,
      fileOf(f, locale),
    ]);
    if (locale === 'de') wanted.push(['de', () => import('./de.json')]);
    const missing = wanted.filter(([key, load]) => load && !this.loaded.has(key));
    if (missing.length === 0) return;
    for (const [key, words] of await Promise.all(
      missing.map(async ([key, load]) => [key, (await load!()).default] as const),
    )) {
      this.loaded.set(key, words);
    }
    delete this.merged[locale];
    for (const fn of this.listeners) fn();
  }
}
