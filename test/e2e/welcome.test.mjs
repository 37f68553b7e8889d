import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, clientFrame, closeBrowser, inEveryView, open, Server, shot, until } from './harness.mjs';

const PASSWORD = 'three quiet words';

// A second server plays the system that the operator has already.
describe('setting up beside another central system', () => {
  let server;
  let theirs;
  let state;
  before(async () => {
    theirs = await Server.start('serve', ['--onboarding', 'open']);
    server = await Server.start('serve', ['--allow-net', '127.0.0.1']);
    const token = server.token('admin');
    await server.api(token, 'POST', '/sites', { name: 'Harbour car park' });
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('The same again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Overview' }).first().waitFor();
    state = await page.context().storageState();
    await page.done();
  });
  after(async () => {
    await server?.remove();
    await theirs?.remove();
    await closeBrowser();
  });

  it('goes from the address of the other system to the first station that is passed on', async () => {
    const page = await open(server, { state });
    await page.goto('/welcome?step=csms');
    await page.getByRole('button', { name: 'Add your system' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Billing');
    await dialog.getByLabel('Address for stations').fill(`ws://127.0.0.1:${theirs.ocppPort}/ocpp`);
    await dialog.getByRole('button', { name: 'Add system' }).click();
    await page.getByRole('button', { name: 'Test connection' }).click();
    await dialog.getByLabel('Connect as station').fill('TEST-1');
    await dialog.getByRole('button', { name: 'Test connection' }).click();
    await dialog.getByText(/Connected after/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pass them on' }).click();
    await page.getByText('No station has come through yet').waitFor();
    await page.getByText(`ws://127.0.0.1:${server.ocppPort}/ocpp/IDENTITY`).waitFor();
    await axe(page, 'a relay that waits for stations');
    await shot(page, 'welcome-csms');

    // Unknown here: a person lets it in, and then it is the other system that decides.
    const knock = () => server.knock('HARBOUR-9', {});
    const boot = clientFrame(
      '[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"Wallbox Two"}]',
    );
    const first = await knock();
    assert.equal(first.status, 101);
    first.socket.resume();
    first.socket.write(boot);
    await page.getByRole('button', { name: 'Approve at Harbour car park' }).click();
    await until('the connection is ended for another', () => first.socket.readableEnded || first.socket.destroyed);
    const { status, socket } = await knock();
    assert.equal(status, 101);
    socket.write(boot);
    await page.getByText('1 station is passed on.').waitFor();
    await page.getByRole('link', { name: 'HARBOUR-9' }).waitFor();
    await axe(page, 'a station that is passed on');
    await shot(page, 'welcome-csms-come');
    await until('it is known there', async () => {
      const { body } = await theirs.api(theirs.token('admin'), 'GET', '/stations/HARBOUR-9');
      return body.model === 'Wallbox Two';
    });
    socket.destroy();
    await page.done();
  });
});

describe('setting up an empty server', () => {
  let server;
  let state;
  before(async () => {
    server = await Server.start('serve');
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('The same again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Set up step by step' }).waitFor();
    state = await page.context().storageState();
    await page.done();
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const head = (page, name) => page.getByRole('button', { name: new RegExp(name), expanded: true });

  it('looks right in every view', () =>
    inEveryView(server, state, '/welcome', 'welcome', (p) => p.getByLabel('Name').waitFor()));

  it('goes from the first site to a station that talks, and says why one is turned away', async () => {
    const page = await open(server, { state });
    await page.goto('/');
    await page.getByRole('link', { name: 'Set up step by step' }).click();
    await head(page, 'First site').waitFor();
    await page.getByLabel('Name').fill('Harbour car park');
    await page.getByLabel('Address').fill('Am Kaiserkai 1, Hamburg');
    await page.getByLabel('Position').fill('by the water');
    await page.getByText('Two numbers, such as').waitFor();
    await page.getByLabel('Position').fill('53.5430, 9.9880');
    await page.getByRole('button', { name: 'Add site' }).click();

    await head(page, 'First station').waitFor();
    await page.getByLabel('Identity').fill('HARBOUR-1');
    await page.getByRole('button', { name: 'Enrol and listen' }).click();
    await page.getByText(`ws://127.0.0.1:${server.ocppPort}/ocpp/HARBOUR-1`).waitFor();
    const password = await page
      .locator('code')
      .nth(2)
      .textContent();
    await page.getByText('HARBOUR-1 has not knocked yet').waitFor();
    await axe(page, 'a station that is awaited');

    assert.equal((await server.knock('HARBOUR-1', { password: 'not-the-password-0' })).status, 401);
    await page.getByText(/turned away: Wrong password/).waitFor();
    await shot(page, 'welcome-refused');
    const { status, socket } = await server.knock('HARBOUR-1', { password });
    assert.equal(status, 101);
    socket.write(
      clientFrame('[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"Wallbox Two"}]'),
    );
    await page.getByRole('status').getByText(/said hello .* ago: It introduced itself as Acme Wallbox Two/).waitFor();
    await axe(page, 'a station that talks');
    await shot(page, 'welcome-connected');
    await page.getByRole('link', { name: 'Open station' }).waitFor();
    socket.destroy();
    await page.done();
  });

  it('is taken up where it stands, with what is there', async () => {
    const { body } = await server.api(server.token('viewer'), 'GET', '/sites');
    assert.deepEqual(
      body.items.map((s) => [s.name, s.latitude, s.longitude, s.timeZone]),
      [['Harbour car park', 53.543, 9.988, 'Europe/Berlin']],
    );
    const page = await open(server, { state });
    await page.goto('/welcome');
    await head(page, 'Your team').waitFor();
    await page.getByText('Your network is in sight').waitFor();
    await page.getByLabel('Name').fill('ada');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    await page.getByText('ada is invited').waitFor();
    const link = await page.getByText(/\/signin\?token=/).textContent();
    await axe(page, 'an invitation');
    await shot(page, 'welcome-team');
    const ada = await open(server);
    await ada.goto(link);
    await ada.getByRole('heading', { name: 'Choose a password' }).waitFor();
    await ada.done();
    await page.done();
  });

  it('turns a simulated network on, and off again', async () => {
    const page = await open(server, { state });
    await page.goto('/welcome?step=demo');
    await page.getByRole('button', { name: 'Turn on simulated network' }).click();
    await page.getByRole('button', { name: 'Turn off and remove' }).waitFor();
    await page.getByText(/\d+ simulated stations at/).waitFor();
    await page.getByRole('button', { name: 'Turn off and remove' }).click();
    await page.getByRole('button', { name: 'Turn on simulated network' }).waitFor();
    const token = server.token('viewer');
    await until('only the own station is left', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000');
      return body.items.length === 1;
    });
    await page.done();
  });
});
