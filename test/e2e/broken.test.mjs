import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, open, Server, signIn, until } from './harness.mjs';

// Every page of the product, with a station and site of the simulated network.
const pages = [
  '/',
  '/incidents',
  '/map',
  '/sites',
  '/sites/ham-hafen',
  '/stations',
  '/stations/DE-HAM-0001',
  '/sessions',
  '/events',
  '/desk?evse=DE-HAM-0001/1',
  '/health',
  '/settings',
];

// What is asked for before any page can be shown; without it there is no page.
const vital = /\/api\/v1\/(me|live)\b/;

describe('a page of which one part is broken', () => {
  let server;
  let state;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  /** Loads a page and waits until it asks for nothing more. */
  async function settle(page, path) {
    const asked = new Map();
    let last = Date.now();
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (r.method() !== 'GET' || !url.pathname.startsWith('/api/v1/') || vital.test(url.pathname)) return;
      // Answers differ by time; which question it is says the path and what it measures.
      asked.set(`${url.pathname} ${url.searchParams.get('measurand') ?? ''}`, url.pathname);
      last = Date.now();
    });
    await page.goto(path);
    await page.locator('main h1, main [role=alert]').first().waitFor({ state: 'attached' });
    await until('the page is quiet', () => Date.now() - last > 300);
    return new Set(asked.values());
  }

  async function alive(page, what) {
    const seen = await page.evaluate(() => ({
      nav: document.querySelectorAll('nav a').length,
      heading: document.querySelector('main h1, main [role=alert]')?.textContent?.trim() ?? '',
      text: document.querySelector('main')?.innerText.trim().length ?? 0,
    }));
    assert.ok(seen.nav > 1 && seen.heading !== '' && seen.text > 20, `${what}: ${JSON.stringify(seen)}`);
  }

  for (const path of pages) {
    it(`${path} stays when an answer is an error or nonsense`, async () => {
      const first = await open(server, { state });
      const asked = await settle(first, path);
      await alive(first, path);
      await first.done();
      const nonsense = { status: 200, contentType: 'application/json', body: '{}' };
      const error = { status: 500, contentType: 'application/problem+json', body: '{"title":"it broke","status":500}' };
      const cases = [...asked].map((q) => [q, nonsense]);
      cases.push([null, error]); // all at once
      for (const [question, answer] of cases) {
        const page = await open(server, { state });
        await page.route(
          (url) => (question === null ? asked.has(url.pathname) : url.pathname === question),
          (route) => (route.request().method() === 'GET' ? route.fulfill(answer) : route.continue()),
        );
        await settle(page, path);
        await alive(page, `${path} with ${answer.status} for ${question ?? 'everything'}`);
        await page.context().close();
      }
    });
  }
});
