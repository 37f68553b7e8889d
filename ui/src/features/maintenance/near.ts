import { useCallback, useState } from 'react';

export type Place = { latitude: number; longitude: number };

/** Kilometres between two places on the globe. */
export function distance(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.latitude - a.latitude) * rad) / 2) ** 2 +
    Math.cos(a.latitude * rad) *
      Math.cos(b.latitude * rad) *
      Math.sin(((b.longitude - a.longitude) * rad) / 2) ** 2;
  return 12_742 * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Where the reader stands, once they say so; it stays in the browser. */
export function usePlace(): { here: Place | null; refused: boolean; ask: (() => void) | null } {
  const [here, setHere] = useState<Place | null>(null);
  const [refused, setRefused] = useState(false);
  const ask = useCallback(
    () =>
      navigator.geolocation.getCurrentPosition(
        (p) => setHere(p.coords),
        () => setRefused(true),
        { maximumAge: 60_000, timeout: 15_000 },
      ),
    [],
  );
  return { here, refused, ask: 'geolocation' in navigator && here === null ? ask : null };
}

type Located = { latitude: number | null; longitude: number | null };

/** How far a job is; undefined while one of the two places is unknown. */
export const away = (o: Located, here: Place | null): number | undefined =>
  here && o.latitude !== null && o.longitude !== null
    ? distance(here, { latitude: o.latitude, longitude: o.longitude })
    : undefined;
