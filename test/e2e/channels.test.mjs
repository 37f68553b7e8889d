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
    await row(page, 'Control room').getByRole('button', { name: 'Test Control room' }).click();
    await row(page, 'Control room').getByText(/The test message was taken after/).waitFor();
    await axe(page, 'a test that was taken');
    assert.equal(hook.came.length, 1);
    const { headers, body } = hook.came[0];
    const [, seconds, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['x-chargewatch-signature']);
    assert.equal(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'), given);
    JSON.parse(body);

    hook.status = 503;
    await row(page, 'Control room').getByRole('button', { name: 'Test Control room' }).click();
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

  it('looks right with channels in every view', async () => {
    const { status } = await server.api(token, 'POST', '/channels', {
      name: 'Duty phones',
      type: 'ntfy',
      settings: { topic: 'chargewatch-duty' },
    });
    assert.equal(status, 201);
    await inEveryView(server, state, '/channels', 'channels', (p) => row(p, 'Duty phones').waitFor());
  });

  it('lists what was told, with the incident, narrowed by channel and state', async () => {
    const { body: channels } = await server.api(token, 'GET', '/channels');
    const hookId = channels.items.find((c) => c.type === 'webhook').id;
    const { status } = await server.api(token, 'PUT', '/routing', {
      routes: [{ name: 'Everything', channels: [hookId] }],
    });
    assert.equal(status, 200);
    await until(
      'something was told',
      async () => (await server.api(token, 'GET', '/deliveries?state=sent')).body.items.length > 0,
      120_000,
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
