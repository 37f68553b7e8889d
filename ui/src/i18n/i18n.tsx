import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { createIntl, createIntlCache, RawIntlProvider, useIntl } from 'react-intl';
import type { MessageKey } from './keys';
import { formatTag, initialLocale, type Locale, storedLocale, storeLocale } from './locale';
import { Words } from './words';

export type { MessageKey } from './keys';
export type Values = Record<string, string | number>;
export type Translate = (id: MessageKey, values?: Values) => string;

export const words = new Words(initialLocale(storedLocale(), navigator.languages));

const LocaleContext = createContext<{ locale: Locale; setLocale: (l: Locale) => void }>({
  locale: 'en',
  setLocale: () => {},
});

const cache = createIntlCache();

export function I18n({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState<Locale>(() => initialLocale(storedLocale(), navigator.languages));
  const messages = useSyncExternalStore(words.subscribe, () => words.in(locale));
  useEffect(() => {
    void words.use(locale);
  }, [locale]);
  const intl = useMemo(
    () =>
      messages &&
      createIntl({ locale: formatTag(locale, navigator.languages), defaultLocale: 'en', messages }, cache),
    [locale, messages],
  );
  useEffect(() => {
    if (intl) document.documentElement.lang = locale;
  }, [intl, locale]);
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
