// Areas that know who is inside, airlocks and doors for two people: set up, shown where
// somebody waits, pardoned.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signInWith, until } from './harness.mjs';

const PASSWORD = 'three quiet words';

describe('areas and doors for two people', () => {
  let server;
  let state;
  let token;
  let gate;
  let room;
  before(async () => {
    server = await Server.start('demo');
    token = server.token();
    state = await signInWith(server, PASSWORD);
    const doors = (await server.api(token, 'GET', '/doors?limit=100')).body.items;
    gate = doors.find((d) => d.kind === 'gate');
    room = doors.find((d) => d.siteId === gate.siteId && d.id !== gate.id);
  });
  after(async () => {
    await closeBrowser();
    await server?.remove();
  });

  it('an area is added by a form', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=doors');
    await page.getByRole('button', { name: 'Add area' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Cabinet room');
    await dialog.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await axe(page, 'the form of an area');
    await shot(page, 'area-form');
    await page.keyboard.press('Escape');
    await page.done();
    const made = await server.api(token, 'POST', '/access/areas', {
      name: 'Cabinet room',
      siteId: gate.siteId,
      in: [`door/${gate.id}`],
      mode: 'soft',
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const lock = await server.api(token, 'POST', '/access/airlocks', {
      name: 'Yard',
      siteId: gate.siteId,
      doors: [`door/${gate.id}`, `door/${room.id}`],
    });
    assert.equal(lock.status, 201, JSON.stringify(lock.body));
    await inEveryView(server, state, '/settings?tab=doors', 'areas', async (p) => {
      await p.getByRole('heading', { name: 'Areas' }).waitFor();
      await p.getByText('Cabinet room').first().waitFor();
      await p.getByRole('heading', { name: 'Airlocks' }).scrollIntoViewIfNeeded();
    });
  });

  it('who is inside stands on the muster list', async () => {
    await inEveryView(server, state, '/doors?view=muster', 'areas-inside', async (page) => {
      await page.getByRole('heading', { name: /^Cabinet room/ }).waitFor();
    });
  });

  it('a door for two people asks for the second, who is somebody else', async () => {
    const { status, body } = await server.api(token, 'PUT', `/doors/${room.id}`, {
      siteId: room.siteId,
      label: room.label,
      kind: room.kind,
      controller: room.controller,
      number: room.number,
      twoPerson: true,
    });
    assert.equal(status, 200, JSON.stringify(body));
    await until('the board has heard of it', async () => {
      const d = await server.api(token, 'GET', `/doors/${room.id}`);
      return d.body.state === 'locked' && d.body.whenOffline === 'deny';
    });
    const page = await open(server, { state });
    await page.goto(`/doors?site=${room.siteId}`);
    const card = page.locator(`[data-door="${room.id}"]`);
    await card.getByText('Opens for two people').waitFor();
    await card.getByRole('button', { name: /Unlock/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Asks for a second person').waitFor();
    await dialog.getByLabel('Reason').fill('the yearly inspection');
    await axe(page, 'asking for a second person');
    await shot(page, 'second-ask');
    await dialog.getByRole('button', { name: 'Ask for a second person' }).click();
    await card.getByText('You want it open').waitFor();
    assert.equal(await card.getByRole('button', { name: 'Agree and open' }).count(), 0);
    await axe(page, 'waiting for a second person');
    await shot(page, 'second-waits');
    await card.getByRole('button', { name: 'Withdraw' }).click();
    await card.getByText('You want it open').waitFor({ state: 'detached' });
    await page.done();
  });
});
