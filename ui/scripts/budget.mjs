// Fails the build when the page got heavier than agreed. Sizes are gzip bytes
// as the server sends them; "entry" is everything the first paint must load.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const limits = { entryJs: 220, entryCss: 40, lazy: 300 };
const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'));
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1000;

const entryChunks = new Set();
const visit = (key) => {
  if (entryChunks.has(key)) return;
  entryChunks.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);
if (entryChunks.size === 0) throw new Error('no entry in dist/.vite/manifest.json: run the build first');

const rows = [];
const js = [...entryChunks].reduce((sum, key) => sum + size(manifest[key].file), 0);
const cssFiles = new Set([...entryChunks].flatMap((key) => manifest[key].css ?? []));
const css = [...cssFiles].reduce((sum, file) => sum + size(file), 0);
rows.push(['entry JS', js, limits.entryJs], ['entry CSS', css, limits.entryCss]);
for (const [key, chunk] of Object.entries(manifest)) {
  if (entryChunks.has(key) || !/\.(js|css)$/.test(chunk.file)) continue;
  rows.push([`lazy ${chunk.file}`, size(chunk.file), limits.lazy]);
}

let over = 0;
for (const [name, kb, limit] of rows) {
  const bad = kb > limit;
  if (bad) over++;
  console.log(
    `${bad ? 'OVER' : 'ok  '}  ${kb.toFixed(1).padStart(7)} / ${String(limit).padStart(3)} kB  ${name}`,
  );
}
process.exit(over ? 1 : 0);
