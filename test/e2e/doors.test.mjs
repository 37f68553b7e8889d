// Doors of the demo: moved by simulated controllers over UDP, opened with a reason
// and a password, with who was there beside them.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signInWith, until } from './harness.mjs';

const PASSWORD = 'three quiet words';

describe('doors', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    token = server.token();
    state = await signInWith(server, PASSWORD);
    await until('somebody was at a door', async () => {
      const log = await server.api(token, 'GET', '/access/events?limit=5');
      return log.body.items.length > 0;
    });
  });
  after(async () => {
    await closeBrowser();
    await server?.remove();
  });

  it('stand by site with their state, and who was there beside them', async () => {
    await inEveryView(server, state, '/doors', 'doors', async (page) => {
      await page.getByRole('heading', { name: 'Who was there' }).waitFor();
      await page.locator('[data-door]').first().getByText('Locked').waitFor();
      await page.locator('[data-decision]').first().waitFor();
      await page.getByText('the list in the controller decides').first().waitFor();
    });
  });

  it('are told by their badges who is inside', async () => {
    await inEveryView(server, state, '/doors?view=muster', 'doors-muster', async (page) => {
      await page.getByText('This is by badges alone').waitFor();
      await page.getByRole('button', { name: 'Print list' }).waitFor();
    });
  });

  it('are set up in the settings, beside their controllers', async () => {
    await inEveryView(server, state, '/settings?tab=doors', 'doors-settings', async (page) => {
      await page.getByText('UHPPOTE board').first().waitFor();
      await page.getByRole('button', { name: 'Add door' }).waitFor();
    });
  });

  it('lock down and open again by keyboard, with a reason', async () => {
    const page = await open(server, { state });
    await page.goto('/doors');
    await page.locator('[data-door]').first().waitFor();
    await page.keyboard.press('j');
    const id = await page.evaluate(() => document.activeElement?.getAttribute('data-door'));
    assert.ok(id, 'j goes to a door');
    await page.keyboard.press('l');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The way out and the fire release stay free').waitFor();
    const prove = async () => {
      const field = dialog.getByLabel('Your password');
      if (await field.isVisible()) await field.fill(PASSWORD);
    };
    const act = dialog.getByRole('button', { name: 'Lock down' });
    assert.ok(await act.isDisabled(), 'without a reason nothing happens');
    await dialog.getByLabel('Reason').fill('drill');
    await prove();
    await axe(page, 'the question before a lockdown');
    await shot(page, 'doors-lockdown-dark');
    await act.click();
    const card = page.locator(`[data-door="${id}"]`);
    await card.getByText('Lockdown', { exact: true }).waitFor();
    const told = await server.api(token, 'GET', `/events?kind=door.command&subject=door/${id}`);
    assert.deepEqual([told.body.items[0].data.command, told.body.items[0].data.reason], ['lockdown', 'drill']);
    await card.getByRole('button', { name: 'End lockdown' }).click();
    await dialog.getByLabel('Reason').fill('drill is over');
    await prove();
    await dialog.getByRole('button', { name: 'End lockdown' }).click();
    await card.getByText('Locked', { exact: true }).waitFor();
    await page.done();
  });

  it('ask for the password when it was given long ago', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/me', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), reauthenticatedAt: null } });
    });
    await page.goto('/doors');
    await page.getByRole('button', { name: 'Unlock gate' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('delivery');
    await dialog.getByLabel('Your password').fill('somebody else');
    await dialog.getByRole('button', { name: 'Unlock gate' }).click();
    await dialog.getByRole('alert').getByText('Not unlocked').waitFor();
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Unlock gate' }).click();
    await page.getByText(/: unlocked$/).waitFor();
    await page.done();
  });

  it('block a lost card from the log, and take it back', async () => {
    const page = await open(server, { state });
    await page.goto('/doors');
    await page
      .locator('[data-decision]')
      .getByRole('button', { name: /^Actions/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Card lost: block it' }).click();
    await page.getByText('credential blocked at doors and chargers').waitFor();
    const blocked = async () =>
      (await server.api(token, 'GET', '/credentials?limit=1000')).body.items.filter((c) => c.status === 'Blocked').length;
    const before = await blocked();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('credential works again').waitFor();
    assert.equal(await blocked(), before - 1);
    await page.done();
  });

  it('of another system are joined by a secret that is shown once, and tell what happens', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=doors');
    const dialog = page.getByRole('dialog');
    const choose = async (label, option) => {
      await dialog.getByLabel(new RegExp(`^${label}`)).first().click();
      await page.getByRole('option', { name: option }).first().click();
    };
    await page.getByRole('button', { name: 'Add controller' }).first().click();
    await choose('Driver', 'MQTT broker');
    await dialog.getByText('nothing of that time is known').waitFor();
    await choose('Driver', 'Another system');
    await choose('Site', '');
    await dialog.getByLabel('Name').fill('Lobby system');
    await axe(page, 'a controller of another system');
    await dialog.getByRole('button', { name: 'Add controller' }).click();
    await dialog.getByText('Shown this once').waitFor();
    const [events, secret] = await dialog.locator('code').allTextContents();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Add door' }).click();
    await choose('Site', '');
    await dialog.getByLabel('Name', { exact: true }).fill('Lobby');
    await choose('Controller', 'Lobby system');
    await dialog.getByLabel('Name in the other system').fill('north');
    await dialog.getByRole('button', { name: 'Add door' }).click();
    await dialog.waitFor({ state: 'detached' });
    const tell = async (body, key = secret) => {
      const text = JSON.stringify(body);
      const t = Math.floor(Date.now() / 1000);
      const v1 = createHmac('sha256', key).update(`${t}.${text}`).digest('hex');
      const headers = { 'Content-Type': 'application/json', 'X-Chargewatch-Signature': `t=${t},v1=${v1}` };
      return (await fetch(events, { method: 'POST', headers, body: text })).status;
    };
    const denied = { id: '1', door: 'north', kind: 'denied', card: 'FEED', reason: 'outsideHours' };
    assert.equal(await tell(denied, 'another'), 401);
    await until('it is heard', async () => (await tell(denied)) === 204);
    await page.goto('/doors');
    const card = page.locator('[data-door]', { hasText: 'Lobby' });
    await card.getByText('The other system decides').waitFor();
    await page.locator('[data-decision]', { hasText: 'Lobby' }).first().waitFor();
    await page.done();
  });

  it('say which part failed, and what there is without people', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/access/events?**', (route) =>
      route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"title":"It broke","status":500}' }),
    );
    await page.goto('/doors');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await page.locator('[data-door]').first().waitFor();
    await page.unroute('**/api/v1/access/events?**');
    await page.route('**/api/v1/me', async (route) => {
      const answer = await route.fetch();
      const me = await answer.json();
      await route.fulfill({ response: answer, json: { ...me, permissions: me.permissions.filter((p) => p !== 'people.read') } });
    });
    await page.goto('/doors');
    await page.locator('[data-door]').first().waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Who was there' }).count(), 0);
    await page.done();
  });
});
