import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

const PASSWORD = 'three quiet words';
const day = (back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);

describe('patterns of use', () => {
  let server;
  let state;
  let token;
  let sites;
  before(async () => {
    server = await Server.start('demo', ['--past', '30']);
    state = await signIn(server);
    token = server.token('admin');
    sites = (await server.api(token, 'GET', '/sites')).body.items;
    const q = new URLSearchParams({
      from: new Date(Date.now() - 28 * 86_400_000).toISOString(),
      to: new Date().toISOString(),
      zone: 'Europe/Berlin',
    });
    await until('four weeks are counted', async () => {
      const { body } = await server.api(token, 'GET', `/analytics/kpis?${q}`);
      return body.enough && body.all.sessions > 100 && Date.parse(body.known.from) < Date.now() - 25 * 86_400_000;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const map = (page) => page.getByRole('grid', { name: 'When ports are occupied' });
  const course = (page) => page.getByRole('slider', { name: 'What ports did' });

  it('look right in every view', () =>
    inEveryView(server, state, '/analytics?period=4w', 'analytics', async (page) => {
      await map(page).waitFor();
      await course(page).waitFor();
      await page.getByText('Occupied, of operative time').waitFor();
      await page.getByText(/^Prime time is/).waitFor();
      await page.getByRole('region', { name: 'Sites compared' }).waitFor();
      await page.getByRole('region', { name: 'Availability' }).waitFor();
    }));

  it('are read by keyboard: cells of the map and bars of the course', async () => {
    const page = await open(server, { state });
    await page.goto('/');
    await page.getByRole('link', { name: 'Analytics' }).first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.waitForURL('**/analytics');
    const cell = map(page).getByRole('gridcell', { name: /^Monday, 08–09 h: / });
    await cell.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const tip = page.getByText('Tuesday, 09–10 h', { exact: true });
    await tip.waitFor();
    await shot(page, 'analytics-cell');
    await course(page).focus();
    await page.keyboard.press('End');
    const before = await course(page).getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowLeft');
    assert.notEqual(await course(page).getAttribute('aria-valuetext'), before);
    await axe(page, 'a chart being read');
    for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Enter');
    await page.waitForURL(/days=\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d/);
    const [first, last] = new URL(page.url()).searchParams.get('days').split('..');
    assert.equal((Date.parse(last) - Date.parse(first)) / 86_400_000, 3);
    await page.done();
  });

  it('are narrowed by a stroke over the course', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?period=4w');
    await course(page).waitFor();
    await course(page).scrollIntoViewIfNeeded();
    const box = await course(page).boundingBox();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 100, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/days=/);
    assert.ok(!page.url().includes('period='));
    await page.done();
  });

  it('keep whose, when, what and beside what in the address', async () => {
    const page = await open(server, { state });
    const [a, b] = sites;
    await page.goto('/analytics?period=4w');
    await map(page).waitFor();
    await page.getByRole('combobox', { name: 'Sites' }).or(page.getByLabel('Sites', { exact: true })).first().click();
    await page.getByRole('option', { name: a.name }).click();
    await page.waitForURL(new RegExp(`site=${a.id}`));
    await page.getByRole('option', { name: b.name }).click();
    await page.waitForURL(/sites=/);
    await page.keyboard.press('Escape');
    await page.getByText('2 sites', { exact: true }).first().waitFor();
    await page.getByText('13 weeks').click();
    await page.waitForURL(/period=13w/);
    await page.getByLabel('Measure').first().click();
    await page.getByRole('option', { name: 'Energy' }).click();
    await page.waitForURL(/measure=energy/);
    await page.getByRole('grid', { name: 'When energy flows' }).waitFor();
    await page.goto(`/analytics?site=${a.id}&days=${day(13)}..${day(7)}&with=before`);
    await page.getByText(/^Changes against /).waitFor();
    await until('there are two maps', async () => (await page.getByRole('grid').count()) === 2);
    await axe(page, 'two periods compared');
    await page.goto(`/analytics?site=${a.id}&period=4w&with=${b.id}`);
    await page.getByText(`Changes against ${b.name}`).waitFor();
    await page.getByRole('grid', { name: `When ports are occupied: ${b.name}` }).waitFor();
    await shot(page, 'analytics-compared');
    await page.done();
  });

  it('have a table and a file for each chart', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?period=4w');
    await map(page).waitFor();
    const tables = page.getByRole('button', { name: /as a table$/ });
    await until('every chart has a table', async () => (await tables.count()) >= 7);
    await page.getByRole('button', { name: 'When ports are occupied as a table' }).click();
    const twin = page.getByRole('region', { name: 'When ports are occupied' });
    assert.equal(await twin.getByRole('row').count(), 1 + 7 * 24);
    await axe(page, 'a chart as a table');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save When ports are occupied as CSV' }).click();
    const text = readFileSync(await (await download).path(), 'utf8');
    assert.match(text, /^\ufeffweekday,hour,occupied_share,weeks\r\n1,0,/);
    assert.equal(text.trim().split('\r\n').length, 1 + 7 * 24);
    await page.done();
  });

  it('put sites in the order of a column, and open one of them', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?period=4w');
    const table = page.getByRole('region', { name: 'Sites compared' });
    await table.getByRole('button', { name: 'Site', exact: true }).click();
    await page.waitForURL(/sort=name/);
    const names = await table.getByRole('rowheader').allInnerTexts();
    assert.deepEqual(names, [...names].sort((a, b) => a.localeCompare(b, 'en')));
    await table.getByRole('link', { name: names[0] }).click();
    await page.waitForURL(/[?&]site=/);
    await page.getByRole('region', { name: 'Availability' }).getByRole('link').first().waitFor();
    await page.done();
  });

  it('tell what the month\u2019s peak costs at a price', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?period=4w');
    await page.getByLabel('Price per kW').fill('10');
    await page.waitForURL(/rate=10/);
    await page.getByText(/demand charge [\d,.]+/).first().waitFor();
    await page.done();
  });

  it('go to paper alone, as a report', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?period=4w');
    await map(page).waitFor();
    await page.emulateMedia({ media: 'print' });
    await page.getByRole('heading', { name: 'Usage patterns' }).waitFor();
    assert.ok(await page.getByRole('button', { name: 'Save as report' }).isHidden());
    assert.ok(await page.getByRole('navigation', { name: 'Main' }).isHidden());
    await page.done();
  });

  it('leave the rest alive when one part fails', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/analytics/peaks?*', (r) => r.fulfill({ status: 500, json: { title: 'Out of order', status: 500 } }));
    await page.goto('/analytics?period=4w');
    await page.getByText('Could not load: Peak hours').waitFor({ timeout: 60_000 });
    await map(page).waitFor();
    await axe(page, 'patterns with a part that failed');
    await page.done();
  });

  it('say of which days there is something, and show them', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics?days=2019-01-01..2019-01-31');
    await page.getByText('Nothing is known of these days').waitFor();
    await axe(page, 'days of which nothing is known');
    await page.getByRole('button', { name: 'Show the last weeks of it' }).click();
    await map(page).waitFor();
    await page.done();
  });

  it('are in short on the page of a site', async () => {
    const page = await open(server, { state });
    await page.goto(`/sites/${sites[0].id}`);
    const busy = page.getByRole('heading', { name: 'Busy times' });
    await busy.waitFor();
    await page.getByRole('link', { name: 'All patterns' }).click();
    await page.waitForURL(new RegExp(`/analytics\\?site=${sites[0].id}`));
    await map(page).waitFor();
    await page.done();
  });
});

describe('patterns of a server that has seen nothing', () => {
  let server;
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('say what they need', async () => {
    server = await Server.start('serve');
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('The same again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Analytics' }).first().click();
    await page.getByText('No sessions yet').waitFor();
    await axe(page, 'patterns of nothing');
    await shot(page, 'analytics-empty');
    await page.done();
  });
});
