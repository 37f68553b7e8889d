import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, open, Server, shot, signIn, until } from './harness.mjs';

describe('the shell', () => {
  let server;
  let state;
  let token;
  let station;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('viewer');
    station = await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50 && body.items[3];
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const ready = (page) => page.getByRole('application', { name: /Status wall/ }).waitFor();
  const params = (page) => new URL(page.url()).searchParams;
  const clock = (page) => page.getByRole('button', { name: /time range and zone$/ });

  describe('time range and zone', () => {
    it('is chosen, stands in the address, stays from page to page, and Back undoes it', async () => {
      const page = await open(server, { state });
      await page.goto('/sessions');
      await clock(page).click();
      const dialog = page.getByRole('dialog', { name: 'Time range' });
      await dialog.waitFor();
      await axe(page, 'the time range');
      await shot(page, 'range-dark');
      await dialog.getByRole('button', { name: '7 d' }).click();
      await page.waitForURL(/range=7d/);
      await page.getByRole('link', { name: 'Stations', exact: true }).first().click();
      await page.waitForURL((u) => u.pathname === '/stations' && u.searchParams.get('range') === '7d');
      await page.goBack();
      await page.goBack();
      await until('the range is the usual one', async () => params(page).get('range') === null);
      await page.done();
    });

    it('takes two typed times on the clock of the chosen zone', async () => {
      const page = await open(server, { state });
      await page.goto('/sessions?zone=utc');
      await clock(page).click();
      await page.getByLabel('From').fill('2026-10-01T06:00');
      await page.getByLabel('Until').fill('2026-10-01T05:00');
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.getByText('Must be after').waitFor();
      await page.getByLabel('Until').fill('2026-10-02T06:30');
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await until('the address has both', async () =>
        params(page).get('range') === '2026-10-01T06:00:00.000Z..2026-10-02T06:30:00.000Z');
      await page.getByRole('button', { name: /1 Oct, 06:00 – 2 Oct, 06:30 UTC/ }).waitFor();
      await page.done();
    });

    it('names the zone in force, and tells times by the one that was chosen', async () => {
      const page = await open(server, { state });
      await page.goto(`/stations/${station.id}`);
      await page.getByRole('heading', { name: new RegExp(station.id) }).waitFor();
      await clock(page).click();
      await page.getByRole('dialog').getByText(/Times in Europe\/Berlin/).waitFor();
      await page.getByText('UTC', { exact: true }).click();
      await page.waitForURL(/zone=utc/);
      await page.getByRole('dialog').getByText('Times in UTC (UTC)').waitFor();
      await page.keyboard.press('Escape');
      assert.equal(await page.getByRole('main').getByText(/Times in Europe/).count(), 0);
      await page.done();
    });

    it('copies a link that shows the same stretch later, and says so', async () => {
      const page = await open(server, { state });
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.base });
      await page.goto('/sessions?range=6h');
      await clock(page).click();
      await page.getByRole('button', { name: 'Copy link' }).click();
      await page.getByRole('status').getByText(/It always shows/).waitFor();
      const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
      const [from, to] = link.searchParams.get('range').split('..').map(Date.parse);
      assert.equal(to - from, 6 * 3_600_000);
      assert.equal(params(page).get('range'), '6h', 'the page itself goes on');
      await axe(page, 'a note');
      await shot(page, 'toast-dark');
      await page.done();
    });

    it('is not offered where only now is shown, but the zone is', async () => {
      const page = await open(server, { state });
      await page.goto('/stations');
      await page.getByRole('button', { name: /zone of times$/ }).waitFor();
      assert.equal(await clock(page).count(), 0);
      await page.done();
    });
  });

  describe('search', () => {
    it('finds stations, pages, sites and actions by keyboard', async () => {
      const page = await open(server, { state });
      await page.goto('/sessions');
      await clock(page).waitFor();
      await page.keyboard.press('Control+k');
      const field = page.getByPlaceholder(/Station, site/);
      await field.fill('last 30');
      await page.getByRole('button', { name: /Last 30 days/ }).waitFor();
      await shot(page, 'search-actions');
      await page.keyboard.press('Enter');
      await page.waitForURL(/range=30d/);
      await page.keyboard.press('Control+k');
      await field.fill(station.id);
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(`/stations/${station.id}`));
      await page.keyboard.press('Control+k');
      await field.fill('theme: light');
      await page.keyboard.press('Enter');
      await until('the page is light', async () =>
        page.evaluate(() => document.documentElement.dataset.mantineColorScheme === 'light'));
      await page.done();
    });

    it('limits all pages to a site', async () => {
      const { body } = await server.api(token, 'GET', '/sites');
      const site = body.items[1];
      const page = await open(server, { state });
      await page.goto('/');
      await ready(page);
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder(/Station, site/).fill(site.name);
      await page.getByRole('button', { name: new RegExp(`${site.name}.*Show only this site`) }).click();
      await page.waitForURL((u) => u.searchParams.get('site') === site.id);
      await page.done();
    });
  });

  it('lists its keys, and g goes places', async () => {
    const page = await open(server, { state });
    await page.goto('/');
    await ready(page);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await axe(page, 'help');
    await shot(page, 'help-dark');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL(/\/stations/);
    await page.locator('[data-row="0"]').waitFor();
    await page.keyboard.press('j');
    await until('the first row has the focus', async () =>
      page.evaluate(() => document.activeElement?.closest('[data-row]')?.dataset.row === '0'));
    await page.done();
  });
});

describe('a phone', () => {
  let server;
  let state;
  let station;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    const token = server.token('viewer');
    station = await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50 && body.items.find((s) => s.evses.length > 1 && s.evses[1].publicId);
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('has one line above, its places below, and everything else on the page Me', async () => {
    const page = await open(server, { state, view: 'phone' });
    await page.goto('/');
    await page.getByRole('application', { name: /Status wall/ }).waitFor();
    const bar = await page.getByRole('banner').boundingBox();
    assert.ok(bar.height <= 53, `the top bar is ${bar.height} px high`);
    const places = page.getByRole('navigation', { name: 'Main' }).getByRole('listitem').filter({ visible: true });
    const names = (await places.allInnerTexts()).map((n) => n.trim().match(/^\w+/)[0]);
    assert.deepEqual(names, ['Overview', 'Incidents', 'Map', 'Scan', 'Me']);
    await shot(page, 'phone-overview');
    await page.getByRole('link', { name: 'Me', exact: true }).click();
    await page.getByText('Administrator').waitFor();
    await axe(page, 'the page Me');
    await shot(page, 'me-phone');
    await page.getByText('Deutsch').click();
    await page.getByText('Sprache und Farben').waitFor();
    await page.getByText('English').click();
    await page.getByRole('main').getByRole('link', { name: 'Settings' }).click();
    await page.waitForURL(/\/settings/);
    await page.done();
  });

  it('goes from the id on a sticker to its port', async () => {
    const port = station.evses[1];
    const page = await open(server, { state, view: 'phone' });
    await page.goto('/scan');
    await page.getByLabel('Id on the sticker').fill(port.publicId);
    await axe(page, 'scanning');
    await shot(page, 'scan-phone');
    await page.getByRole('button', { name: 'Find', exact: true }).click();
    await page.waitForURL(new RegExp(`/stations/${station.id}\\?.*port=${port.id}`));
    await page.goto('/scan');
    await page.getByLabel('Id on the sticker').fill('NOSUCHPORT');
    await page.getByRole('button', { name: 'Find', exact: true }).click();
    await page.getByText('Nothing here is known as NOSUCHPORT').waitFor();
    await page.done();
  });

  it('reads the code of a sticker through the camera', async () => {
    const port = station.evses[1];
    const page = await open(server, { state, view: 'phone' });
    // The camera's picture is drawn from the sticker that the server prints.
    await page.addInitScript((src) => {
      navigator.mediaDevices.getUserMedia = async () => {
        const picture = new Image();
        picture.src = src;
        await picture.decode();
        const canvas = document.createElement('canvas');
        canvas.width = 640;
        canvas.height = 480;
        const paper = canvas.getContext('2d');
        const draw = () => {
          paper.fillStyle = '#888';
          paper.fillRect(0, 0, 640, 480);
          paper.drawImage(picture, 170, 90, 300, 300);
        };
        draw();
        setInterval(draw, 100);
        return canvas.captureStream(10);
      };
    }, `/status/qr/${encodeURIComponent(port.publicId)}.svg`);
    await page.goto('/scan');
    await page.getByRole('button', { name: 'Scan with the camera' }).click();
    await page.waitForURL(new RegExp(`/stations/${station.id}\\?.*port=${port.id}`));
    await page.done();
  });
});

describe('a screen on a wall', () => {
  let server;
  let state;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    const token = server.token('viewer');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const code = async (wall) => (await wall.locator('p .srOnly').textContent()).replaceAll(' ', '');
  const showsWall = (p) => p.getByRole('application', { name: /Status wall/ }).waitFor();

  it('shows a code, is let in by it, rotates its views, and goes dark when shut out', async () => {
    const wall = await open(server);
    await wall.goto('/kiosk');
    await wall.locator('p .srOnly').waitFor({ state: 'attached' });
    await axe(wall, 'a screen that waits');
    await shot(wall, 'kiosk-code');

    const admin = await open(server, { state });
    await admin.goto(`/kiosk/approve?code=${await code(wall)}`);
    const dialog = admin.getByRole('dialog', { name: 'Let a screen in' });
    await dialog.getByText('127.0.0.1').waitFor();
    await axe(admin, 'letting a screen in');
    await dialog.getByLabel('Name').fill('Control room');
    await dialog.getByLabel(/Views/).fill('https://example.org');
    await dialog.getByText('Only pages of this server').waitFor();
    await dialog.getByLabel(/Views/).fill('/\n/stations?state=faulted');
    await dialog.getByLabel('Seconds per view').fill('10');
    await shot(admin, 'kiosk-approve');
    await dialog.getByRole('button', { name: 'Let this screen in' }).click();

    await showsWall(wall);
    assert.doesNotMatch(wall.url(), /secret|token|code/);
    assert.equal(await wall.getByRole('navigation').count(), 0);
    await wall.getByText('Control room').waitFor();
    await shot(wall, 'kiosk-wall');
    assert.equal(await wall.evaluate(() => document.cookie), '', 'no script can read the session');
    await wall.waitForURL((u) => u.pathname === '/stations' && u.searchParams.get('state') === 'faulted');
    await wall.getByRole('row').nth(1).waitFor();
    await axe(wall, 'a view of a screen');
    await shot(wall, 'kiosk-stations');
    await wall.waitForURL((u) => u.pathname === '/' && !u.searchParams.has('state'));
    assert.equal(
      await wall.evaluate(async () =>
        (
          await fetch('/api/v1/sites', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: '{"id":"x"}',
          })
        ).status,
      ),
      403,
    );

    await admin.getByRole('row', { name: /Control room/ }).waitFor();
    await shot(admin, 'kiosk-list');
    await admin.getByRole('button', { name: 'Shut out screen Control room' }).click();
    await admin.getByRole('dialog').getByRole('button', { name: 'Shut out' }).click();
    await admin.getByText('is shut out').waitFor();
    await wall.waitForURL(/\/kiosk$/);
    await wall.locator('p .srOnly').waitFor({ state: 'attached' });
    await admin.done();
    await wall.done();
  });

  it('refuses a code that nobody shows', async () => {
    const page = await open(server, { state });
    await page.goto('/kiosk/approve');
    await page.getByText('No screen is let in yet').waitFor();
    await page.getByRole('button', { name: 'Let a screen in' }).click();
    await page.getByLabel('Code on the screen').fill('222222');
    await page.getByRole('button', { name: 'Find screen' }).click();
    await page.getByText('No screen shows this code').waitFor();
    await page.done();
  });

  it('asks somebody who is signed in first, and lets them leave with Escape', async () => {
    const page = await open(server, { state });
    await page.goto('/kiosk');
    await page.getByRole('button', { name: 'Show the walls with my rights' }).click();
    await showsWall(page);
    await page.waitForURL(/kiosk=1/);
    await page.keyboard.press('Escape');
    await page.getByRole('navigation').first().waitFor();
    assert.doesNotMatch(page.url(), /kiosk|rotate/);
    await page.done();
  });
});

describe('the server away', () => {
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

  it('greys what is shown, says how old it is, tries again and recovers', async () => {
    const page = await open(server, { state });
    await page.goto('/');
    await page.getByRole('application', { name: /Status wall/ }).waitFor();
    await server.stop();
    const banner = page.getByRole('alert');
    await banner.getByText(/Showing data from \d\d:\d\d:\d\d, \d+ s old/).waitFor();
    await banner.getByText(/Next attempt in \d+ s|Trying to connect/).waitFor();
    await until('the page is grey', async () =>
      page.evaluate(() => getComputedStyle(document.querySelector('main')).filter === 'grayscale(1)'));
    await axe(page, 'an old page');
    await shot(page, 'stale-dark');
    await server.run();
    await until('the banner is gone', async () => {
      const now = page.getByRole('button', { name: 'Connect now' });
      if (await now.isVisible()) await now.click().catch(() => {});
      return (await banner.count()) === 0;
    }, 240_000);
    await until('the colours are back', async () =>
      page.evaluate(() => getComputedStyle(document.querySelector('main')).filter === 'none'));
    await page.done();
  });
});
