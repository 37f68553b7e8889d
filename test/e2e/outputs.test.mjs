// Sirens and lights of the demo, at a raid that two stations tell of: what comes on by
// itself, what a guard presses, and what needs a second person.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, clientFrame, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('sirens and lights', () => {
  let server;
  let state;
  let token;
  let site;
  let incident;
  const sockets = [];
  const outputs = async () => (await server.api(token, 'GET', `/outputs?site=${site}`)).body.items;
  const one = async (kind) => (await outputs()).find((o) => o.kind === kind);

  before(async () => {
    server = await Server.start('demo');
    token = server.token();
    state = await signIn(server);
    const all = (await server.api(token, 'GET', '/outputs')).body.items;
    site = all.find((o) => o.kind === 'siren' && o.twoPerson).siteId;
    const armed = await server.api(token, 'PUT', `/sites/${site}/arming`, { armed: true, reason: 'test' });
    assert.equal(armed.status, 200, JSON.stringify(armed.body));
    for (const id of ['CUT-1', 'CUT-2']) {
      // Cables are cut one after the other; what comes at once has one cause.
      if (sockets.length > 0) await new Promise((r) => setTimeout(r, 2500));
      const made = await server.api(token, 'POST', '/stations', { id, siteId: site, auth: { profile: 0 } });
      assert.ok(made.status < 300, JSON.stringify(made.body));
      const { socket, status } = await server.knock(id);
      assert.equal(status, 101);
      sockets.push(socket);
      const say = (n, action, payload) => socket.write(clientFrame(JSON.stringify([2, `m${n}`, action, payload])));
      say(1, 'BootNotification', { chargePointVendor: 'Example', chargePointModel: 'One' });
      say(2, 'StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' });
      say(3, 'StatusNotification', { connectorId: 1, status: 'Faulted', errorCode: 'ConnectorLockFailure' });
    }
    incident = await until('there is an incident of the raid', async () => {
      const { body } = await server.api(token, 'GET', '/incidents?limit=200');
      return body.items.find((i) => i.kind === 'cableTheft' && i.siteId === site && i.severity === 'S1');
    });
  });
  after(async () => {
    for (const s of sockets) s.destroy();
    await closeBrowser();
    await server?.remove();
  });

  it('come on by themselves where people decided so, and stand on the page of the incident', async () => {
    await until('the light is on', async () => (await one('light')).state === 'on');
    await inEveryView(server, state, `/incidents/${incident.id}`, 'outputs-incident', async (page) => {
      await page.getByRole('heading', { name: 'On site' }).waitFor();
      await page.locator('[data-output][data-state=on]').getByText('by itself, for an incident').waitFor();
      await page.getByRole('button', { name: /^Turn off light/ }).waitFor();
      await page.getByRole('heading', { name: 'On site' }).scrollIntoViewIfNeeded();
    });
  });

  it('are switched off and on again by one key, and said to be', async () => {
    const page = await open(server, { state });
    await page.goto(`/incidents/${incident.id}`);
    await page.getByRole('button', { name: /^Turn off light/ }).waitFor();
    await page.keyboard.press('l');
    await page.getByRole('button', { name: /^Turn on light/ }).waitFor();
    assert.equal((await one('light')).state, 'off');
    await page.getByText('Switched off: Flood light').first().waitFor();
    await page.done();
  });

  it('need a second person, who is somebody else', async () => {
    const page = await open(server, { state });
    await page.goto(`/incidents/${incident.id}`);
    await page.getByRole('button', { name: /^Sound siren/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('A second person has to agree').waitFor();
    await axe(page, 'the dialog of a siren');
    await shot(page, 'outputs-siren');
    await dialog.getByRole('button', { name: 'Ask a second person' }).click();
    await page.getByText('You asked for').first().waitFor();
    const { id, request } = await one('siren');
    const alone = await server.api(token, 'POST', `/outputs/${id}/accept`, { request: request.id });
    assert.equal(alone.status, 403, 'a script is nobody');

    // Who came by the link of the demo gives a password, and lets somebody else in.
    const made = await page.evaluate(async () => {
      const post = (path, body) =>
        fetch(`/api/v1${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
      await post('/me/password', { password: 'three quiet words' });
      const answer = await post('/users', { name: 'Second Guard', grants: [{ role: 'security', sites: ['*'] }] });
      return { status: answer.status, body: await answer.json() };
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const other = await open(server, { view: 'phone' });
    const link = `/signin?token=${made.body.signInToken}`;
    await other.goto(link);
    await other.getByLabel('New password').fill('three quiet words');
    await other.getByLabel('The same again').fill('three quiet words');
    await other.getByRole('button', { name: 'Save and continue' }).click();
    // Wherever they are, they are asked.
    await other.getByRole('button', { name: 'Agree: siren on' }).waitFor();
    await shot(other, 'outputs-second-phone');
    await other.getByRole('button', { name: 'Agree: siren on' }).click();
    await page.getByRole('button', { name: /^Stop siren/ }).waitFor();
    const on = await one('siren');
    assert.equal(on.state, 'on');
    assert.equal(on.approvedByName, 'Second Guard');
    await page.getByRole('button', { name: /^Stop siren/ }).click();
    await until('the siren is off', async () => (await one('siren')).state === 'off');
    await other.done();
    await page.done();
  });

  it('are set up in the settings', async () => {
    await inEveryView(server, state, '/settings?tab=outputs', 'outputs-settings', async (page) => {
      await page.getByText('Flood light').first().waitFor();
      await page.getByRole('button', { name: 'Add siren or light' }).waitFor();
    });
    const page = await open(server, { state });
    await page.goto('/settings?tab=outputs');
    await page.getByRole('button', { name: 'Add siren or light' }).click();
    await page.getByRole('dialog').getByLabel('Secret').waitFor();
    await axe(page, 'the form of a siren');
    await shot(page, 'outputs-form');
    await page.done();
  });
});
