// Overview, Map, Sites and Site: each with its figures, without any, and with
// answers that fail; by keyboard; in every view.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

let server;
let state;
let token;

const fault = (page, path, status = 500) =>
  page.route(path, (route) =>
    route.fulfill({
      status,
      contentType: 'application/problem+json',
      body: JSON.stringify({ title: 'It broke', status, detail: 'the test broke it' }),
    }),
  );

/** A drawing of a car park, made by the browser that will upload it. */
const drawing = (page) =>
  page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 900;
    canvas.height = 520;
    const ctx = canvas.getContext('2d');
    ctx.fillStyle = '#dfe6ec';
    ctx.fillRect(0, 0, 900, 520);
    ctx.fillStyle = '#b9c4cf';
    ctx.fillRect(0, 210, 900, 110);
    ctx.strokeStyle = '#ffffff';
    ctx.lineWidth = 4;
    for (let x = 60; x < 880; x += 90) {
      ctx.strokeRect(x, 60, 80, 140);
      ctx.strokeRect(x, 330, 80, 140);
    }
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    return [...new Uint8Array(await blob.arrayBuffer())];
  });

describe('places', () => {
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token();
  });
  after(async () => {
    await closeBrowser();
    await server?.remove();
  });

  describe('overview', () => {
    it('says what cannot charge, where, and what is left', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      const panel = page.locator('section', { has: page.getByRole('heading', { name: /Cannot charge now/ }) });
      const first = panel.getByRole('listitem').first();
      await first.waitFor();
      assert.match(await first.innerText(), /(cannot|out of service|not said|waits)/i);
      const all = panel.getByRole('button', { name: /Show all/ });
      if (await all.count()) {
        await all.click();
        await page.waitForURL(/out=all/);
        await panel.getByRole('button', { name: 'Show fewer' }).waitFor();
      }
      await axe(page, 'all outages');
      await first.getByRole('link').focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/(stations|sites)\//);
      await page.done();
    });

    it('shows power as a curve and as a table', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await page.getByRole('img', { name: /Power over the last 24 hours/ }).waitFor();
      await page.getByRole('switch', { name: 'As table' }).press('Space');
      const rows = page.getByRole('region', { name: 'Power now' }).getByRole('row');
      await rows.nth(1).waitFor();
      await page.done();
    });

    it('counts what the sites count', async () => {
      const page = await open(server, { state });
      await page.goto('/?site=ham-hafen');
      const total = page.locator('section[aria-label="The network now"]').getByText(/^of 28$/).first();
      await total.waitFor();
      await until('the wall shows the site and no other', async () =>
        (await page.getByRole('application').getAttribute('aria-label'))?.includes('28'),
      );
      await page.done();
    });

    it('keeps the rest alive when one part fails', async () => {
      for (const [path, words] of [
        ['**/api/v1/attention*', /what cannot charge/],
        ['**/api/v1/power*', /the power of the last 24 hours/],
      ]) {
        const page = await open(server, { state });
        await fault(page, path);
        await page.goto('/');
        await page.getByRole('alert').filter({ hasText: words }).waitFor();
        await page.getByText('Free ports').first().waitFor();
        await axe(page, `the overview without ${path}`);
        await page.done();
      }
    });
  });

  describe('map', () => {
    const rings = (page) => page.locator('[data-single]');

    it('looks right in every view', () =>
      inEveryView(server, state, '/map', 'map', async (p) => {
        await rings(p).first().waitFor();
        await p.getByRole('complementary').getByRole('listitem').first().waitFor();
      }));

    it('joins sites to rings, parts them nearer, and keeps the view in the address', async () => {
      const page = await open(server, { state });
      await page.goto('/map');
      await rings(page).first().waitFor();
      await page.waitForURL(/at=/);
      const before = page.url();
      const joined = page.locator('[data-single="false"]').first();
      await joined.click();
      await until('the address follows', () => page.url() !== before);
      const at = new URL(page.url()).searchParams.get('at');
      await page.goto(`/map?at=${at}`);
      await rings(page).first().waitFor();
      assert.equal(new URL(page.url()).searchParams.get('at'), at);
      await page.done();
    });

    it('lists what is in view, by keyboard too', async () => {
      const page = await open(server, { state });
      await page.goto('/map?at=53.55,10,9');
      const list = page.getByRole('complementary').getByRole('listitem');
      await until('only the sites of one town are listed', async () => (await list.count()) === 2);
      await list.filter({ hasText: 'HafenCity' }).getByRole('link').focus();
      await page.locator('[data-lit="true"][data-single]').waitFor();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/sites\/ham-hafen/);
      await page.done();
    });

    it('filters by state', async () => {
      const page = await open(server, { state });
      await page.goto('/map');
      const list = page.getByRole('complementary').getByRole('listitem');
      await list.first().waitFor();
      await page.getByRole('button', { name: /Port faulted/ }).click();
      await page.waitForURL(/state=faulted/);
      await until('each listed site has a fault', async () => {
        const texts = await list.allInnerTexts();
        return texts.length > 0 && texts.every((t) => t.includes('faulted'));
      });
      await page.done();
    });

    it('draws without WebGL', async () => {
      const page = await open(server, { state });
      await page.addInitScript(() => {
        const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return /webgl/.test(kind) ? null : get.call(this, kind, ...rest);
        };
      });
      await page.goto('/map');
      await page.getByText('This browser has no WebGL').waitFor();
      await rings(page).first().waitFor();
      await page.waitForURL(/at=/);
      const ground = page.getByRole('application', { name: /^Map\./ });
      const before = page.url();
      await ground.focus();
      await page.keyboard.press('+');
      await page.keyboard.press('ArrowLeft');
      await until('keys move it', () => page.url() !== before);
      await axe(page, 'the map without WebGL');
      await shot(page, 'map-plain');
      await page.done();
    });

    it('says what failed, and names sites without a position', async () => {
      const page = await open(server, { state });
      await fault(page, '**/map/land.json');
      await page.goto('/map');
      await page.getByRole('alert').filter({ hasText: 'the built-in map' }).waitFor();
      await page.getByRole('complementary').getByRole('listitem').first().waitFor();
      await page.done();

      const made = await server.api(token, 'POST', '/sites', { id: 'nowhere', name: 'Nowhere <b>yet</b>' });
      assert.equal(made.status, 201);
      const again = await open(server, { state });
      await again.goto('/map');
      await again.getByRole('link', { name: '1 site without a position' }).waitFor();
      await again.done();
      assert.equal((await server.api(token, 'DELETE', '/sites/nowhere')).status, 204);
    });
  });

  describe('sites', () => {
    const rows = (page) => page.locator('[data-row]');

    it('looks right in every view', () =>
      inEveryView(server, state, '/sites', 'sites', (p) => rows(p).first().waitFor()));

    it('sorts, filters and opens by keyboard', async () => {
      const page = await open(server, { state });
      await page.goto('/sites');
      await rows(page).first().waitFor();
      await page.getByRole('button', { name: 'Offline', exact: true }).click();
      await page.waitForURL(/sort=offline/);
      assert.equal(await page.locator('[aria-sort="descending"]').innerText(), 'Offline');
      await page.keyboard.press('/');
      await page.keyboard.type('hafencity');
      await until('one site is left', async () => (await rows(page).count()) === 1);
      await page.keyboard.press('Escape');
      await rows(page).getByRole('link').focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/sites\/ham-hafen/);
      await page.done();
    });

    it('saves what it shows', async () => {
      const page = await open(server, { state });
      await page.goto('/sites');
      await rows(page).first().waitFor();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as CSV' }).click(),
      ]);
      assert.equal(file.suggestedFilename(), 'sites.csv');
      await page.done();
    });

    it('says when the list fails', async () => {
      const page = await open(server, { state });
      await fault(page, '**/api/v1/sites?*');
      await page.goto('/sites');
      await page.getByRole('alert').filter({ hasText: 'the list of sites' }).waitFor();
      await axe(page, 'sites without their list');
      await page.done();
    });
  });

  describe('site', () => {
    it('looks right in every view', () =>
      inEveryView(server, state, '/sites/ham-hafen', 'site', async (p) => {
        await p.getByRole('heading', { name: 'Hamburg HafenCity Parkhaus', level: 1 }).waitFor();
        await p.getByRole('img', { name: /Power of the site/ }).waitFor();
      }));

    it('takes a plan, and stations are placed on it by keyboard', async () => {
      const page = await open(server, { state });
      await page.goto('/sites/ham-hafen');
      await page.getByText('No plan yet').waitFor();
      await page.locator('input[type=file]').setInputFiles({
        name: 'car park.png',
        mimeType: 'image/png',
        buffer: Buffer.from(await drawing(page)),
      });
      await page.getByRole('img', { name: /Plan of Hamburg/ }).waitFor();
      await page.getByRole('button', { name: 'Place stations' }).click();
      await page.getByRole('button', { name: 'DE-HAM-0003' }).click();
      const pin = page.locator('[data-pin="DE-HAM-0003"]');
      await pin.focus();
      const left = () => pin.evaluate((el) => Number.parseFloat(el.style.left));
      const before = await left();
      await page.keyboard.press('Shift+ArrowLeft');
      assert.ok((await left()) < before - 4);
      await page.getByRole('button', { name: 'DE-HAM-0004' }).click();
      await axe(page, 'placing stations');
      await page.getByRole('button', { name: 'Save places' }).click();
      await page.getByText('Places saved').first().waitFor();
      const { body } = await server.api(token, 'GET', '/sites/ham-hafen/plan/pins');
      assert.equal(body.items.length, 2);
      await page.locator('[data-pin]').first().scrollIntoViewIfNeeded();
      await axe(page, 'a plan with pins');
      await shot(page, 'site-plan');
      await page.locator('[data-pin="DE-HAM-0003"]').click();
      await page.waitForURL(/\/stations\/DE-HAM-0003/);
      await page.done();
    });

    it('refuses what is no picture, in words', async () => {
      const page = await open(server, { state });
      await page.goto('/sites/ber-alex');
      await page.getByText('No plan yet').waitFor();
      await page.locator('input[type=file]').setInputFiles({
        name: 'plan.png',
        mimeType: 'image/png',
        buffer: Buffer.from('<svg onload="alert(1)"/>'),
      });
      await page.getByRole('alert').filter({ hasText: 'no picture the browser can read' }).waitFor();
      await page.done();
    });

    it('follows the chosen stretch of time and says what failed', async () => {
      const page = await open(server, { state });
      const asked = page.waitForRequest(/\/api\/v1\/power\?.*site=ham-hafen/);
      await page.goto('/sites/ham-hafen?range=7d');
      const url = new URL((await asked).url());
      const days = (Date.parse(url.searchParams.get('to')) - Date.parse(url.searchParams.get('from'))) / 86_400_000;
      assert.equal(days, 7);
      await page.done();

      const broken = await open(server, { state });
      await fault(broken, '**/api/v1/power*');
      await broken.goto('/sites/ham-hafen');
      await broken.getByRole('alert').filter({ hasText: 'the load of this site' }).waitFor();
      await broken.getByText('DE-HAM-0001').first().waitFor();
      await axe(broken, 'a site without its load');
      await broken.done();
    });

    it('says when there is no such site', async () => {
      const page = await open(server, { state });
      await page.goto('/sites/none');
      await page.getByText('There is no site none').waitFor();
      await axe(page, 'a site that is not there');
      await page.done();
    });
  });
});

describe('places without any', () => {
  it('say what to do next', async () => {
    const empty = await Server.start('serve');
    try {
      const first = await open(empty);
      await first.goto(empty.link);
      await first.getByLabel('New password').fill('three quiet words');
      await first.getByLabel('The same again').fill('three quiet words');
      await first.getByRole('button', { name: 'Save and continue' }).click();
      await first.waitForURL((url) => !url.pathname.startsWith('/signin'));
      const signed = await first.context().storageState();
      await first.done();
      for (const [path, words, name] of [
        ['/sites', 'No sites yet', 'sites-empty'],
        ['/map', 'No sites yet', 'map-empty'],
      ]) {
        const page = await open(empty, { state: signed });
        await page.goto(path);
        await page.getByText(words).first().waitFor();
        await axe(page, name);
        await shot(page, name);
        await page.done();
      }
    } finally {
      await closeBrowser();
      await empty.remove();
    }
  });
});
