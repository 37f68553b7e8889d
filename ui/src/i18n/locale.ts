export const LOCALES = ['en', 'de'] as const;
export type Locale = (typeof LOCALES)[number];
export const languageNames: Record<Locale, string> = { en: 'English', de: 'Deutsch' };

const KEY = 'chargewatch.locale';

export const isLocale = (v: unknown): v is Locale => LOCALES.includes(v as Locale);

export function initialLocale(stored: string | null, languages: readonly string[]): Locale {
  if (isLocale(stored)) return stored;
  for (const language of languages) {
    const short = language.slice(0, 2).toLowerCase();
    if (isLocale(short)) return short;
  }
  return 'en';
}

/** The tag for numbers and dates: the reader's own variety of the chosen language where the browser names one. */
export function formatTag(locale: Locale, languages: readonly string[]): string {
  return (
    languages.find((l) => l.toLowerCase().startsWith(`${locale}-`)) ?? (locale === 'en' ? 'en-GB' : 'de-DE')
  );
}

export function storedLocale(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function storeLocale(locale: Locale): void {
  try {
    localStorage.setItem(KEY, locale);
  } catch {
    // A browser that keeps nothing still shows the chosen language until it is closed.
  }
}
