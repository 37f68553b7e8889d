// What drivers see: no sign-in, no cookie, no script needed, on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, browser, closeBrowser, inEveryView, open, Server, shot, until, views } from './harness.mjs';

let server;
let token;
before(async () => {
  server = await Server.start('demo');
  token = server.token();
  await until('most stations are online', async () => {
    const { body } = await server.api(token, 'GET', '/summary');
    return body.stations.online > 100 && body.ports.free > 50;
  });
  const notice = { text: 'Lift out of order.\nPlease use the ramp <on the left>.', until: '2099-05-01T10:00:00Z' };
  const { status } = await server.api(token, 'PATCH', '/sites/ham-hafen', { notices: [notice] });
  assert.equal(status, 200);
});
after(async () => {
  await closeBrowser();
  await server?.remove();
});

const heading = (name) => (page) => page.getByRole('heading', { level: 1, name }).waitFor();

test('the list of sites, in every view', async () => {
  await inEveryView(server, undefined, '/status', 'public-sites', heading('Charging sites'));
});

test('a site with its ports, in every view', async () => {
  await inEveryView(server, undefined, '/status/ham-hafen', 'public-site', heading('Hamburg HafenCity Parkhaus'));
});

test('the form for a problem, in every view', async () => {
  await inEveryView(server, undefined, '/status/p/DE*CWD*E00401*1/report', 'public-report', heading('Report a problem'));
});

test('what is not there, in every view', async () => {
  await inEveryView(server, undefined, '/status/nowhere', 'public-nothing', heading('Nothing here'));
});

test('a search in vain, in every view', async () => {
  await inEveryView(server, undefined, '/status?q=atlantis', 'public-empty', (page) => page.getByText('No site matches').waitFor());
});

test('what can be pressed is large enough for a thumb', async () => {
  for (const path of ['/status', '/status/ham-hafen', '/status/p/DE*CWD*E00401*1/report']) {
    const page = await open(server, { view: 'phone' });
    await page.goto(path);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('a, button, select, input:not([type=hidden]), textarea')]
        .filter((e) => !e.matches('.skip') && !e.closest('.leave'))
        .map((e) => (e.type === 'radio' ? e.closest('label') : e))
        .filter((e) => e.getBoundingClientRect().height < 44)
        .map((e) => e.outerHTML),
    );
    assert.deepEqual(small, [], path);
    await page.done();
  }
});

test('a German phone reads German and can switch', async () => {
  const page = await open(server, { view: 'phone', locale: 'de-DE' });
  await page.goto('/status/ham-hafen');
  await page.getByText('Alle Standorte').waitFor();
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  await axe(page, 'German site');
  await shot(page, 'public-site-german');
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByText('All sites').waitFor();
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await page.getByRole('link', { name: 'All sites' }).click();
  await heading('Charging sites')(page); // the choice goes along
  assert.deepEqual(await page.context().cookies(), []);
  await page.done();
});

/** A page without JavaScript. */
async function plain() {
  const context = await (await browser()).newContext({
    ...views.phone,
    baseURL: server.base,
    locale: 'en-GB',
    javaScriptEnabled: false,
  });
  context.setDefaultTimeout(20_000);
  return context.newPage();
}

test('everything works without JavaScript, the report too', async () => {
  const page = await plain();
  await page.goto('/status');
  await page.getByLabel('Plug').selectOption({ label: 'CCS' });
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL(/plug=cCCS2/);
  await page.getByLabel('Search').fill('stillhorn');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('link', { name: 'A1 Rastplatz Stillhorn Ost' }).click();
  await heading('A1 Rastplatz Stillhorn Ost')(page);
  assert.match(await page.locator('.sum').innerText(), /\d+ of \d+ free/);
  await page.getByRole('link', { name: /Report a problem/ }).first().click();
  await page.getByLabel('The cable or plug is damaged').check();
  await page.getByLabel('Anything to add?').fill('Cable <b>cut</b>, call +49 171 2345678');
  await page.getByRole('button', { name: 'Send report' }).click();
  await page.getByText('Your report has reached the operator.').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await page.context().close();

  const { body } = await server.api(token, 'GET', '/events?kind=driver.report');
  assert.equal(body.items.length, 1);
  assert.match(body.items[0].subject, /^station\/DE-STI-\d+\/\d$/);
  assert.equal(body.items[0].data.category, 'cable');
  assert.equal(body.items[0].data.text, 'Cable <b>cut</b>, call […]');
});

test('a report is told to operators at once', async () => {
  const abort = new AbortController();
  const feed = await fetch(`${server.base}/api/v1/live/events?topics=events`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: abort.signal,
  });
  const heard = (async () => {
    let text = '';
    for await (const chunk of feed.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('driver.report')) return text;
      text = text.slice(-100_000);
    }
    throw new Error('the feed ended');
  })();
  const sent = await fetch(`${server.base}/status/p/DE*CWD*E00405*1/report`, {
    method: 'POST',
    body: new URLSearchParams({ category: 'screen', text: 'All dark' }),
    redirect: 'manual',
  });
  assert.equal(sent.status, 303);
  assert.match(await heard, /All dark/);
  abort.abort();
});

test('a sticker leads to its port, by its number too', async () => {
  const page = await open(server, { view: 'phone' });
  await page.goto('/status');
  await page.getByLabel('Search').fill('de cwd e00405 1');
  await page.getByLabel('Search').press('Enter');
  await page.waitForURL(/ham-hafen#p-DECWDE004051$/);
  await page.locator('#p-DECWDE004051').waitFor();
  await shot(page, 'public-port-phone');
  await page.done();
});

test('stickers to print', async () => {
  const context = await (await browser()).newContext({
    viewport: { width: 900, height: 1200 },
    baseURL: server.base,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  });
  const page = await context.newPage();
  await page.goto('/api/v1/sites/ham-hafen/stickers');
  await page.getByText('DE*CWD*E00401*1', { exact: true }).waitFor();
  assert.equal(await page.locator('svg').count(), 28);
  await axe(page, 'stickers');
  await shot(page, 'public-stickers');
  await context.close();
});

test('the page keeps itself fresh and says when it cannot', async () => {
  const page = await open(server);
  await page.clock.install();
  await page.goto('/status/ham-hafen');
  const before = await page.locator('.asof').innerText();
  await until('another second', async () => {
    await page.clock.runFor(21_000);
    return (await page.locator('.asof').innerText()) !== before;
  });
  assert.equal(await page.locator('#stale').isVisible(), false);
  await page.context().setOffline(true);
  await until('it says so', async () => {
    await page.clock.runFor(21_000);
    return page.locator('#stale').isVisible();
  });
  await axe(page, 'a page without connection');
  await page.context().setOffline(false);
  await until('it is fresh again', async () => {
    await page.clock.runFor(21_000);
    return !(await page.locator('#stale').isVisible());
  });
  await page.done();
});

test('a station that goes away is unknown, not free', async () => {
  const station = await until('a port is free', async () => {
    const { body } = await server.api(token, 'GET', '/stations?site=ham-hafen&online=true&limit=100');
    return body.items.find((s) => s.evses[0].free);
  });
  const { status } = await server.api(token, 'PATCH', `/stations/${station.id}`, { auth: { profile: 1, generate: true } });
  assert.equal(status, 200); // it cannot come back with its old password
  const page = await open(server, { view: 'phone' });
  const id = station.evses[0].publicId.replaceAll('*', '');
  await until('it is shown so', async () => {
    await page.goto('/status/ham-hafen');
    return (await page.locator(`#p-${id}`).innerText()).includes('Unknown');
  });
  assert.match(await page.locator(`#p-${id}`).innerText(), /Unknown, last seen free/);
  await page.locator(`#p-${id}`).scrollIntoViewIfNeeded();
  await axe(page, 'a site with an unknown port');
  await shot(page, 'public-unknown-phone');
  await page.done();
});
