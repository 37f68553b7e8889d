// What people do about an incident of security: its checklist, whom to call, how it
// ends, and the hand-over of a shift.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, signIn, until } from './harness.mjs';

describe('the response to an incident', () => {
  let server;
  let state;
  let token;
  let raid;
  const get = async (id) => (await server.api(token, 'GET', `/incidents/${id}`)).body;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    // The control room of the demo has judged all of the past; one is looked into again.
    raid = await until('a cut cable was judged', async () => {
      const { body } = await server.api(token, 'GET', '/incidents?state=closed&limit=1000');
      return body.items.find((i) => i.closedByVerdict && i.class === 'cableTheft' && i.station && i.verdict === 'false');
    });
    const again = await server.api(token, 'POST', `/incidents/${raid.id}/reopen`, { reason: 'a cable is missing after all' });
    assert.equal(again.status, 200, JSON.stringify(again.body));
    await server.api(token, 'POST', `/incidents/${raid.id}/escalate`, { severity: 'S1' });
    const calls = await server.api(token, 'PUT', `/sites/${raid.siteId}/calls`, {
      contacts: [
        { role: 'police', name: 'Police', phone: '110', note: 'Object 4471' },
        { role: 'guard', name: 'Night guards', phone: '+49 40 555 01 20', hours: '00-24' },
      ],
    });
    assert.equal(calls.status, 200);
  });
  after(async () => {
    await closeBrowser();
    await server?.remove();
  });

  it('stands on its page in every view', () =>
    inEveryView(server, state, `/incidents/${raid.id}`, 'response', async (page) => {
      await page.locator('#procedure').getByRole('checkbox').first().waitFor();
      await page.locator('#calls').getByText('Night guards').waitFor();
      await page.evaluate(() => window.scrollTo(0, 0)); // nothing lies half behind the bar of a phone
    }));

  it('is worked through by keyboard, step by step', async () => {
    const page = await open(server, { state });
    await page.goto(`/incidents/${raid.id}`);
    const steps = page.locator('#procedure');
    await steps.getByRole('checkbox', { name: /Look at the live picture/ }).focus();
    await page.keyboard.press('Space');
    await until('the step is done', async () => (await get(raid.id)).steps?.some((s) => s.step === 'look' && s.outcome === 'done'));
    await steps.getByRole('button', { name: /^Does not apply: Check the other ports/ }).press('Enter');
    await page.keyboard.type('only one port');
    await page.keyboard.press('Enter');
    await until('the step is left out', async () =>
      (await get(raid.id)).steps?.some((s) => s.step === 'siblings' && s.outcome === 'skipped' && s.note === 'only one port'),
    );
    await steps.getByText('only one port').waitFor();
    await page.getByText('Does not apply: Check the other ports').first().waitFor();
    await page.done();
  });

  it('logs a call in one tap', async () => {
    const page = await open(server, { state, view: 'phone' });
    await page.goto(`/incidents/${raid.id}`);
    const guards = page.locator('#calls li', { hasText: 'Night guards' });
    assert.equal(await guards.getByRole('link').getAttribute('href'), 'tel:+49405550120');
    await guards.getByRole('button', { name: 'No answer' }).tap();
    await guards.getByText(/^No answer, /).waitFor();
    await page.getByText('Called Night guards: No answer').waitFor();
    await page.done();
  });

  it('ends by a verdict, a reason and two people', async () => {
    assert.equal((await server.api(token, 'PUT', '/incidents/closing', { secondPerson: true })).status, 200);
    const page = await open(server, { state });
    await page.goto(`/incidents/${raid.id}`);
    await page.getByRole('button', { name: 'Close incident' }).click();
    const dialog = page.getByRole('dialog');
    const close = dialog.getByRole('button', { name: 'Close incident' });
    await dialog.getByLabel('What was done').fill('cable renewed');
    await dialog.getByRole('radio', { name: 'Real' }).check();
    await dialog.getByLabel('Why no evidence was taken').fill('no camera there');
    await dialog.getByLabel(/^Why \d required steps were left out/).fill('police was faster');
    await close.click();
    await page.getByText('It waits for a second person').waitFor();
    assert.equal((await get(raid.id)).closeAsked.note.includes('cable renewed'), true);
    // The second person.
    const done = await server.api(token, 'POST', `/incidents/${raid.id}/close`, { reason: 'seen the place', verdict: 'real' });
    assert.equal(done.body.state, 'closed');
    await page.getByText('Judged: Real').waitFor();
    await page.done();
  });

  it('counts verdicts in the figures', () =>
    inEveryView(server, state, '/incidents/figures', 'response-figures', async (page) => {
      await page.locator('#precision').getByText('V05').waitFor();
      await page.locator('#precision').scrollIntoViewIfNeeded();
    }));

  it('is set up in the settings', () =>
    inEveryView(server, state, '/settings?tab=response', 'response-settings', (page) =>
      page.getByText('Two people close S1').waitFor()));

  it('hands a shift over', async () => {
    await inEveryView(server, state, '/incidents/handover', 'handover', (page) =>
      page.getByRole('button', { name: 'Take over' }).waitFor());
    const page = await open(server, { state });
    await page.goto('/incidents/handover');
    await page.getByLabel('Note for the shift').fill('The gate of the depot sticks.');
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.getByText('The gate of the depot sticks.').first().waitFor();
    await until('the shift is taken over', async () => {
      const { body } = await server.api(token, 'GET', '/handover');
      return body.last?.note === 'The gate of the depot sticks.';
    });
    const audit = await server.api(token, 'GET', '/audit?limit=50');
    assert.ok(audit.body.items.some((a) => a.action === 'shift.takeOver'));
    await page.done();
  });
});
