// A real browser in front of a real server, and what can be read from outside
// the product's code: frames, long tasks, pixels, heap.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../e2e/', import.meta.url))('playwright-core');

export async function launch() {
  for (const name of [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']) {
    if (!name) continue;
    let path;
    try {
      path = execFileSync('sh', ['-c', `command -v "${name}"`], { encoding: 'utf8' }).trim();
    } catch {
      continue;
    }
    return chromium.launch({
      executablePath: path,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--no-first-run',
        '--js-flags=--expose-gc',
      ],
    });
  }
  throw new Error('no Chromium found: install the package chromium, or set CHROMIUM');
}

/** A context that nobody used before: no cache, but signed in. */
export async function fresh(browser, base, cookie) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    baseURL: base,
    colorScheme: 'dark',
    locale: 'en-GB',
  });
  await context.addCookies([{ ...cookie, url: base }]);
  context.setDefaultTimeout(120_000);
  await context.addInitScript(probes);
  return context;
}

// Runs in the page before anything of it.
function probes() {
  const wall = () => performance.timeOrigin + performance.now();
  const probe = { wall };
  window.__probe = probe;

  /** Gathers every frame and every task above 50 ms for a while. */
  probe.frames = (ms) =>
    new Promise((resolve) => {
      const gaps = [];
      let longTasks = 0;
      const seen = new PerformanceObserver((list) => {
        for (const e of list.getEntries()) longTasks += e.duration;
      });
      seen.observe({ entryTypes: ['longtask'] });
      const began = performance.now();
      let last = began;
      const step = (now) => {
        if (now > last) gaps.push(now - last);
        last = now;
        if (performance.now() - began < ms) requestAnimationFrame(step);
        else {
          seen.disconnect();
          gaps.sort((a, b) => a - b);
          resolve({
            ms: performance.now() - began,
            frames: gaps.length,
            p95: gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * 0.95))] ?? 0,
            worst: gaps.at(-1) ?? 0,
            longTasks,
          });
        }
      };
      requestAnimationFrame(step);
    });

  /** Scrolls an element by so much in every frame, back and forth, until told to stop. */
  probe.scroll = (selector, by) => {
    const el = [...document.querySelectorAll(selector)].find((e) => e.scrollHeight > e.clientHeight + by);
    if (!el) throw new Error(`nothing to scroll at ${selector}`);
    let on = true;
    let step = by;
    const move = () => {
      const before = el.scrollTop;
      el.scrollTop += step;
      if (el.scrollTop === before) step = -step;
      if (on) requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
    probe.stopScroll = () => {
      on = false;
    };
  };

  /** Notes when the picture within a rectangle of the wall changes. */
  probe.watch = (x, y, w, h) => {
    const canvas = document.querySelector('[role=application] canvas');
    const changes = [];
    let before;
    let on = true;
    const look = () => {
      const context = canvas.getContext('2d');
      const ratio = canvas.width / canvas.clientWidth;
      const { data } = context.getImageData(x * ratio, y * ratio, w * ratio, h * ratio);
      let sum = 0;
      for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) | 0;
      if (before !== undefined && sum !== before) changes.push(wall());
      before = sum;
      if (on) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    probe.changes = () => {
      on = false;
      return changes;
    };
  };

  /**
   * The Overview can be used: its figures say how many of `total` ports are free, and the wall has a picture. Milliseconds since the navigation began.
   */
  probe.usable = (total) =>
    new Promise((resolve) => {
      const figure = total.toLocaleString('en-GB');
      const at = {};
      const painted = () => {
        const canvas = document.querySelector('[role=application] canvas');
        if (!canvas || canvas.width < 10 || canvas.height < 10) return false;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, Math.min(canvas.height, 120));
        for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) return true;
        return false;
      };
      const look = () => {
        if (!at.figures && document.querySelector('main')?.textContent.includes(figure)) at.figures = performance.now();
        if (!at.wall && painted()) at.wall = performance.now();
        if (at.figures && at.wall) requestAnimationFrame(() => resolve({ ...at, usable: performance.now() }));
        else requestAnimationFrame(look);
      };
      look();
    });
}

/**
 * The browser's own account of its main thread: how long its tasks took, and how much processor time they used. On a
 * machine with other work the first also counts what others took.
 */
export async function mainThread(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'timeTicks' });
  const inCPU = await page.context().newCDPSession(page);
  await inCPU.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metrics = async (from) => {
    const { metrics } = await from.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map((m) => [m.name, m.value]));
  };
  const read = async () => ({ ...(await metrics(session)), at: performance.now() / 1000, cpu: await metrics(inCPU) });
  return {
    read,
    session,
    share: (a, b) => (b.TaskDuration - a.TaskDuration) / (b.at - a.at),
    cpuShare: (a, b) => (b.cpu.TaskDuration - a.cpu.TaskDuration) / (b.at - a.at),
    script: (a, b) => (b.cpu.ScriptDuration - a.cpu.ScriptDuration) / (b.at - a.at),
    detach: async () => {
      await session.detach();
      await inCPU.detach();
    },
  };
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
