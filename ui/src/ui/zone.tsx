import { useSearch } from '@tanstack/react-router';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { zoneName } from '../format/time';
import { useT, useTag } from '../i18n/i18n';

// Times at a site are shown in the zone of the site, because that is the time
// on the wall of the person who stands there. Undefined = the browser's zone.
const ZoneContext = createContext<string | undefined>(undefined);

type Announced = { zone: string | undefined; announce: (zone: string | undefined) => () => void };
const PageZone = createContext<Announced>({ zone: undefined, announce: () => () => {} });

/** The zone of one row or part, beside others of other sites. */
export const PartZone = ZoneContext.Provider;

/** The zone of what the whole page shows, if it has one; the top bar names it. */
export function ZoneProvider({ value, children }: { value: string | undefined; children: ReactNode }) {
  const { announce } = useContext(PageZone);
  const around = useContext(ZoneContext);
  useEffect(() => (value === undefined ? undefined : announce(value)), [announce, value]);
  return <ZoneContext.Provider value={value ?? around}>{children}</ZoneContext.Provider>;
}

/** Holds the zone that the page below announces; `value` is that of pages that announce none. */
export function ZoneRoot({ value, children }: { value: string | undefined; children: ReactNode }) {
  const [pages, setPages] = useState<{ zone: string | undefined }[]>([]);
  const [announce] = useState(() => (zone: string | undefined) => {
    const mine = { zone };
    setPages((p) => [...p, mine]);
    return () => setPages((p) => p.filter((x) => x !== mine));
  });
  const last = pages.at(-1);
  return (
    <PageZone.Provider value={{ zone: last ? last.zone : value, announce }}>
      <ZoneContext.Provider value={value}>{children}</ZoneContext.Provider>
    </PageZone.Provider>
  );
}

const useChoice = (): unknown =>
  useSearch({ strict: false, select: (s: Record<string, unknown>) => s.zone } as never);

function chosen(choice: unknown, site: string | undefined): string | undefined {
  return choice === 'utc' ? 'UTC' : choice === 'mine' ? undefined : site;
}

/** The zone that times are told in here: the site's unless the reader chose another. */
export function useZone(): string | undefined {
  return chosen(useChoice(), useContext(ZoneContext));
}

/** The zone that the page as a whole tells times in, and the site's own. */
export function usePageZone(): { zone: string | undefined; site: string | undefined } {
  const site = useContext(PageZone).zone;
  return { zone: chosen(useChoice(), site), site };
}

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ZoneNote() {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  return (
    <span className="meta">
      {t('zone.note', { zone: zone ?? ownZone(), short: zoneName(tag, Date.now(), zone) })}
    </span>
  );
}
