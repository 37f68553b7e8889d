import type { Evse, Site, StationDetail } from '../../api/shapes';

export type FreePort = { station: StationDetail; evse: Evse };

const plugs = (e: Evse): string[] => e.connectors.map((c) => c.type).filter(Boolean);

/** Whether a car that wanted one port can use the other: a plug in common, else the same current. */
export function fits(wanted: Evse, other: Evse): boolean {
  const want = plugs(wanted);
  const have = plugs(other);
  if (want.length > 0 && have.length > 0) return have.some((p) => want.includes(p));
  return wanted.current === '' || other.current === '' || wanted.current === other.current;
}

/** The free ports that fit, those of the most similar power first. */
export function freePorts(wanted: Evse, except: string, stations: readonly StationDetail[]): FreePort[] {
  const want = wanted.ratedW ?? 0;
  return stations
    .flatMap((station) => station.evses.map((evse) => ({ station, evse })))
    .filter((p) => p.evse.free && `${p.station.id}/${p.evse.id}` !== except && fits(wanted, p.evse))
    .sort((a, b) => Math.abs((a.evse.ratedW ?? 0) - want) - Math.abs((b.evse.ratedW ?? 0) - want));
}

const EARTH_KM = 6371;
const rad = (deg: number): number => (deg * Math.PI) / 180;

/** Distance in km as the crow flies; null where a position is unknown. */
export function distanceKm(a: Site, b: Site): number | null {
  if (a.latitude === null || a.longitude === null || b.latitude === null || b.longitude === null) return null;
  const dLat = rad(b.latitude - a.latitude);
  const dLon = rad(b.longitude - a.longitude);
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.latitude)) * Math.cos(rad(b.latitude)) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The nearest other sites that say they have a free port. */
export function nearestSites(here: Site, all: Iterable<Site>, limit: number): { site: Site; km: number }[] {
  return [...all]
    .filter((s) => s.id !== here.id && s.ports.free > 0)
    .flatMap((site) => {
      const km = distanceKm(here, site);
      return km === null ? [] : [{ site, km }];
    })
    .sort((a, b) => a.km - b.km)
    .slice(0, limit);
}
