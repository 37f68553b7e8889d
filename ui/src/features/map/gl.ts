// The ground drawn by MapLibre, from our own files and with the machine's own
// fonts: no tile, glyph or sprite comes from anywhere else.
import 'maplibre-gl/dist/maplibre-gl.css';
import { Map as GlMap, type LayerSpecification, type StyleSpecification, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { type Ground, townZoom } from './ground';
import { atSpot } from './model';
import { MAX_ZOOM, MIN_ZOOM } from './search';
import type { Palette, Sheet, SheetOptions } from './sheet';

setWorkerUrl(workerUrl);

function layers(p: Palette): LayerSpecification[] {
  return [
    { id: 'sea', type: 'background', paint: { 'background-color': p.sea } },
    { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': p.land, 'fill-antialias': true } },
    {
      id: 'borders',
      type: 'line',
      source: 'borders',
      paint: { 'line-color': p.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 2, 0.6, 8, 1.4] },
    },
    {
      id: 'dots',
      type: 'circle',
      source: 'towns',
      filter: ['>=', ['zoom'], ['get', 'z']],
      paint: { 'circle-radius': 1.75, 'circle-color': p.town },
    },
    {
      id: 'towns',
      type: 'symbol',
      source: 'towns',
      filter: ['>=', ['zoom'], ['get', 'z']],
      layout: {
        'text-field': ['get', 'name'],
        'text-size': ['interpolate', ['linear'], ['get', 'k'], 25, 11, 3000, 14],
        'symbol-sort-key': ['-', 0, ['get', 'k']],
        'text-font': ['Inter Variable', 'sans-serif'],
        'text-anchor': 'bottom',
        'text-offset': [0, -0.35],
        'text-padding': 6,
      },
      paint: { 'text-color': p.town, 'text-halo-color': p.halo, 'text-halo-width': 1.5 },
    },
  ];
}

function styleOf(ground: Ground, palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      land: {
        type: 'geojson',
        attribution: 'Natural Earth',
        data: {
          type: 'FeatureCollection',
          features: ground.land.map((coordinates) => ({
            type: 'Feature',
            properties: {},
            geometry: { type: 'Polygon', coordinates },
          })),
        },
      },
      borders: {
        type: 'geojson',
        data: {
          type: 'Feature',
          properties: {},
          geometry: { type: 'MultiLineString', coordinates: ground.borders },
        },
      },
      towns: {
        type: 'geojson',
        attribution: 'GeoNames CC BY 4.0',
        data: {
          type: 'FeatureCollection',
          features: ground.towns.map((t) => ({
            type: 'Feature',
            properties: { name: t.name, k: t.thousands, z: townZoom(t.thousands) },
            geometry: { type: 'Point', coordinates: [t.lon, t.lat] },
          })),
        },
      },
    },
    layers: layers(palette),
  };
}

/** Throws where WebGL does not come up. `failed` is told when a style of one's own does not load; the built-in one is shown then. */
export function glSheet(o: SheetOptions, styleUrl: string, failed: () => void): Sheet {
  let own = styleUrl !== '';
  let palette = o.palette;
  const map = new GlMap({
    container: o.element,
    style: own ? styleUrl : styleOf(o.ground, palette),
    center: [o.view.lon, o.view.lat],
    zoom: o.view.zoom,
    minZoom: MIN_ZOOM,
    maxZoom: MAX_ZOOM,
    renderWorldCopies: false,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute('aria-label', o.label);
  map.on('move', o.moved);
  map.on('moveend', o.rested);
  map.on('load', o.moved);
  map.on('error', () => {
    if (!own || map.isStyleLoaded()) return;
    own = false;
    map.setStyle(styleOf(o.ground, palette));
    failed();
  });
  return {
    view: () => {
      const c = map.getCenter();
      return { lat: c.lat, lon: c.lng, zoom: map.getZoom() };
    },
    go: (v) => {
      const to = { center: [v.lon, v.lat] as [number, number], zoom: v.zoom };
      if (o.still) map.jumpTo(to);
      else map.easeTo({ ...to, duration: 180 });
    },
    pixel: (spot) => {
      const { lat, lon } = atSpot(spot);
      return map.project([lon, lat]);
    },
    bounds: () => {
      const b = map.getBounds();
      return { west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() };
    },
    resize: () => map.resize(),
    paint: (p) => {
      palette = p;
      if (!own) map.setStyle(styleOf(o.ground, p), { diff: true });
    },
    destroy: () => map.remove(),
  };
}
