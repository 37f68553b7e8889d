// The built-in map as it is served: see scripts/map.mjs.
export type Ground = {
  /** Polygons of rings of points: longitude, latitude. */
  land: [number, number][][][];
  borders: [number, number][][];
  towns: { name: string; lon: number; lat: number; thousands: number }[];
};

function line(steps: readonly number[]): [number, number][] {
  const points: [number, number][] = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < steps.length; i += 2) {
    x += steps[i]!;
    y += steps[i + 1]!;
    points.push([x / 100, y / 100]);
  }
  return points;
}

async function read(url: string, signal: AbortSignal): Promise<never> {
  const response = await fetch(url, { signal, credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json() as Promise<never>;
}

export async function loadGround(signal: AbortSignal): Promise<Ground> {
  const [ground, towns] = await Promise.all([
    read('/map/land.json', signal) as Promise<{ land: number[][][]; borders: number[][] }>,
    read('/map/towns.json', signal) as Promise<{ names: string[]; at: number[]; thousands: number[] }>,
  ]);
  return {
    land: ground.land.map((p) => p.map(line)),
    borders: ground.borders.map(line),
    towns: towns.names.map((name, i) => ({
      name,
      lon: towns.at[2 * i]! / 100,
      lat: towns.at[2 * i + 1]! / 100,
      thousands: towns.thousands[i]!,
    })),
  };
}

/** From which zoom on a town is named, by its people. */
export function townZoom(thousands: number): number {
  for (const [people, zoom] of [
    [3000, 2.5],
    [1000, 3.5],
    [400, 4.6],
    [150, 5.6],
    [60, 6.8],
  ] as const) {
    if (thousands > people) return zoom;
  }
  return 8;
}
