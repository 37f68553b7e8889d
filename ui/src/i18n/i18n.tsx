import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { createIntl, createIntlCache, type IntlShape, RawIntlProvider, useIntl } from 'react-intl';
import en from './en.json';
import { formatTag, initialLocale, type Locale, storedLocale, storeLocale } from './locale';

export type MessageKey = keyof typeof en;
export type Values = Record<string, string | number>;
export type Translate = (id: MessageKey, values?: Values) => string;

const load: Record<Locale, () => Promise<Record<string, string>>> = {
  en: () => Promise.resolve(en),
  de: () => import('./de.json').then((m) => m.default),
};

const LocaleContext = createContext<{ locale: Locale; setLocale: (l: Locale) => void }>({
  locale: 'en',
  setLocale: () => {},
});

const cache = createIntlCache();

export function I18n({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState<Locale>(() => initialLocale(storedLocale(), navigator.languages));
  const [intl, setIntl] = useState<IntlShape | null>(null);
  useEffect(() => {
    let current = true;
    load[locale]().then((messages) => {
      if (!current) return;
      document.documentElement.lang = locale;
      setIntl(
        createIntl({ locale: formatTag(locale, navigator.languages), defaultLocale: 'en', messages }, cache),
      );
    });
    return () => {
      current = false;
    };
  }, [locale]);
  const value = useMemo(
    () => ({
      locale,
      setLocale: (l: Locale) => {
        storeLocale(l);
        setLocale(l);
      },
    }),
    [locale],
  );
  if (!intl) return null;
  return (
    <LocaleContext.Provider value={value}>
      <RawIntlProvider value={intl}>{children}</RawIntlProvider>
    </LocaleContext.Provider>
  );
}

export const useLocale = () => useContext(LocaleContext);

export function useT(): Translate {
  const intl = useIntl();
  return useCallback((id, values) => intl.formatMessage({ id }, values), [intl]);
}

/** The tag that numbers and dates are written in. */
export const useTag = (): string => useIntl().locale;
