import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, clientFrame, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

const broken = {
  status: 500,
  contentType: 'application/problem+json',
  body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
};

const list = (page) => page.getByRole('list', { name: 'Incidents' });
const row = (page, incident) => list(page).locator(`[data-id="${incident.id}"]`);
const dialog = (page, name) => page.getByRole('dialog', { name });

describe('the inbox of a network at work', () => {
  let server;
  let state;
  let token;
  const get = async (id) => (await server.api(token, 'GET', `/incidents/${id}`)).body;
  /** One that lasts and is nobody's, of the wanted kind; each is used once. */
  const used = new Set();
  const take = async (fits = () => true) => {
    const found = await until('there is an incident', async () => {
      const { body } = await server.api(token, 'GET', '/incidents?state=open,acknowledged&limit=1000');
      return body.items.find((i) => !used.has(i.id) && !i.claimedBy && i.station && fits(i));
    });
    used.add(found.id);
    return found;
  };
  const plain = (i) => !i.safety && i.severity !== 'S1' && i.repairedAt === null && i.class === '';

  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('looks right in every view', () =>
    inEveryView(server, state, '/incidents', 'incidents', (p) => list(p).getByRole('link').first().waitFor()));

  it('shows one of them in every view', async () => {
    const { id } = await take((i) => i.safety);
    await inEveryView(server, state, `/incidents/${id}`, 'incident', async (p) => {
      await p.getByRole('heading', { name: 'What happened around it' }).waitFor();
      await p.getByText('What to do first').waitFor();
      await p.getByRole('slider', { name: /moment/i }).waitFor();
    });
  });

  it('shows what follows from a common cause in every view', async () => {
    const { body } = await server.api(token, 'GET', '/incidents?limit=1000');
    const parent = body.items.find((i) => i.childrenCount > 1);
    assert.ok(parent, 'the history has a common cause');
    await inEveryView(server, state, `/incidents/${parent.id}`, 'incident-parent', (p) =>
      p.getByText(`${parent.childrenCount} incidents with this cause`).waitFor());
  });

  it('is in order: worst first, and a heading for each severity', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents');
    await list(page).getByRole('link').first().waitFor();
    const shown = await list(page)
      .locator('[data-id] svg[data-severity]')
      .evaluateAll((all) => all.map((e) => e.dataset.severity));
    assert.deepEqual(shown, shown.toSorted());
    await page.done();
  });

  it('counts on the rail what the summary counts', async () => {
    const page = await open(server, { state });
    await page.goto('/events');
    const badge = page.getByRole('navigation', { name: 'Main' }).getByText(/\d+ open incidents?, worst:/);
    await badge.waitFor();
    await until('the number is that of the server', async () => {
      const { body } = await server.api(token, 'GET', '/summary');
      return (await badge.textContent()).startsWith(`${body.incidents.open} `);
    });
    await page.done();
  });

  it('is worked by keyboard alone', async () => {
    const page = await open(server, { state });
    await page.goto('/events');
    await page.getByRole('heading', { name: 'Events' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForURL(/\/incidents/);
    await list(page).getByRole('link').first().waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.closest('[data-row]')?.dataset.row);
    await page.keyboard.press('j');
    await until('the first has the focus', async () => (await focused()) === '0');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await until('the second has the focus', async () => (await focused()) === '1');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    await page.getByText('2 selected').first().waitFor();
    await axe(page, 'two selected');
    await shot(page, 'incidents-selected');
    await page.getByRole('button', { name: 'Clear selection' }).click();
    await page.keyboard.press('/');
    await page.keyboard.type('zzz nothing');
    await page.getByText('No incident matches').waitFor();
    await page.waitForURL(/q=zzz/);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.keyboard.press('j');
    await until('a row has the focus', focused);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/incidents\/\w+/);
    await page.getByRole('heading', { level: 1 }).nth(1).waitFor();
    await page.done();
  });

  it('acknowledges with a note and an end, in two keys more than the note', async () => {
    const i = await take(plain);
    const page = await open(server, { state });
    await page.goto(`/incidents/${i.id}`);
    await page.getByRole('button', { name: 'Acknowledge' }).waitFor();
    await page.keyboard.press('a');
    const asked = dialog(page, 'Acknowledge');
    await asked.waitFor();
    await axe(page, 'the question of an acknowledgement');
    await shot(page, 'incident-acknowledge');
    await page.keyboard.type('on it, with a torch');
    await asked.getByText('In 4 h').click();
    await asked.getByLabel('Note (optional)').press('Enter');
    await asked.waitFor({ state: 'detached' });
    await page.getByText('on it, with a torch').waitFor();
    const now = await get(i.id);
    assert.equal(now.state, 'acknowledged');
    const ends = Date.parse(now.acknowledgedUntil) - Date.now();
    assert.ok(ends > 3.9 * 3_600_000 && ends <= 4 * 3_600_000, `ends in ${ends} ms`);
    await page.done();
  });

  it('claims at once, and takes it back', async () => {
    const i = await take(plain);
    const page = await open(server, { state });
    await page.goto(`/incidents/${i.id}`);
    await page.getByRole('button', { name: 'Claim' }).waitFor();
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Release' }).waitFor();
    assert.notEqual((await get(i.id)).claimedBy, null);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Claim' }).waitFor();
    await until('it is free', async () => (await get(i.id)).claimedBy === null);
    await page.done();
  });

  it('asks for a reason where somebody else has it, and shows what the server refuses', async () => {
    const i = await take(plain);
    const page = await open(server, { state });
    // A page that hears nothing does not know that somebody was faster.
    await page.routeWebSocket(/\/api\/v1\/live/, () => {});
    await page.goto(`/incidents/${i.id}`);
    await page.getByRole('button', { name: 'Claim' }).waitFor();
    assert.equal((await server.api(token, 'POST', `/incidents/${i.id}/claim`, {})).status, 200);
    await page.keyboard.press('c');
    await page.getByText(/somebody else has claimed the incident/).waitFor();
    await shot(page, 'incident-refused');
    // Now it knows, and asks.
    await until('the owner is shown', () => page.getByText(/e2e admin, until/).isVisible());
    await page.getByRole('button', { name: 'Claim' }).click();
    const asked = dialog(page, 'Claim');
    await asked.getByLabel('Reason').fill('their shift is over');
    await asked.getByRole('button', { name: 'Claim' }).click();
    await page.getByRole('button', { name: 'Release' }).waitFor();
    await page.getByText('their shift is over').waitFor();
    await page.done();
  });

  it('snoozes with a reason, out of the inbox', async () => {
    const i = await take(plain);
    const page = await open(server, { state });
    await page.goto(`/incidents?q=${i.id}`);
    await row(page, i).getByRole('link').focus();
    await page.keyboard.press('s');
    const asked = dialog(page, 'Snooze');
    await asked.getByLabel('Reason').waitFor();
    assert.ok(await asked.getByRole('button', { name: 'Snooze' }).isDisabled(), 'no snooze without a reason');
    await page.keyboard.type('the fitter comes at four');
    await page.keyboard.press('Enter');
    await asked.waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: /Snoozed/ }).click();
    await row(page, i).waitFor();
    assert.notEqual((await get(i.id)).snoozedUntil, null);
    await page.done();
  });

  it('closes with what was done, and opens again', async () => {
    const i = await take(plain);
    const page = await open(server, { state });
    await page.goto(`/incidents/${i.id}`);
    await page.getByRole('button', { name: 'Close incident' }).click();
    const asked = dialog(page, 'Close incident');
    await asked.getByLabel('What was done').fill('plug cleaned');
    await asked.getByRole('button', { name: 'Close incident' }).click();
    await page.getByRole('button', { name: 'Reopen incident' }).waitFor();
    assert.equal((await get(i.id)).state, 'closed');
    await page.getByRole('tab', { name: 'Closed' }).click();
    await row(page, i).waitFor();
    await page.getByRole('button', { name: 'Reopen incident' }).click();
    await dialog(page, 'Reopen incident').getByRole('button', { name: 'Reopen incident' }).click();
    await page.getByRole('button', { name: 'Close incident' }).waitFor();
    assert.notEqual((await get(i.id)).state, 'closed');
    await page.done();
  });

  it('leads to a playbook and to a work order, and takes the order along when it is closed', async () => {
    const { body: orders } = await until('the staff has its orders', async () => {
      const list = await server.api(token, 'GET', '/workorders?state=active&limit=1000');
      const done = await server.api(token, 'GET', '/workorders?state=done');
      return list.body.items.length >= 5 && done.body.items.length > 0 && list;
    });
    const one = await take((i) => plain(i) && !orders.items.some((o) => o.incidentId === i.id));
    const page = await open(server, { state });
    await page.goto(`/incidents/${one.id}`);
    const more = page.getByRole('button', { name: 'More actions' });
    await more.click();
    await page.getByRole('menuitem', { name: 'Run a playbook …' }).click();
    const run = page.getByRole('dialog', { name: 'Run playbook' });
    await run.getByRole('button', { name: 'Cancel' }).click();
    await run.waitFor({ state: 'detached' });

    await more.click();
    await page.getByRole('menuitem', { name: 'Create a work order' }).click();
    const form = page.getByRole('dialog', { name: 'Create work order' });
    await form.getByRole('button', { name: 'Create work order' }).click();
    const drawer = page.getByRole('dialog', { name: /^Order \d+$/ });
    const number = (await drawer.getByRole('heading', { name: /^Order \d+$/ }).textContent()).match(/\d+/)[0];
    await drawer.getByRole('link', { name: 'Incident', exact: true }).click();

    await page.getByRole('link', { name: new RegExp(`^Order ${number}, open`) }).waitFor();
    await more.click();
    await page.getByRole('menuitem', { name: `Show work order ${number}` }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Close incident' }).first().click();
    const ask = page.getByRole('dialog', { name: 'Close incident' });
    await ask.getByLabel('What was done').fill('Board replaced');
    assert.ok(await ask.getByLabel(/^Keep it open/).isChecked(), 'work is not called done by itself');
    await ask.getByLabel('Close it too, for the same reason').check();
    await axe(page, 'closing with an order');
    await shot(page, 'incident-close-order');
    await ask.getByRole('button', { name: 'Close incident' }).click();
    await page.getByRole('link', { name: new RegExp(`^Order ${number}, done`) }).waitFor();
    const { body: after } = await server.api(token, 'GET', `/workorders?incident=${one.id}`);
    assert.equal(after.items[0].state, 'done');
    await page.done();
  });

  it('gives one to somebody, and judges it', async () => {
    const i = await take((x) => x.class === '');
    const page = await open(server, { state });
    await page.goto(`/incidents/${i.id}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Assign' }).click();
    const asked = dialog(page, 'Assign');
    await asked.getByRole('combobox', { name: 'Person' }).waitFor();
    await asked.getByRole('button', { name: 'Assign' }).click();
    await page.getByText('You, assigned').waitFor();
    assert.notEqual((await get(i.id)).assignee, null);
    await page.keyboard.press('v');
    await dialog(page, 'Judge').getByText('False alarm').click();
    await dialog(page, 'Judge').getByRole('radio', { name: 'Equipment' }).click();
    await dialog(page, 'Judge').getByRole('button', { name: 'Judge' }).click();
    await until('it is judged', async () => (await get(i.id)).verdict === 'false');
    await page.done();
  });

  it('acknowledges several at once', async () => {
    const two = [await take(plain), await take(plain)];
    const page = await open(server, { state });
    await page.goto('/incidents');
    for (const i of two) {
      await page.getByLabel(/Filter by station/).fill(i.id);
      await row(page, i).hover();
      await row(page, i).getByRole('checkbox').click();
    }
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await dialog(page, 'Acknowledge').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('2 incidents acknowledged').waitFor();
    for (const i of two) assert.equal((await get(i.id)).state, 'acknowledged');
    await page.done();
  });

  it('leaves those who only look without buttons', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/me', async (r) => {
      const answer = await r.fetch();
      const me = await answer.json();
      await r.fulfill({ response: answer, json: { ...me, permissions: me.permissions.filter((p) => p !== 'incidents.act') } });
    });
    await page.goto('/incidents');
    await list(page).getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Activity' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Acknowledge' }).count(), 0);
    assert.equal(await page.getByLabel('Add a note').count(), 0);
    await page.done();
  });

  it('names what failed and offers to try again', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/incidents?*', (r) => r.fulfill(broken));
    await page.goto('/incidents');
    await page.getByText('Could not load: Incidents').waitFor();
    await page.getByText('the disk is full').waitFor();
    await axe(page, 'the inbox with an error');
    await shot(page, 'incidents-error');
    await page.unroute('**/api/v1/incidents?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await list(page).getByRole('link').first().waitFor();
    await page.done();
  });

  it('says so where there is no such incident', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents/nosuchthing');
    await page.getByText('There is no such incident').first().waitFor();
    await page.done();
  });

  it('stands on top of the overview, of its site and of its station', async () => {
    const i = await take((x) => x.siteId !== '');
    const page = await open(server, { state });
    await page.goto('/');
    await page.getByRole('heading', { name: /Open incidents/ }).waitFor();
    await page.goto(`/sites/${i.siteId}`);
    await page.getByRole('heading', { name: /Open incidents/ }).waitFor();
    await page.goto(`/stations/${i.station}`);
    await page.getByRole('heading', { name: 'Open incidents here' }).waitFor();
    await shot(page, 'station-incidents');
    // The panel names it; the time line has it as well.
    await page.locator(`a[href*="/incidents/${i.id}"]`).first().click();
    await page.waitForURL(new RegExp(`/incidents/${i.id}`));
    await page.done();
  });
});

describe('the inbox of a network of which nothing is known yet', () => {
  const markup = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';
  let server;
  let state;
  let token;
  let socket;
  before(async () => {
    server = await Server.start('serve', ['--onboarding', 'open']);
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill('three quiet words');
    await page.getByLabel('The same again').fill('three quiet words');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Overview' }).first().waitFor();
    state = await page.context().storageState();
    await page.done();
    token = server.token();
  });
  after(async () => {
    socket?.destroy();
    await server?.remove();
    await closeBrowser();
  });

  it('says that all is quiet, in every view', () =>
    inEveryView(server, state, '/incidents', 'incidents-empty', (p) => p.getByText('All quiet').waitFor()));

  it('shows a fault at once, what a station says as text', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents');
    await page.getByText('All quiet').waitFor();
    ({ socket } = await server.knock('EVIL-1'));
    const say = (n, action, payload) => socket.write(clientFrame(JSON.stringify([2, `m${n}`, action, payload])));
    say(1, 'BootNotification', { chargePointVendor: markup.slice(0, 20), chargePointModel: 'Two' });
    say(2, 'StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' });
    say(3, 'StatusNotification', {
      connectorId: 1,
      status: 'Faulted',
      errorCode: 'GroundFailure',
      info: markup.slice(0, 50),
      vendorErrorCode: markup.slice(0, 50),
      timestamp: new Date().toISOString(),
    });
    const first = list(page).getByRole('link').first();
    await first.waitFor();
    await first.click();
    await page.getByText(markup.slice(0, 50)).first().waitFor();
    assert.equal(await page.evaluate(() => window.hurt), undefined);
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    await axe(page, 'an incident that says markup');
    await shot(page, 'incident-hostile');
    // What somebody else does is seen without asking.
    const id = page.url().match(/incidents\/(\w+)/)[1];
    await server.api(token, 'POST', `/incidents/${id}/note`, { note: `written elsewhere ${markup}` });
    await page.getByText(/written elsewhere <img/).waitFor();
    await page.done();
  });
});
