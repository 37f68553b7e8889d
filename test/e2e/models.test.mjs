import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// Models that stations report, and what the operator says of them.
describe('models', () => {
  let server;
  let state;
  let token;
  let station;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    // One model of OCPP 1.6 whose layout nobody decides for the single station.
    await until('a station is there', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      const reported = await unknown();
      station = body.items.find(
        (s) =>
          s.protocol === 'ocpp1.6' &&
          s.layoutSource === 'person' &&
          s.evses.length === 1 &&
          reported.some((u) => u.vendor === s.vendor && u.model === s.model),
      );
      return station && reported.length > 5;
    });
    await server.api(token, 'PATCH', `/stations/${station.id}`, { evses: [] });
    await until('nobody says what it is made of', async () => {
      const { body } = await server.api(token, 'GET', `/stations/${station.id}`);
      return body.layoutSource === '';
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const dialog = (page) => page.getByRole('dialog');
  const unknown = async () => (await server.api(token, 'GET', '/models/unmatched')).body.items;
  const name = () => `${station.vendor} ${station.model}`;

  it('takes what is known of a model as an entry', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=models');
    await page.getByRole('heading', { name: 'Reported and not described' }).waitFor();
    await shot(page, 'models-dark');
    const before = await unknown();
    const first = before.find((u) => u.suggestion?.complete && u.model !== station.model);
    await page.getByRole('button', { name: /^Show all/ }).click();
    const row = page.getByRole('row').filter({ hasText: `${first.vendor} ${first.model}` }).first();
    await row.getByRole('button', { name: 'Add as it is' }).click();
    await page.getByText(`${first.vendor} ${first.model} added`).waitFor();
    await until('it is described', async () => (await unknown()).length === before.length - 1);
  });

  it('says what a model is built of, and its stations are built so', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=models');
    await page.getByRole('button', { name: 'Add model' }).click();
    await dialog(page).getByLabel('Vendor, as reported').fill(station.vendor);
    await dialog(page).getByLabel('Model begins with').fill(station.model);
    await dialog(page).getByLabel('Rated power').fill('43');
    await dialog(page).getByRole('button', { name: 'Add port' }).click();
    await dialog(page).getByLabel('Shares power as').first().fill('both');
    await dialog(page).getByLabel('Shares power as').last().fill('both');
    await shot(page, 'models-form-dark');
    const source = dialog(page).getByLabel('Source');
    await source.fill('type plate of the station');
    // A connector is there once.
    await dialog(page).getByLabel('Number of a connector of port 2').fill('1');
    await dialog(page).getByRole('button', { name: 'Add model' }).click();
    await dialog(page).getByText('is there twice').first().waitFor();
    await dialog(page).getByLabel('Number of a connector of port 2').fill('2');
    await dialog(page).getByRole('button', { name: 'Add model' }).click();
    await dialog(page).waitFor({ state: 'hidden' });
    await page.getByText('type plate of the station').waitFor();
    await until('the station is built so', async () => {
      const { body } = await server.api(token, 'GET', `/stations/${station.id}`);
      return body.layoutSource === 'catalogue' && body.evses.length === 2 && body.evses[0].ratedW === 43000;
    });
  });

  it('takes it back', async () => {
    const page = await open(server, { state });
    await page.goto(`/settings?tab=models&q=${encodeURIComponent('type plate')}`);
    await page.getByRole('button', { name: `Actions: ${name()}` }).click();
    await page.getByRole('menuitem', { name: 'Remove model' }).click();
    await dialog(page).getByText(/1 station|stations/).first().waitFor();
    await dialog(page).getByRole('button', { name: 'Remove model' }).click();
    await dialog(page).waitFor({ state: 'hidden' });
    await until('nobody says what it is made of', async () => {
      const { body } = await server.api(token, 'GET', `/stations/${station.id}`);
      return body.layoutSource === '';
    });
    const { body } = await server.api(token, 'GET', '/audit?limit=50');
    const acts = body.items.map((x) => x.action);
    assert.ok(acts.includes('model.create') && acts.includes('model.delete'), acts.join(' '));
  });

  it('holds its width in every view', async () => {
    await inEveryView(server, state, '/settings?tab=models', 'settings-models', (p) =>
      p.getByText('Comes along').first().waitFor(),
    );
  });
});
