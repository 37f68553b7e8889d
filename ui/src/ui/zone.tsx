import { createContext, useContext } from 'react';
import { zoneName } from '../format/time';
import { useT, useTag } from '../i18n/i18n';

// Times at a site are shown in the zone of the site, because that is the time
// on the wall of the person who stands there. Undefined = the browser's zone.
const ZoneContext = createContext<string | undefined>(undefined);
export const ZoneProvider = ZoneContext.Provider;
export const useZone = (): string | undefined => useContext(ZoneContext);

export function ZoneNote() {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const name = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <span className="meta">{t('zone.note', { zone: name, short: zoneName(tag, Date.now(), zone) })}</span>
  );
}
