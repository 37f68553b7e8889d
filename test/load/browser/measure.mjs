// One measurement in a browser: node measure.mjs '{"mode":"live",…}'. Lines of
// JSON go out, the last one is the result; a line in says that the load is over.
import { createInterface } from 'node:readline';
import { fresh, launch, mainThread, sleep } from './page.mjs';
import { video } from './video.mjs';

const order = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const round = (x, digits = 1) => Math.round(x * 10 ** digits) / 10 ** digits;

async function windowOf(page, ms) {
  const main = await mainThread(page);
  const before = await main.read();
  const frames = await page.evaluate((length) => window.__probe.frames(length), ms);
  const after = await main.read();
  await main.detach();
  return {
    fps: round((frames.frames / frames.ms) * 1000),
    p95FrameMs: round(frames.p95),
    worstFrameMs: round(frames.worst),
    longTaskMs: round(frames.longTasks),
    mainThread: round(main.share(before, after), 3),
    mainThreadCpu: round(main.cpuShare(before, after), 3),
    script: round(main.script(before, after), 3),
  };
}

const views = {
  wall: { path: '/', ready: '[role=application] canvas' },
  'wall, worst first': { path: '/?sort=worst', ready: '[role=application] canvas' },
  list: { path: '/?view=list', ready: '[role=table] [role=row] >> nth=5' },
  stations: { path: '/stations', ready: '[role=table] [role=row] >> nth=5' },
  'stations, sorted by power': { path: '/stations?sort=power', ready: '[role=table] [role=row] >> nth=5' },
  'stations, scrolled': { path: '/stations', ready: '[role=table] [role=row] >> nth=5', scroll: 97 },
};

/** Frames and main thread of each view under the load that runs. */
async function live(browser) {
  const results = [];
  for (const [name, view] of Object.entries(views)) {
    const context = await fresh(browser, order.base, order.cookie);
    const page = await context.newPage();
    await page.goto(view.path);
    await page.locator(view.ready).first().waitFor();
    await sleep(order.settleMs);
    if (view.scroll) await page.evaluate((by) => window.__probe.scroll('[role=table]', by), view.scroll);
    say({ began: name });
    results.push({ view: name, ...(await windowOf(page, order.windowMs)) });
    await context.close();
  }
  return results;
}

/** When the tile of a port changed, while the load toggles it. */
async function latency(browser) {
  const context = await fresh(browser, order.base, order.cookie);
  const page = await context.newPage();
  await page.goto('/');
  const canvas = page.locator('[role=application] canvas');
  await canvas.waitFor();
  await sleep(order.settleMs);
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  // The product's own hover card says which port lies where.
  let found;
  for (let y = 20; y < 70 && !found; y += 4) {
    for (let x = 2; x < 60 && !found; x += 5) {
      await page.mouse.move(box.x + x, box.y + y);
      const text = await page.locator('[class*=cardHead]').first().textContent({ timeout: 200 }).catch(() => '');
      if (text?.startsWith(order.station)) found = { x, y };
    }
  }
  if (!found) throw new Error(`no tile of ${order.station} found`);
  await page.mouse.move(1, 1);
  await sleep(300);
  await page.evaluate(({ x, y }) => window.__probe.watch(x - 1, y - 1, 8, 8), found);
  say({ watching: found });
  await lines.next();
  const changes = await page.evaluate(() => window.__probe.changes());
  await context.close();
  return { changes };
}

/** From the start of the navigation, with nothing cached, to an Overview that can be used. */
async function start(browser) {
  const runs = [];
  for (let i = 0; i < order.runs; i++) {
    const context = await fresh(browser, order.base, order.cookie);
    const page = await context.newPage();
    await page.goto('/', { waitUntil: 'commit' });
    runs.push(await page.evaluate((total) => window.__probe.usable(total), order.ports));
    if (i === 0 && order.picture) await page.screenshot({ path: order.picture });
    await context.close();
  }
  return runs;
}

/** The heap of one page that stays open, after a collection, again and again. */
async function soak(browser) {
  const context = await fresh(browser, order.base, order.cookie);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(String(e)));
  await page.goto(order.path);
  await page.locator('[role=application] canvas').first().waitFor();
  const main = await mainThread(page);
  await main.session.send('HeapProfiler.enable');
  const samples = [];
  const end = Date.now() + order.lengthMs;
  while (Date.now() < end) {
    await sleep(order.everyMs);
    await main.session.send('HeapProfiler.collectGarbage');
    const m = await main.read();
    const sample = {
      second: Math.round((order.lengthMs - (end - Date.now())) / 1000),
      heapMB: round(m.JSHeapUsedSize / 1e6, 2),
      nodes: m.Nodes,
      listeners: m.JSEventListeners,
      documents: m.Documents,
    };
    samples.push(sample);
    say({ sample });
  }
  await context.close();
  return { samples, faults };
}

const modes = { live, latency, start, soak, ...video };
const browser = await launch();
try {
  say({ result: await modes[order.mode](browser, order, say) });
} finally {
  await browser.close();
}
process.exit(0);
