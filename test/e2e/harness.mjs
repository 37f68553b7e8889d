// Starts the real binary and a real browser. Nothing in these tests stands in
// for the server: what fails here fails for an operator.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const root = new URL('../../', import.meta.url).pathname;
export const binary = join(root, 'bin/chargewatch');
const artifacts = new URL('./artifacts/', import.meta.url).pathname;

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Waits until a condition holds; the time bounds a hang and measures nothing. */
export async function until(what, condition, ms = 90_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`never happened: ${what}`, { cause: last });
    await new Promise((r) => setTimeout(r, 100));
  }
}

export class Server {
  constructor(command, data, httpPort, ocppPort, extra) {
    this.command = command;
    this.data = data;
    this.httpPort = httpPort;
    this.ocppPort = ocppPort;
    this.extra = extra;
    this.base = `http://127.0.0.1:${httpPort}`;
    this.link = '';
  }

  static async start(command, extra = []) {
    const data = mkdtempSync(join(tmpdir(), 'chargewatch-e2e-'));
    const server = new Server(command, data, await freePort(), await freePort(), extra);
    await server.run();
    return server;
  }

  async run() {
    // Ninety days take seconds to make; a week and a bit has all that the pages show.
    const past = this.command === 'demo' && !this.extra.includes('--past') ? ['--past', '9'] : [];
    // Pictures are decoded only for tests that look at them.
    const blind = this.command === 'demo' && !this.extra.includes('--cameras') ? ['--cameras=false'] : [];
    const child = spawn(
      binary,
      [
        this.command,
        '--data',
        this.data,
        '--http',
        `127.0.0.1:${this.httpPort}`,
        '--ocpp',
        `127.0.0.1:${this.ocppPort}`,
        '--webrtc',
        '127.0.0.1:0',
        ...past,
        ...blind,
        ...this.extra,
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.child = child;
    let said = '';
    const hear = (chunk) => {
      said = (said + chunk).slice(-100_000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    let gone = false;
    this.exited = new Promise((resolve) =>
      child.on('exit', (code, signal) => {
        gone = true;
        if (code !== 0 && signal !== 'SIGKILL') console.error(`the server ended (${code ?? signal}): ${said.slice(-8000)}`);
        resolve(code);
      }),
    );
    this.output = () => said;
    await until(
      'the server says it is ready',
      () => {
        if (gone) throw new Error(`the server ended: ${said}`);
        return /ready: (\S+)/.test(said);
      },
      120_000,
    );
    const at = said.match(/ready: (\S+)/)[1];
    if (at.includes('token=')) this.link = at;
  }

  /** Stops the server as an operator would; what it keeps stays. */
  async stop() {
    if (!this.child) return;
    this.child.kill('SIGTERM');
    const end = setTimeout(() => this.child?.kill('SIGKILL'), 15_000);
    await this.exited;
    clearTimeout(end);
    this.child = null;
  }

  async remove() {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** An API token made on the command line, for what a test must arrange. */
  token(role = 'admin') {
    const out = execFileSync(
      binary,
      ['token', 'create', '--name', `e2e ${role}`, '--role', role, '--data', this.data],
      { cwd: root, encoding: 'utf8' },
    );
    return out.trim().split(/\s+/).at(-1);
  }

  async api(token, method, path, body) {
    const response = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }

  /** Knocks at the OCPP port like a station; the socket stays open if it was let in. */
  knock(identity, { password, protocol = 'ocpp1.6' } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: '127.0.0.1',
        port: this.ocppPort,
        path: `/ocpp/${encodeURIComponent(identity)}`,
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': Buffer.from('0123456789abcdef').toString('base64'),
          'Sec-WebSocket-Protocol': protocol,
          ...(password === undefined
            ? {}
            : { Authorization: `Basic ${Buffer.from(`${identity}:${password}`).toString('base64')}` }),
        },
      });
      request.on('upgrade', (response, socket) => resolve({ status: response.statusCode, socket }));
      request.on('response', (response) => {
        response.resume();
        resolve({ status: response.statusCode, socket: null });
      });
      request.on('error', reject);
      request.end();
    });
  }
}

/** One text frame as a client must mask it. */
export function clientFrame(text) {
  const payload = Buffer.from(text);
  const mask = Buffer.from([1, 2, 3, 4]);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, mask, payload.map((b, i) => b ^ mask[i % 4])]);
}

const running = {};

/** One that could have a window shows notifications; the other takes less of the processor. */
export async function browser(windowed = false) {
  running[windowed] ??= await chromium.launch({
    executablePath: executable(windowed),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  return running[windowed];
}

export async function closeBrowser() {
  for (const key of Object.keys(running)) {
    await running[key].close();
    delete running[key];
  }
  looks.length = 0;
}

function executable(windowed) {
  const light = windowed ? undefined : 'chromium-headless-shell';
  for (const name of [process.env.CHROMIUM, light, 'chromium', 'chromium-browser', 'google-chrome']) {
    if (!name) continue;
    try {
      return execFileSync('sh', ['-c', `command -v "${name}"`], { encoding: 'utf8' }).trim();
    } catch {
      // The next name.
    }
  }
  throw new Error('no Chromium found: install the package chromium, or set CHROMIUM');
}

export const views = {
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  light: { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
};

/**
 * A page that remembers what went wrong in it: `faults` holds script errors and
 * breaches of the content security policy.
 */
export async function open(server, { view = 'dark', state, locale = 'en-GB', windowed = false } = {}) {
  const context = await (await browser(windowed)).newContext({
    ...views[view],
    baseURL: server.base,
    locale,
    timezoneId: 'Europe/Berlin',
    storageState: state,
  });
  context.setDefaultTimeout(60_000); // bounds a hang; a slow machine takes what it takes
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(e.stack ?? String(e)));
  page.on('console', (m) => {
    if (/content security policy/i.test(m.text())) faults.push(m.text());
  });
  page.faults = faults;
  page.done = async () => {
    assert.deepEqual(faults, [], 'script errors or policy breaches');
    await context.close();
  };
  return page;
}

/** Opens the one-time link and returns the signed-in state of the browser. */
export async function signIn(server) {
  const page = await open(server);
  await page.goto(server.link);
  await page.getByRole('link', { name: 'Overview' }).first().waitFor();
  const state = await page.context().storageState();
  await page.done();
  return state;
}

/** The same, with a password, which doors and settings ask for. */
export async function signInWith(server, password) {
  const page = await open(server);
  await page.goto(server.link);
  await page.getByRole('link', { name: 'Overview' }).first().waitFor();
  const set = await page.evaluate(
    async (password) =>
      (
        await fetch('/api/v1/me/password', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ password }),
        })
      ).status,
    password,
  );
  assert.ok(set < 300, `the password was not set: ${set}`);
  const state = await page.context().storageState();
  await page.done();
  return state;
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// What a scheme of colours decides; all else is the same page.
const ofColour = ['color-contrast', 'link-in-text-block'];

/** What fades in or out has no contrast of its own yet. */
const settled = (page) =>
  page.evaluate(async () => {
    const frame = () => new Promise((r) => requestAnimationFrame(r));
    await frame();
    await frame();
    const ending = document
      .getAnimations()
      .filter((a) => a.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY);
    await Promise.race([Promise.allSettled(ending.map((a) => a.finished)), new Promise((r) => setTimeout(r, 2000))]);
  });

async function violations(page, what, only) {
  const seen = async () => {
    await settled(page);
    // No page has frames, so one run sees all of it; and what passes is not
    // described, which costs more than the checks.
    const builder = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'], runOnly: only });
    return (await builder.analyze()).violations.flatMap((v) =>
      v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.any[0]?.message ?? n.failureSummary}`),
    );
  };
  let told = await seen();
  // A message that began to fade in meanwhile is looked at again; a fault stays.
  if (told.length > 0) told = await seen();
  assert.deepEqual(told, [], `accessibility of ${what}`);
}

export async function axe(page, what) {
  assert.equal(page.frames().length, 1, `${what} has frames, which are not looked into`);
  await violations(page, what, { type: 'tag', values: tags });
}

export async function shot(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`) });
}

// The pages of inEveryView: what one has loaded and compiled serves the next.
const looks = [];

async function look(server, state, view) {
  let found = looks.find((l) => l.server === server && l.state === state && l.view === view);
  if (!found) {
    found = { server, state, view, scheme: views[view].colorScheme, page: await open(server, { view, state }) };
    looks.push(found);
  }
  return found;
}

/**
 * Shows a page on a large screen in both schemes and on a phone, checks it and
 * keeps pictures of it. On the large screen it is loaded in the scheme that the
 * one before was left in, and then changed to the other, as a desk at dusk.
 */
export async function inEveryView(server, state, path, name, ready) {
  for (const device of ['dark', 'phone']) {
    const at = await look(server, state, device);
    const { page } = at;
    try {
      await page.goto(path);
      await ready(page);
      const check = async (view, colourOnly) => {
        if (colourOnly) await violations(page, `${name} ${view}`, { type: 'rule', values: ofColour });
        else await axe(page, `${name} ${view}`);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(wide, 0, `${name} ${view} scrolls sideways`);
        await shot(page, `${name}-${view}`);
      };
      if (device === 'phone') {
        await check('phone');
      } else {
        await check(at.scheme);
        at.scheme = at.scheme === 'dark' ? 'light' : 'dark';
        await page.emulateMedia({ colorScheme: at.scheme });
        await ready(page);
        await check(at.scheme, true);
      }
      assert.deepEqual(page.faults.splice(0), [], `script errors or policy breaches of ${name}`);
    } catch (error) {
      // The next one starts anew, whatever this one left behind.
      looks.splice(looks.indexOf(at), 1);
      await page.context().close();
      throw error;
    }
  }
}
