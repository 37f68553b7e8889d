import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, signIn, until } from './harness.mjs';

describe('figures of incidents', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('there are incidents', async () => {
      const { body } = await server.api(token, 'GET', '/incidents/figures');
      return body.all.opened > 5 && body.all.repaired > 0;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('are shown in every view, with what is promised', async () => {
    await inEveryView(server, state, '/incidents/figures', 'measures', async (page) => {
      await page.getByText('Mean time to restoration (MTTR)').waitFor();
      await page.getByRole('region', { name: 'Compared' }).waitFor();
      await page.getByRole('region', { name: 'What is promised' }).getByText('Everywhere').waitFor();
    });
  });

  it('are found from the list, and the list from them', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents');
    await page.getByRole('link', { name: 'Figures' }).click();
    await page.waitForURL('**/incidents/figures');
    await page.getByText('Incidents opened').first().waitFor();
    await page.getByRole('link', { name: 'List' }).click();
    await page.waitForURL(/\/incidents(\?|$)/);
    await page.done();
  });

  it('follow the period, the severity and the kind, which stand in the address', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents/figures');
    const opened = page.getByText('Incidents opened').first().locator('xpath=../p[2]');
    const number = async () => Number((await opened.innerText()).replace(/\D/g, ''));
    await opened.waitFor();
    const all = await number();
    await page.getByRole('button', { name: /S2/ }).click();
    await page.waitForURL(/sev=S2/);
    await until('fewer are counted', async () => (await number()) < all);
    await page.getByText('7 days').click();
    await page.waitForURL(/span=7d/);
    await page.getByText('Station', { exact: true }).click();
    await page.waitForURL(/by=station/);
    const { body } = await server.api(token, 'GET', '/incidents/figures?severity=S2');
    assert.ok(body.all.opened < all);
    await page.goto('/incidents/figures?kind=no.such.kind');
    await page.getByText('No incidents in this period').waitFor();
    await axe(page, 'no figures');
    await page.done();
  });

  it('can be saved as a table and read as one', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents/figures');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV', exact: true }).click();
    const text = readFileSync(await (await download).path(), 'utf8');
    assert.match(text, /^group,key,name,from,to,opened/);
    assert.match(text, /\nseverity,S\d/);
    await page.getByRole('button', { name: 'As a table' }).first().click();
    await page.getByRole('region', { name: 'Incidents opened' }).getByRole('row').first().waitFor();
    await axe(page, 'figures as a table');
    await page.done();
  });

  it('promises are changed by an admin, and the clocks follow', async () => {
    const page = await open(server, { state });
    await page.goto('/incidents/figures');
    const panel = page.getByRole('region', { name: 'What is promised' });
    await panel.getByRole('button', { name: 'Change' }).first().click();
    const form = page.getByRole('dialog', { name: 'What is promised: Everywhere' });
    await form.getByLabel('S2: Acknowledge within').fill('90');
    await form.getByLabel('S2: Repair within').fill('30');
    await form.getByRole('button', { name: 'Save promises' }).click();
    await form.getByText('must not be later than the repair').first().waitFor();
    await axe(page, 'a promise that cannot be kept');
    await form.getByLabel('S2: Repair within').fill('120');
    await form.getByRole('button', { name: 'Save promises' }).click();
    await form.waitFor({ state: 'hidden' });
    await panel.getByText('90 min').waitFor();
    const { body } = await server.api(token, 'GET', '/sla');
    assert.deepEqual(body.items[0].severities.S2, { ackMinutes: 90, repairMinutes: 120 });
    await page.getByRole('button', { name: 'Add promises of a site' }).click();
    const site = page.getByRole('dialog', { name: 'Promises of a site' });
    await site.getByLabel('Site', { exact: true }).click();
    await page.getByRole('option').first().click();
    await site.getByLabel('S1: Acknowledge within').fill('2');
    await site.getByRole('button', { name: 'Save promises' }).click();
    await site.waitFor({ state: 'hidden' });
    await panel.getByText('2 min', { exact: true }).waitFor();
    await panel.getByRole('button', { name: 'Change' }).last().click();
    await page.getByRole('button', { name: 'Follow what holds everywhere' }).click();
    await page.getByRole('button', { name: 'Take promises back' }).click();
    await until('it is taken back', async () => (await server.api(token, 'GET', '/sla')).body.items.length === 1);
    await page.done();
  });

  it('an alert of another system is an incident with its labels, on the timeline of its station, until it is resolved', async () => {
    const { body: stations } = await server.api(token, 'GET', '/stations?limit=1');
    const station = stations.items[0].id;
    const alert = (status) =>
      server.api(token, 'POST', '/integrations/alertmanager?station=charger', {
        alerts: [
          {
            status,
            fingerprint: 'e2e1',
            labels: { alertname: 'CabinetDoor', charger: station, severity: 'warning', team: 'north' },
            annotations: { summary: 'The cabinet door is open' },
          },
        ],
      });
    assert.equal((await alert('firing')).status, 200);
    const incident = await until('it is an incident', async () => {
      const { body } = await server.api(token, 'GET', '/incidents?state=active&kind=external/CabinetDoor');
      return body.items[0];
    });
    assert.equal(incident.station, station);
    assert.equal(incident.severity, 'S3');
    const page = await open(server, { state });
    await page.goto(`/stations/${station}`);
    await page.getByRole('navigation', { name: 'Incidents' }).getByRole('link', { name: /cabinet door/i }).click();
    await page.getByRole('heading', { name: /cabinet door is open/i }).waitFor();
    await page.getByRole('list', { name: 'Labels' }).getByText('north').waitFor();
    await axe(page, 'an incident of another system');
    assert.equal((await alert('resolved')).status, 200);
    await until('it is repaired', async () => {
      const { body } = await server.api(token, 'GET', `/incidents/${incident.id}`);
      return body.repairedAt !== null;
    });
    await page.done();
  });

  it('say which part failed', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/incidents/figures?*', (r) => r.fulfill({ status: 503, body: '{}' }));
    await page.goto('/incidents/figures');
    await page.getByRole('alert').getByText('The figures').waitFor();
    await page.done();
  });
});
