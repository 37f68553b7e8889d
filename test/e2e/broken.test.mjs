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
    const asked = new Set();
    let last = Date.now();
    const hear = (r) => {
      const { pathname } = new URL(r.url());
      if (r.method() !== 'GET' || !pathname.startsWith('/api/v1/') || vital.test(pathname)) return;
      asked.add(pathname);
      last = Date.now();
    };
    page.on('request', hear);
    await page.goto(path);
    await page.locator('main h1, main [role=alert]').first().waitFor({ state: 'attached' });
    await until('the page is quiet', () => Date.now() - last > 300);
    page.off('request', hear);
    return asked;
  }

  async function alive(page, what) {
    const seen = await page.evaluate(() => ({
      nav: document.querySelectorAll('nav a').length,
      heading: document.querySelector('main h1, main [role=alert]')?.textContent?.trim() ?? '',
      text: document.querySelector('main')?.innerText.trim().length ?? 0,
    }));
    assert.ok(seen.nav > 1 && seen.heading !== '' && seen.text > 20, `${what}: ${JSON.stringify(seen)}`);
  }

  /**
   * Lets the page's own fetch give an answer to some questions, at the loads that
   * follow. A route would do it too, but takes the cache of scripts from the page.
   */
  const answers = (page, paths, answer) =>
    page.evaluate((x) => sessionStorage.setItem('answers', JSON.stringify(x)), { paths, given: 0, ...answer });
  const intercept = () => {
    const real = window.fetch;
    window.fetch = (input, init) => {
      const x = JSON.parse(sessionStorage.getItem('answers') ?? '{"paths":[]}');
      const method = init?.method ?? input.method ?? 'GET';
      const { pathname } = new URL(input.url ?? input, location.href);
      if (method !== 'GET' || !x.paths.includes(pathname)) return real(input, init);
      x.given++;
      sessionStorage.setItem('answers', JSON.stringify(x));
      return Promise.resolve(new Response(x.body, { status: x.status, headers: { 'Content-Type': x.type } }));
    };
  };
  const nonsense = { status: 200, type: 'application/json', body: '{}' };
  const error = { status: 500, type: 'application/problem+json', body: '{"title":"it broke","status":500}' };

  for (const path of pages) {
    it(`${path} stays when an answer is an error or nonsense`, async () => {
      const page = await open(server, { state });
      await page.addInitScript(intercept);
      const asked = await settle(page, path);
      await alive(page, path);
      assert.deepEqual(page.faults, []);
      const cases = [...asked].map((q) => [[q], nonsense]);
      cases.push([[...asked], error]); // all at once
      for (const [questions, answer] of cases) {
        const what = `${path} with ${answer.status} for ${questions.join(', ')}`;
        await answers(page, questions, answer);
        await settle(page, path);
        await alive(page, what);
      }
      const given = await page.evaluate(() => JSON.parse(sessionStorage.getItem('answers')).given);
      assert.ok(given > 0, `${path}: no question was answered in place of the server`);
      await page.context().close();
    });
  }
});
