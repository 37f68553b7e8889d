import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('rules, detectors and silences', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('says what a rule is for while there is none, in every view', () =>
    inEveryView(server, state, '/rules', 'rules-empty', async (p) => {
      await p.getByText('No rules yet').waitFor();
    }));

  it('shows a fault at its place, tries the rule on the past and keeps it', async () => {
    const page = await open(server, { state });
    await page.goto('/rules?edit=new');
    const where = page.getByRole('textbox', { name: /^Condition/ });
    await where.fill('port.status == "Charging" &&\n  prot.evse == 1');
    await page.getByText("undeclared reference to 'prot'").waitFor();
    await page.getByRole('button', { name: 'line 2, column 3' }).click();
    assert.equal(await where.evaluate((e) => e.selectionStart), 'port.status == "Charging" &&\n  '.length);
    await shot(page, 'rules-fault');
    await where.fill('port.status == "Charging"');
    await page.getByText('The condition is in order.').waitFor();
    await page.getByRole('button', { name: 'Try' }).click();
    await page.getByText(/It would/).waitFor();
    await page.getByText(/^Covers/).waitFor();
    await axe(page, 'the editor');
    await shot(page, 'rules-tried');
    await page.getByLabel('Name').fill('Somebody charges');
    await page.getByLabel('What the incident is called').fill('A port is charging');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Somebody charges', exact: true }).waitFor();
    const { body } = await server.api(token, 'GET', '/rules/somebody-charges');
    assert.equal(body.where, 'port.status == "Charging"');
    // Sessions that run tell measurements all the time.
    await server.api(token, 'PATCH', '/rules/somebody-charges', { on: ['status', 'meter'] });
    await until('the rule holds somewhere', async () => {
      const answer = await server.api(token, 'GET', '/rules/somebody-charges');
      return answer.body.open > 0;
    });
    await page.done();
  });

  it('lists rules in every view', () =>
    inEveryView(server, state, '/rules', 'rules', async (p) => {
      await p.getByText('Somebody charges').waitFor();
    }));

  it('opens the editor in every view', () =>
    inEveryView(server, state, '/rules?edit=somebody-charges', 'rules-editor', async (p) => {
      await p.getByText('The condition is in order.').waitFor();
      await p.getByRole('button', { name: 'port.statusSeconds' }).waitFor();
    }));

  it('lists detectors in every view', () =>
    inEveryView(server, state, '/rules?tab=detectors', 'rules-detectors', async (p) => {
      await p.getByText('D01').first().waitFor();
    }));

  it('says what a rule needs, and where it is otherwise', async () => {
    const page = await open(server, { state });
    await page.goto('/rules?tab=detectors');
    const row = (id) => page.locator('tbody tr', { has: page.getByText(id, { exact: true }) });
    await row('C16').getByText('needs a payment terminal').waitFor();
    await row('C16').getByText('Chargewatch cannot listen to that yet').waitFor();
    assert.equal(await row('C16').getByRole('button', { name: 'Adjust' }).count(), 0);
    // Doors stand at some sites of the demo.
    const other = row('A01').getByRole('button', { name: /otherwise at/ });
    await other.click();
    await row('A01').locator('ul a').first().waitFor();
    assert.equal(await other.getAttribute('aria-expanded'), 'true');
    await page.done();
  });

  it('tries thresholds of a rule of security on the past, without saving them', async () => {
    const page = await open(server, { state });
    await page.goto('/rules?tab=detectors');
    const row = page.locator('tbody tr', { has: page.getByText('V05', { exact: true }) });
    await row.getByRole('button', { name: 'Adjust' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Turn it off there').check();
    await dialog.getByRole('button', { name: 'Try', exact: true }).click();
    await dialog.getByText('With this draft').waitFor();
    await dialog.getByText(/^Covers/).waitFor();
    await axe(page, 'a draft that is tried');
    await shot(page, 'rules-draft');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const { body } = await server.api(token, 'GET', '/detectors');
    assert.deepEqual(body.items.find((d) => d.id === 'V05').overrides, []);
    await page.done();
  });

  it('shows that a site is on its guard after a raid, until somebody ends it', async () => {
    const { body: raid } = await server.api(token, 'POST', '/demo/raid', { kind: 'idle' });
    await until(
      'the raid is found',
      async () => (await server.api(token, 'GET', `/sites/${raid.siteId}/posture`)).body.heightened,
      240_000,
    );
    await inEveryView(server, state, `/sites/${raid.siteId}`, 'site-guard', async (p) => {
      await p.getByText(/^On its guard until/).waitFor();
    });
    const page = await open(server, { state });
    await page.goto(`/sites/${raid.siteId}`);
    const said = page.getByText(/^On its guard until/);
    await said.waitFor();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('a guard is there');
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await said.waitFor({ state: 'detached' });
    const { body } = await server.api(token, 'GET', `/sites/${raid.siteId}/posture`);
    assert.equal(body.heightened, false);
    await page.done();
  });

  it('says what a silence would mute, and starts and ends it', async () => {
    const page = await open(server, { state });
    await page.goto('/rules?tab=silences');
    await page.getByText('Nothing is silenced').waitFor();
    await page.getByRole('button', { name: 'Add a silence' }).first().click();
    await page.getByLabel('Reason').fill('a crane is at work');
    await page.getByText(/^Mutes/).waitFor();
    await axe(page, 'a new silence');
    await shot(page, 'rules-silence-new');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('a crane is at work').waitFor();
    await shot(page, 'rules-silences');
    await page.getByRole('button', { name: 'End' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await page.getByText('Nothing is silenced').waitFor();
    await page.done();
  });
});
