import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, clientFrame, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

const broken = {
  status: 500,
  contentType: 'application/problem+json',
  body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
};
const nothing = { status: 200, contentType: 'application/json', body: '{"items":[],"nextCursor":""}' };

describe('what was: sessions, events, calls', () => {
  let server;
  let state;
  let token;
  let charging;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    charging = await until('somebody charges', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&status=Charging&online=true');
      for (const s of body.items) {
        const evse = s.evses.find((e) => e.status === 'Charging' && e.sessionId && e.publicId && e.powerW > 1000);
        if (evse) return { station: s.id, evse };
      }
      return undefined;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const failing = async (path, api, what) => {
    const page = await open(server, { state });
    await page.route(`**/api/v1/${api}?*`, (r) => r.fulfill(broken));
    await page.goto(path);
    await page.getByText(`Could not load: ${what}`).first().waitFor();
    await page.getByText('the disk is full').first().waitFor();
    await page.getByRole('link', { name: 'Overview' }).first().waitFor();
    await axe(page, `${path} with an error`);
    await page.done();
  };

  describe('the call desk', () => {
    const path = () => `/desk?evse=${charging.station}/${charging.evse.id}`;

    it('looks right in every view', () =>
      inEveryView(server, state, path(), 'desk', (p) =>
        p.getByRole('region', { name: 'Last five tries' }).or(p.getByText('Last five tries')).first().waitFor()));

    it('asks what the caller reads out, in every view', () =>
      inEveryView(server, state, '/desk', 'desk-empty', (p) => p.getByText('What does the caller read out?').waitFor()));

    it('leads from the sticker to the answer by keyboard alone', async () => {
      const page = await open(server, { state });
      await page.goto('/desk');
      const field = page.getByRole('combobox', { name: /Id on the sticker/ });
      await until('the field has the focus', () => field.evaluate((e) => e === document.activeElement));
      await page.keyboard.type(charging.evse.publicId.replaceAll('*', ' ').toLowerCase());
      await page.getByRole('option').first().waitFor();
      await axe(page, 'what was found');
      await shot(page, 'desk-found');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: charging.evse.publicId }).waitFor();
      await page.getByText('Nothing is wrong with the port').waitFor();
      await page.getByText('Charging now').waitFor();
      assert.match(page.url(), /evse=/);
      // Everything for the call is on one screen.
      const below = await page.evaluate(() => {
        const e = [...document.querySelectorAll('button')].find((b) => b.textContent.includes('Restart station'));
        return e.getBoundingClientRect().bottom;
      });
      assert.ok(below < 900, `the last act ends at ${below}`);
      await page.done();
    });

    it('finds a card by its end and tells its last tries', async () => {
      const { body } = await server.api(token, 'GET', '/sessions?limit=50&active=true');
      const session = body.items.find((s) => s.idToken.length > 8);
      const page = await open(server, { state });
      await page.goto('/desk');
      await page.getByRole('combobox', { name: /Id on the sticker/ }).fill(session.idToken.slice(-6));
      const hit = page.getByRole('option').filter({ hasText: 'Card' }).first();
      await hit.waitFor();
      assert.ok(!(await hit.innerText()).includes(session.idToken), 'the card is shown whole');
      await hit.click();
      await page.getByText('Last tries with this card').waitFor();
      await page.getByRole('link', { name: new RegExp(`^${session.station}`) }).first().waitFor();
      await axe(page, 'the tries with a card');
      await page.done();
    });

    it('says what an act ends, asks once more, and tells what the station said', async () => {
      const page = await open(server, { state });
      await page.goto(path());
      await page.getByText(/^Ends 1 running session of/).waitFor();
      const stop = page.getByRole('button', { name: 'Stop charging' });
      await stop.focus();
      await page.keyboard.press('Enter');
      const sure = page.getByRole('button', { name: 'Stop it now' });
      await until('the second button has the focus', () => sure.evaluate((e) => e === document.activeElement));
      await axe(page, 'an act that asks once more');
      await page.keyboard.press('Enter');
      await page.getByText(/The station did it \(Accepted\)/).waitFor();
      await page.getByText('No session runs at this port.').waitFor();
      await shot(page, 'desk-stopped');
      await page.done();
    });

    it('says that there is no such station', async () => {
      const page = await open(server, { state });
      await page.goto('/desk?evse=NOBODY/1');
      await page.getByText('There is no station NOBODY').waitFor();
      await axe(page, 'an unknown station at the desk');
      await page.done();
    });

    it('keeps the rest when the tries cannot be read', () => failing(path(), 'attempts', 'Last five tries'));
  });

  describe('sessions', () => {
    const table = (p) => p.getByRole('table', { name: 'Sessions' });

    it('looks right in every view', () =>
      inEveryView(server, state, '/sessions', 'sessions', (p) => table(p).getByRole('row').nth(8).waitFor()));

    it('opens one by keyboard, with its curve and what was said', async () => {
      const page = await open(server, { state });
      await page.goto('/sessions?state=ended');
      await table(page).getByRole('row').nth(3).waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      const drawer = page.getByRole('dialog');
      await drawer.getByText('What was said').waitFor();
      await drawer.getByText('Started').first().waitFor();
      assert.match(page.url(), /open=S/);
      await axe(page, 'a session');
      await shot(page, 'session-open');
      await page.keyboard.press('Escape');
      await drawer.waitFor({ state: 'detached' });
      await page.done();
    });

    it('shows those of one station only', async () => {
      const page = await open(server, { state });
      await page.goto(`/sessions?station=${charging.station}`);
      const rows = table(page).locator('[data-row]');
      await rows.first().waitFor();
      for (const text of await rows.allInnerTexts()) assert.match(text, new RegExp(charging.station));
      await page.getByRole('button', { name: `At ${charging.station}` }).click();
      await until('others are shown too', async () =>
        (await rows.allInnerTexts()).some((text) => !text.includes(charging.station)),
      );
      await page.done();
    });

    it('saves what it shows', async () => {
      const page = await open(server, { state });
      await page.goto('/sessions');
      await table(page).getByRole('row').nth(3).waitFor();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as CSV' }).click(),
      ]);
      const csv = readFileSync(await file.path(), 'utf8');
      assert.match(csv.split('\r\n')[0], /id,startedAt/);
      assert.ok(csv.split('\r\n').length > 10);
      await page.getByText(/rows saved/).waitFor();
      await page.done();
    });

    it('says why it is empty', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/sessions?*', (r) => r.fulfill(nothing));
      await page.goto('/sessions');
      await page.getByText('No session in this time').waitFor();
      await axe(page, 'no sessions');
      await page.done();
    });

    it('names what failed', () => failing('/sessions', 'sessions', 'Sessions'));
  });

  describe('events', () => {
    const table = (p) => p.getByRole('table', { name: 'Events' });

    it('looks right in every view', () =>
      inEveryView(server, state, '/events', 'events', (p) => table(p).getByRole('row').nth(8).waitFor()));

    it('shows one kind, then reads older ones as it is scrolled', async () => {
      const page = await open(server, { state });
      await page.goto('/events?follow=off');
      await table(page).getByRole('row').nth(3).waitFor();
      await page.getByRole('button', { name: 'States', exact: true }).click();
      await page.waitForURL(/kind=states/);
      await table(page).getByRole('row').nth(3).waitFor();
      const count = async () => Number(await table(page).getAttribute('aria-rowcount'));
      const before = await count();
      await table(page).evaluate((e) => e.parentElement.scrollTo(0, e.parentElement.scrollHeight));
      await until('older ones are there', async () => (await count()) > before);
      for (const kind of await table(page).locator('[data-row] > :nth-child(2)').allInnerTexts()) assert.equal(kind, 'State');
      await page.done();
    });

    it('never moves under the hand: new ones wait to be asked for', async () => {
      const page = await open(server, { state });
      await page.goto('/events');
      await table(page).getByRole('row').nth(5).waitFor();
      await page.keyboard.press('j');
      const first = () => table(page).locator('[data-row="0"]').innerText();
      const before = await first();
      const pill = page.getByRole('button', { name: /new events?$/ });
      await pill.waitFor();
      assert.equal(await first(), before);
      await axe(page, 'events that wait');
      await pill.click();
      await until('they are shown', async () => (await first()) !== before);
      await page.done();
    });

    it('opens one whole, with the record as it stands', async () => {
      const page = await open(server, { state });
      await page.goto('/events?kind=sessions&follow=off');
      await table(page).getByRole('row').nth(3).waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      const drawer = page.getByRole('dialog');
      await drawer.getByText('"stage"').waitFor();
      await drawer.getByRole('link', { name: 'Open session' }).waitFor();
      await axe(page, 'an event');
      await shot(page, 'event-open');
      await page.done();
    });

    it('says why it is empty', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/events?*', (r) => r.fulfill(nothing));
      await page.goto('/events?kind=findings');
      await page.getByText('No event in this time').waitFor();
      await axe(page, 'no events');
      await page.done();
    });

    it('names what failed', () => failing('/events', 'events', 'Events'));
  });

  describe('the list of stations', () => {
    const table = (p) => p.getByRole('table', { name: 'Stations' });

    it('tags what was picked by keyboard, and takes it back', async () => {
      const page = await open(server, { state });
      await page.goto('/stations?cols=state,model,tags');
      await table(page).getByRole('row').nth(6).waitFor();
      for (const key of ['j', 'x', 'j', 'j', 'Shift+X']) await page.keyboard.press(key);
      await page.getByText('3 stations picked').waitFor();
      await axe(page, 'picked stations');
      await page.getByRole('combobox', { name: 'Tag' }).fill('Winter service');
      await page.getByRole('button', { name: 'Add tag' }).click();
      await page.getByText('Tag “Winter service” added to 3 stations').waitFor();
      const tagged = table(page).locator('[data-row]').filter({ hasText: 'Winter service' });
      await until('the tags are shown', async () => (await tagged.count()) === 3);
      await shot(page, 'stations-tagged');
      await page.getByRole('button', { name: 'Undo' }).click();
      await until('the tags are gone', async () => (await tagged.count()) === 0);
      await page.done();
    });

    it('shows those with a tag', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=2');
      const ids = body.items.map((s) => s.id);
      await server.api(token, 'POST', '/stations/tags', { stations: ids, add: ['On lease'] });
      const page = await open(server, { state });
      await page.goto('/stations?tag=on lease');
      await page.getByText(/^2 of \d+ stations/).waitFor();
      await axe(page, 'a list by tag');
      await page.done();
    });

    it('saves a view, opens it and removes it', async () => {
      const page = await open(server, { state });
      await page.goto('/stations?state=charging&sort=power&cols=site,power');
      await page.getByRole('button', { name: 'Views' }).click();
      await page.getByRole('menuitem', { name: 'Save this view' }).click();
      await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Who charges most');
      await axe(page, 'saving a view');
      await page.getByRole('button', { name: 'Save view' }).click();
      await page.getByText('View “Who charges most” saved').waitFor();
      await page.goto('/stations');
      await page.getByRole('button', { name: 'Views' }).click();
      await page.getByRole('menuitem', { name: 'Who charges most' }).click();
      await page.waitForURL(/sort=power/);
      assert.match(decodeURIComponent(page.url()), /cols=site,power/);
      await page.done();
    });

    it('saves the list', async () => {
      const page = await open(server, { state });
      await page.goto('/stations');
      await table(page).getByRole('row').nth(3).waitFor();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as CSV' }).click(),
      ]);
      const lines = readFileSync(await file.path(), 'utf8').split('\r\n');
      assert.match(lines[0], /id,label,site/);
      assert.ok(lines.length > 50);
      await page.done();
    });
  });

  describe('who may come in', () => {
    const boot = (id, model) =>
      clientFrame(JSON.stringify([2, id, 'BootNotification', { chargePointVendor: 'Acme', chargePointModel: model }]));

    it('is approved at a site, rejected or forgotten', async () => {
      for (const [id, model] of [['NEW-YES', 'One'], ['NEW-NO', 'Two']]) {
        const { status, socket } = await server.knock(id);
        assert.equal(status, 101);
        socket.write(boot('1', model));
      }
      const page = await open(server, { state });
      await page.goto('/stations?tab=pending');
      await page.getByRole('rowheader', { name: 'NEW-YES' }).waitFor();
      await page.getByRole('rowheader', { name: 'NEW-NO' }).waitFor();
      await axe(page, 'stations that wait');
      await shot(page, 'stations-pending');
      await page.getByRole('button', { name: 'Reject station NEW-NO' }).click();
      await page.getByRole('heading', { name: 'Rejected stations' }).waitFor();
      await page.getByRole('button', { name: 'Forget station NEW-NO' }).waitFor();
      await page.getByRole('button', { name: 'Approve station NEW-YES' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Plugs and power of this model are not known yet').waitFor();
      await axe(page, 'approving a station');
      await dialog.getByRole('textbox', { name: 'Site' }).or(dialog.getByRole('combobox', { name: 'Site' })).first().click();
      await page.getByRole('option').first().click();
      await dialog.getByRole('button', { name: 'Approve' }).click();
      await page.getByText('Station NEW-YES is approved and asked to boot').waitFor();
      await page.getByRole('button', { name: 'Forget station NEW-NO' }).click();
      await page.getByRole('rowheader', { name: 'NEW-NO' }).waitFor({ state: 'detached' });
      const { body } = await server.api(token, 'GET', '/stations/NEW-YES');
      assert.equal(body.onboarding, 'accepted');
      assert.notEqual(body.siteId, '');
      await page.done();
    });
  });
});
