import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

const SECRET = 'a secret that nobody is shown again';

/** The other side of a webhook: keeps what came, and refuses when told to. */
async function receiver() {
  const came = [];
  const it = { came, status: 204 };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      came.push({ headers: request.headers, body });
      response.writeHead(it.status).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  it.port = server.address().port;
  it.close = () => new Promise((resolve) => server.close(resolve));
  return it;
}

describe('who is told', () => {
  let server;
  let state;
  let token;
  let hook;
  before(async () => {
    hook = await receiver();
    server = await Server.start('demo', ['--allow-net', `127.0.0.1:${hook.port}`]);
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await hook?.close();
    await closeBrowser();
  });

  const at = async (path, options = {}) => {
    const page = await open(server, { state, ...options });
    await page.goto(path);
    return page;
  };
  const dialog = (page) => page.getByRole('dialog');
  const row = (page, name) => page.getByRole('listitem').filter({ hasText: name });
  const menu = async (page, of, name) => {
    await page.getByRole('button', { name: `Actions: ${of}` }).click();
    await page.getByRole('menuitem', { name }).click();
  };

  /** Chooses one of several by keyboard, as the field is made for. */
  const choose = async (page, field, option) => {
    await field.focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: option }).last().click();
    await page.keyboard.press('Tab');
  };

  describe('before anybody is told', () => {
    for (const [tab, words] of [
      ['', 'Nobody is told yet'],
      ['?tab=deliveries', 'Nothing was told yet'],
    ]) {
      it(`teaches in every view: ${words}`, () =>
        inEveryView(server, state, `/channels${tab}`, `channels-empty${tab.replace('?tab=', '-')}`, (p) =>
          p.getByText(words).waitFor(),
        ));
    }
  });

  it('adds a webhook, says at the field what is wrong, and never shows the secret again', async () => {
    const page = await at('/channels');
    await page.getByRole('button', { name: 'Add channel' }).first().click();
    await dialog(page).getByRole('combobox', { name: 'Type' }).click();
    await page.getByRole('option', { name: 'Web Push' }).click();
    await dialog(page).getByText('Needs internet and TLS').waitFor();
    await dialog(page).getByRole('combobox', { name: 'Type' }).click();
    await page.getByRole('option', { name: 'Webhook, signed' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Control room');
    await dialog(page).getByLabel('Address').fill('ftp://127.0.0.1/');
    await dialog(page).getByLabel('Signing secret', { exact: true }).fill(SECRET);
    await dialog(page).getByRole('button', { name: 'Add channel' }).click();
    const fault = dialog(page).getByText('must be an address that begins with https:// or http://').first();
    await fault.waitFor();
    assert.equal(await dialog(page).getByLabel('Address').getAttribute('aria-invalid'), 'true');
    await axe(page, 'a channel with a fault');
    await shot(page, 'channels-fault');
    await dialog(page).getByLabel('Address').fill(`http://127.0.0.1:${hook.port}/hook`);
    await dialog(page).getByRole('button', { name: 'Add channel' }).click();
    await row(page, 'Control room').getByText('Nothing sent yet').waitFor();

    await menu(page, 'Control room', 'Edit channel');
    await dialog(page).getByText('Set; never shown again').waitFor();
    await axe(page, 'changing a channel');
    await shot(page, 'channels-edit');
    assert.ok(!(await page.content()).includes(SECRET), 'the secret stands in the page');
    const { body } = await server.api(token, 'GET', '/channels');
    assert.deepEqual(body.items[0].secretsSet, ['secret']);
    assert.ok(!JSON.stringify(body).includes(SECRET), 'the secret is in the answer');
    await page.done();
  });

  it('tests a channel: the message arrives signed, and a refusal is told as it is', async () => {
    const page = await at('/channels');
    await row(page, 'Control room').getByRole('button', { name: 'Test: Control room' }).click();
    await row(page, 'Control room').getByText(/The test message was taken after/).waitFor();
    await axe(page, 'a test that was taken');
    assert.equal(hook.came.length, 1);
    const { headers, body } = hook.came[0];
    const [, seconds, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['x-chargewatch-signature']);
    assert.equal(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'), given);
    JSON.parse(body);

    hook.status = 503;
    await row(page, 'Control room').getByRole('button', { name: 'Test: Control room' }).click();
    await row(page, 'Control room').getByText(/The test message was not taken: .*503/).waitFor();
    hook.status = 204;
    await axe(page, 'a test that was refused');
    await shot(page, 'channels-refused');
    await page.done();
  });

  it('keeps a secret that is not touched, and replaces one that is', async () => {
    const page = await at('/channels');
    await menu(page, 'Control room', 'Edit channel');
    await dialog(page).getByLabel('Name', { exact: true }).fill('Control room, day');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await row(page, 'Control room, day').waitFor();
    await menu(page, 'Control room, day', 'Edit channel');
    await dialog(page).getByRole('button', { name: 'Replace: Signing secret' }).click();
    await dialog(page).getByLabel('Signing secret', { exact: true }).fill('another long enough secret');
    await dialog(page).getByLabel('Name', { exact: true }).fill('Control room');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    hook.came.length = 0;
    await row(page, 'Control room').getByRole('button', { name: /^Test/ }).click();
    await until('the message came', () => hook.came.length === 1);
    const { headers, body } = hook.came[0];
    const [, seconds, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['x-chargewatch-signature']);
    assert.equal(createHmac('sha256', 'another long enough secret').update(`${seconds}.${body}`).digest('hex'), given);
    await page.done();
  });

  it('switches a channel off and on by keyboard', async () => {
    const page = await at('/channels');
    const enabled = row(page, 'Control room').getByRole('switch', { name: 'In use: Control room' });
    await enabled.focus();
    await page.keyboard.press('Space');
    await row(page, 'Control room').getByText('Switched off').waitFor();
    await page.keyboard.press('Space');
    await row(page, 'Control room').getByText('Switched off').waitFor({ state: 'detached' });
    await page.done();
  });

  it('says what a browser lacks to show incidents', async () => {
    for (const [lack, text] of [
      ["Object.defineProperty(window, 'isSecureContext', { value: false })", /only over HTTPS/],
      ["Object.defineProperty(Notification, 'permission', { get: () => 'denied' })", /are blocked in the browser/],
      ['delete window.PushManager', /cannot show messages/],
    ]) {
      const page = await open(server, { state });
      await page.addInitScript(lack);
      await page.goto('/channels');
      await page.getByRole('status').getByText(text).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Enable on this device' }).count(), 0);
      await page.done();
    }
  });

  it('shows what is pushed to a browser', async () => {
    const page = await open(server, { state, windowed: true });
    await page.context().grantPermissions(['notifications'], { origin: server.base });
    await page.addInitScript("Object.defineProperty(Notification, 'permission', { get: () => 'granted' })");
    await page.addInitScript('Notification.requestPermission = async () => "granted"');
    await page.goto('/channels');
    // There is no push service in this test: the page says so and enables nothing.
    await page.getByRole('button', { name: 'Enable on this device' }).click();
    await page.getByRole('alert').getByText('The push service of the browser cannot be reached.').waitFor();
    await axe(page, 'devices');
    await shot(page, 'devices-no-service');
    // The worker is there all the same: what a push service would hand it is shown.
    const cdp = await page.context().newCDPSession(page);
    let registration;
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      registration = registrations.find((r) => r.scopeURL.startsWith(server.base))?.registrationId ?? registration;
    });
    await cdp.send('ServiceWorker.enable');
    await until('the worker is registered', () => registration);
    const told = { title: 'S1 New: Ground fault', body: 'Port 2 cannot charge', tag: 'i1', severity: 'S1', url: '/incidents/i1' };
    const shown = () =>
      page.evaluate(async () =>
        (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => ({ title: n.title, body: n.body, url: n.data.url })));
    await cdp.send('ServiceWorker.deliverPushMessage', { origin: server.base, registrationId: registration, data: JSON.stringify(told) });
    const [one] = await until('it is shown', async () => {
      const list = await shown();
      return list.length > 0 && list;
    });
    assert.deepEqual(one, { title: told.title, body: told.body, url: told.url });
    await page.done();
  });

  it('lists the devices of a person, and forgets one', async () => {
    const page = await at('/channels');
    const made = await page.evaluate(async () => {
      const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
      const b64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
      const r = await fetch('/api/v1/me/devices', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          name: 'Firefox, Android',
          endpoint: 'https://push.invalid/abc',
          p256dh: b64(await crypto.subtle.exportKey('raw', pair.publicKey)),
          auth: b64(new Uint8Array(16)),
        }),
      });
      return r.status;
    });
    assert.equal(made, 201);
    await page.reload();
    const devices = page.getByRole('list', { name: 'Your devices' });
    await devices.getByText('Ready. No route or schedule leads to it yet').waitFor();
    await shot(page, 'devices-dark');
    await devices.getByRole('button', { name: 'Remove Firefox, Android' }).click();
    await devices.waitFor({ state: 'detached' });
    await page.done();
  });

  it('looks right with channels in every view', async () => {
    const { status } = await server.api(token, 'POST', '/channels', {
      name: 'Duty phones',
      type: 'ntfy',
      settings: { topic: 'chargewatch-duty' },
    });
    assert.equal(status, 201);
    await inEveryView(server, state, '/channels', 'channels', (p) => row(p, 'Duty phones').waitFor());
  });

  it('leads incidents by routes that are read, added and moved by keyboard', async () => {
    const page = await at('/channels?tab=routing');
    await page.getByText('No incident leads to anybody').waitFor();
    await page.getByRole('button', { name: 'Add route' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Worst first');
    await dialog(page).getByRole('checkbox', { name: 'S1 Critical' }).focus();
    await page.keyboard.press('Space');
    await choose(page, dialog(page).getByRole('combobox', { name: 'Channels' }), 'Control room');
    await dialog(page).getByRole('button', { name: 'Add quiet hours' }).click();
    await dialog(page).getByText('S1 always passes', { exact: false }).waitFor();
    await axe(page, 'a route');
    await shot(page, 'channels-route');
    await dialog(page).getByRole('button', { name: 'Add route' }).click();
    await row(page, 'Worst first').getByText(/Quiet every day 22:00–06:00/).waitFor();
    await page.getByText('What matches no route is told to nobody.').waitFor();
    await page.getByRole('button', { name: 'Add default route' }).click();
    await choose(page, dialog(page).getByRole('combobox', { name: 'Channels' }), 'Control room');
    await dialog(page).getByRole('button', { name: 'Add route' }).click();
    await page.getByText('is the default route', { exact: false }).waitFor();

    const up = page.getByRole('button', { name: 'Move up: Everything else' });
    await up.focus();
    await page.keyboard.press('Enter');
    await row(page, 'Worst first').getByText('Never tried').waitFor();
    assert.ok(await up.evaluate((e) => e === document.activeElement), 'the focus stays on what was moved');
    await page.getByRole('button', { name: 'Move down: Everything else' }).focus();
    await page.keyboard.press('Enter');
    await row(page, 'Worst first').getByText('Never tried').waitFor({ state: 'detached' });
    const { body } = await server.api(token, 'GET', '/routing');
    assert.deepEqual(
      body.routes.map((r) => r.name),
      ['Worst first', 'Everything else'],
    );
    assert.deepEqual(body.routes[0].match.severities, ['S1']);

    await page.getByLabel('Address of this server for its readers').fill('watch.example.org');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('must be an address such as https://watch.example.org').waitFor();
    await page.getByLabel('Address of this server for its readers').fill('https://watch.example.org');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await until(
      'the address is kept',
      async () => (await server.api(token, 'GET', '/routing')).body.linkBase === 'https://watch.example.org',
    );
    await page.done();
  });

  it('sends a heartbeat whose address is never shown', async () => {
    const page = await at('/channels?tab=routing');
    hook.came.length = 0;
    await page.getByRole('switch', { name: 'Send a heartbeat' }).focus();
    await page.keyboard.press('Space');
    await page.getByLabel('Address', { exact: true }).fill(`http://127.0.0.1:${hook.port}/beat/key`);
    await page.getByRole('button', { name: 'Save heartbeat' }).click();
    await page.getByText(/Taken by 127\.0\.0\.1/).waitFor();
    assert.ok(hook.came.length > 0);
    assert.ok(!(await page.content()).includes('/beat/key'));
    await page.done();
  });

  it('shows who is on call for two weeks, with who stands in', async () => {
    const { body: channels } = await server.api(token, 'GET', '/channels');
    const reach = [channels.items[0].id];
    await inEveryView(server, state, '/channels?tab=oncall', 'channels-oncall-empty', (p) =>
      p.getByText('Nobody is on call').waitFor(),
    );
    const page = await at('/channels?tab=oncall');
    await page.getByRole('button', { name: 'Add schedule' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Night shift');
    await dialog(page).getByLabel('Person 1', { exact: true }).fill('Ann');
    await axe(page, 'a schedule');
    await shot(page, 'channels-schedule');
    await dialog(page).getByRole('button', { name: 'Add schedule' }).click();
    await dialog(page).getByText('nobody is reached without a channel').first().waitFor();
    await choose(page, dialog(page).getByRole('combobox', { name: 'Person 1 is reached by' }), 'Control room');
    await dialog(page).getByRole('button', { name: 'Add schedule' }).click();
    await page.getByRole('heading', { name: 'Night shift' }).waitFor();
    await page.getByText('On call now').waitFor();

    const { body: made } = await server.api(token, 'GET', '/oncall');
    const layer = made.items[0].layers[0];
    const person = (name) => ({ name, channels: reach });
    const { status } = await server.api(token, 'PATCH', `/oncall/${made.items[0].id}`, {
      layers: [
        {
          ...layer,
          members: ['Ann', 'Bob', 'Cy'].map(person),
          rotationDays: 1,
          hours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], from: '08:00', to: '08:00' }],
        },
      ],
    });
    assert.equal(status, 200);
    await page.reload();
    await page.getByRole('button', { name: 'Add override' }).click();
    await dialog(page).getByRole('radio', { name: 'Cy' }).focus();
    await page.keyboard.press('Space');
    await axe(page, 'an override');
    await dialog(page).getByRole('button', { name: 'Add override' }).click();
    await page.getByRole('listitem').filter({ hasText: 'Remove override' }).getByText('Cy').waitFor();
    await page.getByText(/^Cy, .*\(override\)$/).first().waitFor({ state: 'attached' });
    await page.done();
    await inEveryView(server, state, '/channels?tab=oncall', 'channels-oncall', (p) =>
      p.getByText('On call now').waitFor(),
    );
  });

  it('escalates by steps, and says at the field what is wrong', async () => {
    const page = await at('/channels?tab=routing');
    await page.getByRole('button', { name: 'Add escalation' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Until somebody answers');
    await dialog(page).getByRole('button', { name: 'Add escalation' }).click();
    await dialog(page).getByText('a step without channels and schedules reaches nobody').first().waitFor();
    await choose(page, dialog(page).getByRole('combobox', { name: 'Whoever is on call in' }), 'Night shift');
    await dialog(page).getByRole('button', { name: 'Add step' }).click();
    await choose(page, dialog(page).getByRole('combobox', { name: 'Channels' }).last(), 'Control room');
    await axe(page, 'an escalation');
    await shot(page, 'channels-escalation');
    await dialog(page).getByRole('button', { name: 'Add escalation' }).click();
    await row(page, 'Until somebody answers').getByText('After 10 min without an answer').waitFor();
    await page.done();
    await inEveryView(server, state, '/channels?tab=routing', 'channels-routing', (p) =>
      p.getByText('Until somebody answers').waitFor(),
    );
  });

  it('lists what was told, with the incident, narrowed by channel and state', async () => {
    const { body } = await server.api(token, 'GET', '/incidents?limit=200');
    const minor = body.items.filter((i) => !i.closedAt && !i.repairedAt && ['S3', 'S4'].includes(i.severity));
    assert.ok(minor.length > 0, 'no incident to escalate');
    for (const i of minor.slice(0, 4)) {
      await server.api(token, 'POST', `/incidents/${i.id}/escalate`, { severity: 'S1', note: 'two drivers called' });
    }
    await until(
      'something was told',
      async () => (await server.api(token, 'GET', '/deliveries?state=sent')).body.items.length > 0,
      60_000,
    );
    await inEveryView(server, state, '/channels?tab=deliveries', 'channels-deliveries', (p) =>
      p.getByRole('rowheader').first().waitFor(),
    );
    const page = await at('/channels?tab=deliveries');
    await page.getByRole('rowheader').first().waitFor();
    await page.getByRole('combobox', { name: 'State' }).click();
    await page.getByRole('option', { name: 'Given up' }).click();
    await page.waitForURL(/state=failed/);
    await page.getByText('No delivery matches').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('rowheader').first().getByRole('link').click();
    await page.waitForURL(/\/incidents\/.+/);
    await page.done();
  });

  it('names what could not be loaded', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/channels', (r) =>
      r.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
      }),
    );
    await page.goto('/channels');
    await page.getByText('Could not load: Channels').waitFor();
    await axe(page, 'channels that could not be loaded');
    await page.done();
  });

  it('speaks German', async () => {
    const page = await at('/channels', { locale: 'de-DE', view: 'light' });
    await page.getByRole('heading', { name: 'Benachrichtigung', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Kanal hinzufügen' }).click();
    await dialog(page).getByLabel('Server').waitFor();
    await axe(page, 'the form in German');
    await shot(page, 'channels-form-de');
    await page.done();
  });
});
