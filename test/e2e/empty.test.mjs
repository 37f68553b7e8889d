import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, clientFrame, closeBrowser, inEveryView, open, Server, shot, until } from './harness.mjs';

const PASSWORD = 'three quiet words';

describe('a server without stations', () => {
  let server;
  let state;
  before(async () => {
    server = await Server.start('serve');
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('The same again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByText('No station has connected yet').waitFor();
    state = await page.context().storageState();
    await page.done();
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('says how to connect the first one, in every view', () =>
    inEveryView(server, state, '/', 'empty-overview', async (p) => {
      await p.getByText('/ocpp/IDENTITY').waitFor();
      await p.getByText('No connection was refused').waitFor();
    }));

  it('shows an empty list with the same next step', async () => {
    const page = await open(server, { state });
    await page.goto('/stations');
    await page.getByText('/ocpp/IDENTITY').waitFor();
    await axe(page, 'the empty list');
    await page.done();
  });

  it('names a station nobody knows', async () => {
    const page = await open(server, { state });
    await page.goto('/stations/NOBODY-1');
    await page.getByText('No station NOBODY-1').waitFor();
    await page.getByText('/ocpp/NOBODY-1').waitFor();
    await axe(page, 'an unknown station');
    await shot(page, 'station-unknown');
    await page.done();
  });

  it('shows an unknown station as it knocks, and lets it in when approved', async () => {
    const page = await open(server, { state });
    await page.goto('/stations?tab=pending');
    await page.getByText('No station waits for approval').waitFor();
    const { status, socket } = await server.knock('NEW-1');
    assert.equal(status, 101);
    socket.write(
      clientFrame('[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"Wallbox Two"}]'),
    );
    await page.getByRole('rowheader', { name: 'NEW-1' }).waitFor();
    await page.getByText('Acme Wallbox Two').waitFor();
    await axe(page, 'a station that waits');
    await shot(page, 'station-pending');
    await page.getByRole('button', { name: 'Approve station NEW-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByText('No station waits for approval').waitFor();
    socket.destroy();
    await page.done();
  });

  it('enrols a station, shows its password once, and refuses a wrong one with the reason', async () => {
    const page = await open(server, { state });
    await page.goto('/stations');
    await page.getByRole('button', { name: 'Enrol station' }).click();
    await page.getByLabel('Identity').fill('bad/identity:1');
    await page.getByRole('dialog').getByRole('button', { name: 'Enrol station' }).click();
    await page.getByRole('alert').getByText('The station was not enrolled.').waitFor();
    await axe(page, 'a refused enrolment');
    await page.getByLabel('Identity').fill('KNOWN-1');
    await page.getByRole('dialog').getByRole('button', { name: 'Enrol station' }).click();
    await page.getByText('Station KNOWN-1 is enrolled').waitFor();
    await page.getByText('Shown only now.').waitFor();
    const password = await page.getByRole('dialog').locator('code').last().innerText();
    assert.ok(password.length >= 16, `password ${password.length} characters long`);
    await shot(page, 'station-enrolled');
    await page.getByRole('button', { name: 'Done' }).click();

    const right = await server.knock('KNOWN-1', { password });
    assert.equal(right.status, 101);
    right.socket.destroy();
    const wrong = await server.knock('KNOWN-1', { password: 'wrongwrongwrong1' });
    assert.equal(wrong.status, 401);
    await page.goto('/stations?tab=refused');
    await page.getByRole('rowheader', { name: 'KNOWN-1' }).waitFor();
    await page.getByText('Wrong password.').waitFor();
    await axe(page, 'refused connections');
    await shot(page, 'station-refused');
    await page.done();
  });

  it('makes a site, a user and a token, and the token works', async () => {
    const page = await open(server, { state });
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Add site' }).first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('North yard');
    await page.getByRole('dialog').getByRole('button', { name: 'Add site' }).click();
    await page.getByRole('rowheader', { name: /North yard/ }).waitFor();

    const giveIfAsked = async () => {
      const field = page.getByRole('dialog').getByLabel('Your password');
      if (await field.isVisible()) await field.fill(PASSWORD);
    };
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('button', { name: 'Add user' }).first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('night-shift');
    await giveIfAsked();
    await axe(page, 'adding a user');
    await page.getByRole('dialog').getByRole('button', { name: 'Add user' }).click();
    await page.getByText('night-shift can now sign in.').waitFor();
    const link = await page.getByRole('dialog').locator('code').last().innerText();
    assert.match(link, /\/signin\?token=/);
    await page.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByRole('button', { name: 'Create token' }).first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('nightly export');
    await giveIfAsked();
    await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
    await page.getByText('Shown only now.').waitFor();
    const token = await page.getByRole('dialog').locator('code').last().innerText();
    await shot(page, 'settings-token');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('rowheader', { name: 'nightly export' }).waitFor();
    await axe(page, 'tokens');
    const answer = await server.api(token, 'GET', '/summary');
    assert.equal(answer.status, 200);
    await until('the page tells that the token was used', async () => {
      await page.reload();
      const row = page.getByRole('row', { name: /nightly export/ });
      await row.waitFor();
      return !(await row.innerText()).includes('Never');
    });
    await page.done();
  });
});
