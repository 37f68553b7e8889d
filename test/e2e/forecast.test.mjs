// Forecasts as an operator and a driver see them: the week to come with its
// band and its record, and busy times on the public page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, closeBrowser, open, Server, signIn, until } from './harness.mjs';

let server;
let state;
let site;

before(async () => {
  server = await Server.start('demo', ['--past', '36']);
  state = await signIn(server);
  const page = await open(server, { state });
  await page.goto('/sites');
  const get = (path) => page.evaluate(async (p) => (await fetch(`/api/v1${p}`)).json(), path);
  const sites = (await get('/sites')).items;
  site = sites.find((s) => s.public) ?? sites[0];
  // The past is counted in the background, the newest days first.
  await until(
    'the site has a forecast',
    async () => (await get(`/analytics/forecast?site=${site.id}`)).enough,
    300_000,
  );
  await page.done();
});

after(async () => {
  await closeBrowser();
  await server?.remove();
});

test('the week to come has a band, a record and a table', async () => {
  const page = await open(server, { state });
  await page.goto(`/analytics?site=${site.id}`);
  await page.getByRole('link', { name: 'Forecast', exact: true }).click();
  await page.getByRole('heading', { name: /^Busy ports, last and next seven days/ }).waitFor();
  const chart = page.getByRole('application', { name: new RegExp('^Busy ports') });
  await chart.focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText(/forecast \d/).first().waitFor();
  await page.getByText(/A day ahead the forecast was off by/).waitFor();
  await page.getByRole('button', { name: /Busy ports.*table/i }).click();
  const rows = page.getByRole('region', { name: /^Busy ports/ }).getByRole('row');
  assert.ok((await rows.count()) > 168, 'a row for each hour');
  await axe(page, 'the forecast');
  await page.getByText('Energy', { exact: true }).click();
  await page.getByRole('heading', { name: /^Energy by the hour/ }).waitFor();
  assert.match(page.url(), /target=energy/);
  await page.done();
});

test('it fits a phone and speaks German', async () => {
  const page = await open(server, { state, view: 'phone', locale: 'de-DE' });
  await page.goto(`/analytics/forecast?site=${site.id}`);
  await page.getByRole('heading', { name: /^Belegte Ladepunkte, letzte/ }).waitFor();
  await page.getByText(/Einen Tag voraus lag die Vorhersage/).waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} px too wide`);
  await page.done();
});

test('a site that nobody knows yet says what is missing', async () => {
  const page = await open(server, { state });
  await page.goto('/sites');
  const id = await page.evaluate(async () => {
    const answer = await fetch('/api/v1/sites', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Young site', timeZone: 'Europe/Berlin' }),
    });
    return (await answer.json()).id;
  });
  await page.goto(`/analytics/forecast?site=${id}`);
  await page.getByText('Not enough data: needs 4 more weeks').waitFor();
  await axe(page, 'a site without a forecast');
  await page.done();
});

test('drivers see busy times without a script', async () => {
  const page = await open(server, { view: 'phone' });
  await until('busy times are known', async () => {
    await page.goto(`/status/${site.id}`);
    return page.getByRole('heading', { name: 'Busy times' }).isVisible();
  });
  assert.equal(await page.locator('.bars rect').count(), 24);
  await page.getByRole('link', { name: 'Sun', exact: true }).click();
  assert.match(page.url(), /day=su/);
  await page.getByRole('link', { name: 'Sun', exact: true }).and(page.locator('[aria-current]')).waitFor();
  await axe(page, 'busy times');
  await page.done();
});
