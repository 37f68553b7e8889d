import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('a network at work', () => {
  let server;
  let state;
  let token;
  let stations;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('viewer');
    stations = await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50 && body.items;
    });
    await until('somebody charges', async () => {
      const { body } = await server.api(token, 'GET', '/summary');
      return body.ports.byStatus.Charging > 0 && body.powerW > 0;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const wall = (p) => p.getByRole('application', { name: /Status wall/ });

  describe('overview', () => {
    it('looks right in every view', () => inEveryView(server, state, '/', 'overview', (p) => wall(p).waitFor()));

    it('says that the network is simulated', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await page.getByText('Simulated network').waitFor();
      await page.done();
    });

    it('shows the counts that the API gives', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await wall(page).waitFor();
      const counts = page.getByRole('region', { name: 'Ports by state' });
      await until('the counts add up to all ports', async () => {
        const { body } = await server.api(token, 'GET', '/summary');
        const shown = await counts.locator('li').evaluateAll((all) =>
          all.map((li) => Number(li.innerText.replaceAll(/\D/g, ''))),
        );
        assert.equal(shown.length, 9);
        return shown.reduce((a, b) => a + b, 0) === body.ports.total;
      });
      await page.done();
    });

    it('lets a count lead to the list it counts', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await page.getByRole('region', { name: 'Ports by state' }).getByRole('link', { name: /Charging$/ }).click();
      await page.waitForURL(/state=charging/);
      await page.getByRole('table', { name: 'Stations' }).getByRole('row').nth(1).waitFor();
      await page.done();
    });

    it('walks the wall by arrow keys, says where it is, and opens the station', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await wall(page).focus();
      const spoken = page.locator('[aria-live=polite]').filter({ hasText: /port \d+:/ });
      await spoken.waitFor();
      const first = await spoken.innerText();
      await page.keyboard.press('ArrowRight');
      await until('another port is named', async () => (await spoken.innerText()) !== first);
      await shot(page, 'overview-wall-focus');
      const station = (await spoken.innerText()).split(', port')[0];
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(`/stations/${station}`));
      await page.getByRole('heading', { name: new RegExp(station) }).waitFor();
      await page.done();
    });

    it('has a table that says the same as the wall', async () => {
      const page = await open(server, { state });
      await page.goto('/?view=list');
      const table = page.getByRole('table', { name: 'Stations' });
      await table.getByRole('row').nth(1).waitFor();
      assert.ok(Number(await table.getAttribute('aria-rowcount')) > 50);
      await axe(page, 'the list on the overview');
      await page.done();
    });

    it('moves by itself', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      const power = page.locator('section', { has: page.getByRole('heading', { name: 'Power now' }) }).locator('p').first();
      const before = await power.innerText();
      await until('the power changed', async () => (await power.innerText()) !== before);
      await page.done();
    });

    it('names the part that failed and keeps the rest alive', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/stations?*', (r) =>
        r.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
        }),
      );
      await page.goto('/stations');
      await page.getByText('Could not load: models and firmware of the stations').waitFor();
      await page.getByText('the disk is full').waitFor();
      await page.getByRole('table', { name: 'Stations' }).getByRole('row').nth(3).waitFor();
      await axe(page, 'a part that failed');
      await shot(page, 'stations-error');
      await page.done();
    });
  });

  describe('everywhere', () => {
    it('finds a station by Ctrl+K and the keyboard', async () => {
      const page = await open(server, { state });
      await page.goto('/settings');
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      await page.keyboard.press('Control+k');
      const field = page.getByRole('dialog').getByRole('textbox');
      await field.waitFor();
      const id = stations.at(-1).id;
      await page.keyboard.type(id);
      await page.getByRole('button', { name: new RegExp(id) }).waitFor();
      await axe(page, 'search');
      await shot(page, 'search');
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(`/stations/${id}`));
      await page.done();
    });

    it('shows its keys on ? and goes places by g', async () => {
      const page = await open(server, { state, view: 'light' });
      await page.goto('/');
      await wall(page).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await axe(page, 'help');
      await shot(page, 'help');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('g');
      await page.keyboard.press('s');
      await page.waitForURL(/\/stations/);
      await page.done();
    });

    it('speaks German when asked, and remembers', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await page.getByRole('button', { name: /^Language/ }).click();
      await page.getByRole('menuitem', { name: 'Deutsch' }).click();
      await page.getByText('Freie Ladepunkte').waitFor();
      await page.reload();
      await page.getByText('Freie Ladepunkte').waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
      await axe(page, 'the overview in German');
      await shot(page, 'overview-german');
      await page.done();
    });

    it('changes the theme by hand', async () => {
      const page = await open(server, { state });
      await page.goto('/');
      await page.getByRole('button', { name: 'Theme' }).click();
      await page.getByRole('menuitem', { name: 'Light' }).click();
      await until('the page is light', () =>
        page.evaluate(() => getComputedStyle(document.body).backgroundColor === 'rgb(247, 248, 250)'),
      );
      await page.done();
    });

    it('names a page that is not there', async () => {
      const page = await open(server, { state });
      await page.goto('/nowhere');
      await page.getByText('There is no such page').waitFor();
      await axe(page, 'no such page');
      await page.done();
    });
  });

  describe('list of stations', () => {
    const rows = (p) => p.getByRole('table', { name: 'Stations' }).locator('[data-row]');

    it('looks right in every view', () =>
      inEveryView(server, state, '/stations', 'stations', (p) => rows(p).first().waitFor()));

    it('keeps the filter in the address and on the way back', async () => {
      const page = await open(server, { state });
      await page.goto('/stations');
      await rows(page).first().waitFor();
      const id = stations[3].id;
      await page.keyboard.press('/');
      await page.keyboard.type(id);
      await until('one row is left', async () => (await rows(page).count()) === 1);
      await page.waitForURL(new RegExp(`q=${id}`));
      await rows(page).first().getByRole('link').click();
      await page.getByRole('heading', { name: new RegExp(id) }).waitFor();
      await page.goBack();
      await until('one row is left again', async () => (await rows(page).count()) === 1);
      await page.done();
    });

    it('says when nothing matches, and offers all again', async () => {
      const page = await open(server, { state });
      await page.goto('/stations?q=no-such-station');
      await page.getByText('No station matches this filter').waitFor();
      await axe(page, 'an empty filter');
      await page.getByRole('link', { name: 'Show all stations' }).click();
      await rows(page).first().waitFor();
      await page.done();
    });

    it('is walked by j and k and opened by Enter', async () => {
      const page = await open(server, { state });
      await page.goto('/stations');
      await rows(page).nth(3).waitFor();
      await rows(page).first().getByRole('link').focus();
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      const focused = () => page.evaluate(() => document.activeElement?.closest('[data-row]')?.dataset.row);
      await until('the second row has the focus', async () => (await focused()) === '1');
      const id = await page.evaluate(() => document.activeElement.textContent);
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(`/stations/${id}`));
      await page.done();
    });
  });

  describe('settings', () => {
    it('looks right in every view', () =>
      inEveryView(server, state, '/settings?tab=sites', 'settings', (p) => p.getByRole('rowheader').first().waitFor()));
  });

  // The last one: it takes the server away.
  it('says how old its data is while the server is away, and comes back by itself', async () => {
    const page = await open(server, { state });
    await page.goto('/');
    await wall(page).waitFor();
    await server.stop();
    const banner = page.getByRole('alert').filter({ hasText: 'No connection to the server. Showing data from' });
    await banner.waitFor();
    await axe(page, 'the page while the server is away');
    await shot(page, 'overview-disconnected');
    await server.run();
    await banner.waitFor({ state: 'detached' });
    await wall(page).waitFor();
    await page.done();
  });
});
