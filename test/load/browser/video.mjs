// What a browser makes of pictures of cameras: each that is shown is read, for the
// cameras of these runs paint into it whose it is and which one.
import { fresh, mainThread, sleep } from './page.mjs';

// Runs in the page before anything of it.
function eyes() {
  const wall = () => performance.timeOrigin + performance.now();
  const columns = 16;
  const rows = 2;
  const share = rows / 9; // of the picture's height, from above
  const canvas = new OffscreenCanvas(columns * 4, rows * 4);
  const context = canvas.getContext('2d', { willReadFrequently: true });

  /** What the cells on the canvas say. */
  const bitsOf = () => {
    const { data } = context.getImageData(0, 0, columns * 4, rows * 4);
    let bits = 0;
    let bright = 0;
    for (let cell = 0; cell < columns * rows; cell++) {
      let sum = 0;
      for (const [x, y] of [[1, 1], [2, 1], [1, 2], [2, 2]])
        sum += data[((((cell / columns) | 0) * 4 + y) * columns * 4 + (cell % columns) * 4 + x) * 4];
      bright = Math.max(bright, sum / 4);
      bits = (bits << 1) | (sum > 4 * 127 ? 1 : 0);
    }
    const camera = (bits >>> 24) & 0xff;
    const n = (bits >>> 8) & 0xffff;
    const good = (((camera * 31 + (n & 0xff) * 7 + (n >> 8) * 13) & 0xff) ^ 0xa5) === (bits & 0xff);
    return { camera: good ? camera : -1, n, dark: bright < 60 };
  };

  /** What the cells of a picture say; camera -1: nothing that can be read. */
  const read = (video) => {
    const none = { camera: -1, n: 0, dark: true };
    if (video.readyState < 2 || video.videoWidth === 0) return none;
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * share, 0, 0, columns * 4, rows * 4);
    return bitsOf();
  };

  /** Every picture that an element shows for a while. */
  const watch = (selector, ms) =>
    new Promise((resolve) => {
      const video = document.querySelector(selector);
      const shots = [];
      const end = performance.now() + ms;
      const look = () => {
        const at = wall();
        const { camera, n } = read(video);
        shots.push({ at, camera, n });
        if (performance.now() < end) video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
      setTimeout(() => resolve({ shots, width: video.videoWidth, height: video.videoHeight }), ms + 500);
    });

  /** The tiles of the wall as they are now. */
  const tiles = () =>
    [...document.querySelectorAll('article[data-fresh]')].map((tile) => {
      const video = tile.querySelector('video');
      const shown = video !== null && video.dataset.on === 'true';
      return {
        at: wall(),
        fresh: tile.dataset.fresh === 'true',
        still: tile.dataset.fresh === 'true' && !shown,
        frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
        dropped: video?.getVideoPlaybackQuality().droppedVideoFrames ?? 0,
        width: video?.videoWidth ?? 0,
        ...(shown ? read(video) : { camera: -1, n: 0, dark: true }),
      };
    });

  /** When the server was asked for pictures and had answered, since the navigation began. */
  const asked = () => {
    const list = performance.getEntriesByType('resource').filter((e) => e.name.includes('/whep?'));
    return {
      count: list.length,
      first: Math.min(...list.map((e) => e.startTime)),
      answered: Math.max(...list.map((e) => e.responseEnd)),
    };
  };

  /** When so many tiles show a picture that can be read, since the navigation began. */
  const showing = (count, ms) =>
    new Promise((resolve) => {
      const first = [];
      const look = () => {
        const now = performance.now();
        tiles().forEach((t, i) => {
          if (t.fresh && t.camera >= 0) first[i] ??= { after: now, at: t.at, camera: t.camera, n: t.n, width: t.width };
        });
        const all = first.filter(Boolean);
        if (all.length < count && now < ms) requestAnimationFrame(look);
        else void network().then((sum) => resolve({ all: all.length === count, tiles: all, asked: asked(), steps: steps(), network: sum }));
      };
      look();
    });

  /** Whether a picture is of that second of its minute: cells count from the minute's first picture. */
  const isOf = (picture, at, slack) => {
    const want = ((at / 1000) % 60) * 15;
    const off = Math.abs(picture.n - want);
    return picture.camera === 1 && Math.min(off, 900 - off) <= slack;
  };

  /** From Enter in the field of the time until a picture of that moment is shown. */
  const arrives = (at, ms) =>
    new Promise((resolve) => {
      addEventListener(
        'keydown',
        () => {
          const began = performance.now();
          const look = () => {
            const video = document.querySelector('figure video');
            const now = performance.now();
            if (video && video.dataset.on === 'true' && video.seeking === false && isOf(read(video), at, 8)) resolve({ ms: now - began, right: true });
            else if (now - began > ms) resolve({ ms: -1, right: false });
            else requestAnimationFrame(look);
          };
          look();
        },
        { capture: true, once: true },
      );
    });

  /** From a move of the pointer over the timeline until the next small picture of it is there. */
  const scrubbed = (ms) =>
    new Promise((resolve) => {
      addEventListener(
        'pointermove',
        () => {
          const began = performance.now();
          const end = (x) => {
            document.removeEventListener('load', loaded, true);
            clearTimeout(late);
            resolve(x);
          };
          const loaded = (e) => {
            if (!(e.target instanceof HTMLImageElement)) return;
            const field = document.querySelector('[role=slider]');
            const at = Number(field.getAttribute('aria-valuenow'));
            context.drawImage(e.target, 0, 0, e.target.naturalWidth, e.target.naturalHeight * share, 0, 0, columns * 4, rows * 4);
            // A small picture every four seconds; meanwhile the page may show one from nearby.
            if (isOf(bitsOf(), at, 90)) end({ ms: performance.now() - began, right: true });
          };
          const late = setTimeout(() => end({ ms: -1, right: false }), ms);
          document.addEventListener('load', loaded, true);
        },
        { capture: true, once: true },
      );
    });

  /** A picture over the API: when its last byte was there and it was decoded. */
  const fetched = async (url, at, slack) => {
    const began = performance.now();
    const answer = await fetch(url, { cache: 'no-store' });
    if (!answer.ok) return { ms: -1, right: false, status: answer.status };
    const picture = await createImageBitmap(await answer.blob());
    const ms = performance.now() - began;
    context.drawImage(picture, 0, 0, picture.width, picture.height * share, 0, 0, columns * 4, rows * 4);
    return { ms, right: isOf(bitsOf(), at, slack) };
  };

  window.__eyes = { read, watch, tiles, showing, arrives, scrubbed, fetched };

  // What the browser itself says of its connections.
  const peers = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...args) {
      super(...args);
      peers.push(this);
      // When it came how far, since the navigation began.
      const steps = { made: performance.now() };
      this.steps = steps;
      this.addEventListener('track', (e) => {
        steps.answered = performance.now();
        e.track.addEventListener('unmute', () => (steps.packet ??= performance.now()));
      });
      this.addEventListener('iceconnectionstatechange', () => {
        if (this.iceConnectionState === 'connected') steps.reached ??= performance.now();
      });
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') steps.connected ??= performance.now();
      });
    }
  };
  /** The slowest of all connections at each step. */
  const steps = () => {
    const slowest = {};
    for (const peer of peers)
      for (const [step, at] of Object.entries(peer.steps)) slowest[step] = Math.max(slowest[step] ?? 0, at);
    return slowest;
  };
  /** What all connections of the page went through so far. */
  const network = async () => {
    const sum = { packetsReceived: 0, packetsLost: 0, nackCount: 0, pliCount: 0, framesDecoded: 0, framesDropped: 0 };
    for (const peer of peers)
      for (const s of (await peer.getStats()).values())
        if (s.type === 'inbound-rtp') for (const key of Object.keys(sum)) sum[key] += s[key] ?? 0;
    return sum;
  };
  window.__eyes.inbound = async () => {
    for (const peer of peers.filter((p) => p.connectionState === 'connected')) {
      for (const s of (await peer.getStats()).values()) if (s.type === 'inbound-rtp') return s;
    }
    return null;
  };
}

async function look(browser, order) {
  const context = await fresh(browser, order.base, order.cookie);
  await context.addInitScript(eyes);
  return context;
}

/** Every picture of one camera, over WebRTC or, where that is refused, over HLS. */
async function videoLatency(browser, order) {
  const context = await look(browser, order);
  const page = await context.newPage();
  if (order.way === 'hls')
    await page.route('**/whep?**', (route) =>
      route.fulfill({ status: 409, contentType: 'application/problem+json', body: '{"status":409,"code":"noWebRTC"}' }),
    );
  await page.goto(order.path);
  await page.locator('article[data-large="true"][data-fresh="true"]').waitFor();
  await sleep(order.settleMs);
  const before = await page.evaluate(() => window.__eyes.inbound());
  const seen = await page.evaluate(
    (ms) => window.__eyes.watch('article[data-large="true"] video', ms),
    order.lengthMs,
  );
  const after = await page.evaluate(() => window.__eyes.inbound());
  await context.close();
  const mean = (sum, count) =>
    before && after && after[count] > before[count]
      ? ((after[sum] - before[sum]) / (after[count] - before[count])) * 1000
      : 0;
  return {
    ...seen,
    decode: mean('totalDecodeTime', 'framesDecoded'),
    buffer: mean('jitterBufferDelay', 'jitterBufferEmittedCount'),
  };
}

/** The wall: opened again and again, then kept open. */
async function videoWall(browser, order, say) {
  for (const [i, restMs] of order.restsMs.entries()) {
    await sleep(restMs);
    const context = await look(browser, order);
    const page = await context.newPage();
    await page.goto(order.path, { waitUntil: 'commit' });
    const seen = await page.evaluate((n) => window.__eyes.showing(n, 30_000), order.tiles);
    say({ opened: { ...seen, restMs } });
    if (i === 0 && order.picture) await page.screenshot({ path: order.picture });
    await context.close();
  }
  const context = await look(browser, order);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(String(e)));
  await page.goto(order.path);
  await page.evaluate((n) => window.__eyes.showing(n, 30_000), order.tiles);
  const main = await mainThread(page);
  await main.session.send('HeapProfiler.enable');
  const end = Date.now() + order.lengthMs;
  let heapAt = 0;
  while (Date.now() < end) {
    await sleep(1000);
    say({ tiles: await page.evaluate(() => window.__eyes.tiles()) });
    if (Date.now() - heapAt < order.everyMs) continue;
    heapAt = Date.now();
    await main.session.send('HeapProfiler.collectGarbage');
    const m = await main.read();
    say({ heap: m.JSHeapUsedSize / 1e6 });
  }
  if (order.picture) await page.screenshot({ path: order.picture });
  await context.close();
  return { faults };
}

const clock = (at) => new Date(at).toISOString().slice(0, 19);

/** Moments of the past: typed, dragged to, and asked for over the API. */
async function videoReview(browser, order, say) {
  const context = await look(browser, order, { timezoneId: 'UTC' });
  const page = await context.newPage();
  await page.goto(`${order.path}&at=${order.to}`);
  const field = page.locator('input[type=datetime-local]');
  await field.waitFor();
  await page.locator('figure video[data-on="true"]').waitFor();
  await sleep(3000);
  let seed = 20261122;
  const chance = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const moment = () => Math.floor((order.from + chance() * (order.to - order.from)) / 1000) * 1000;
  const typed = [];
  for (let i = 0; i < order.typed; i++) {
    const at = moment();
    await field.fill(clock(at));
    const arrived = page.evaluate(({ at }) => window.__eyes.arrives(at, 10_000), { at });
    await sleep(50); // the page listens
    await field.press('Enter');
    const r = await arrived;
    typed.push(r);
    if (r.ms < 0 || r.ms > 1000) say({ typedSlow: { at: clock(at), ...r } });
    await sleep(300);
  }
  const scrubbed = [];
  const slider = page.locator('[role=slider]');
  say({ typed: typed.length });
  for (let i = 0; i < order.scrubbed; ) {
    // Another day each time, so that nothing of it was looked at before.
    await field.fill(clock(order.places[(i / 12) % order.places.length]));
    await field.press('Enter');
    await sleep(700);
    await slider.scrollIntoViewIfNeeded();
    const box = await slider.boundingBox();
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.2, y);
    await page.mouse.down();
    await sleep(700);
    for (let k = 0; k < 12 && i < order.scrubbed; k++, i++) {
      const arrived = page.evaluate(() => window.__eyes.scrubbed(5000));
      await sleep(30);
      await page.mouse.move(box.x + box.width * (0.2 + 0.03 * (k + 1) + 0.01 * chance()), y);
      scrubbed.push(await arrived);
    }
    await page.mouse.up();
  }
  const near = () => order.places[Math.floor(chance() * order.places.length)] + Math.floor((chance() - 0.5) * 3600) * 1000;
  const ask = async (name, slack, count, moment) => {
    const list = [];
    for (let i = 0; i < count; i++) {
      const at = moment();
      const url = `/api/v1/cameras/${order.camera}/playback/${name}?at=${encodeURIComponent(new Date(at).toISOString())}`;
      const r = await page.evaluate(({ url, at, slack }) => window.__eyes.fetched(url, at, slack), { url, at, slack });
      if (r.status === 404 && i === 0) return [];
      list.push(r);
    }
    return list;
  };
  const result = {
    typed,
    scrubbed,
    thumbnail: await ask('thumbnail.jpg', 90, order.scrubbed, near),
    fresh: await ask('thumbnail.jpg', 90, order.scrubbed / 2, moment),
    picture: await ask('picture.jpg', 32, order.scrubbed, moment),
  };
  await context.close();
  return result;
}

export const video = { videoLatency, videoWall, videoReview };
