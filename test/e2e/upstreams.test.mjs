import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// A second server plays the system that the operator has already.
describe('upstream systems', () => {
  let server;
  let theirs;
  let state;
  let token;
  let site;
  before(async () => {
    theirs = await Server.start('serve', ['--onboarding', 'open']);
    server = await Server.start('demo', ['--allow-net', '127.0.0.1']);
    state = await signIn(server);
    token = server.token('admin');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50;
    });
    const { body } = await server.api(token, 'GET', '/sites?limit=1000');
    site = body.items.filter((s) => s.stations > 0).sort((a, b) => a.stations - b.stations)[0];
  });
  after(async () => {
    await server?.remove();
    await theirs?.remove();
    await closeBrowser();
  });

  const dialog = (page) => page.getByRole('dialog');
  const health = async (id) => (await server.api(token, 'GET', `/upstreams/${id}`)).body;

  it('is added, tested, and given a site', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=upstreams');
    await page.getByText('No upstream system').waitFor();
    await shot(page, 'upstreams-empty-dark');
    await page.getByRole('button', { name: 'Add system' }).click();
    await dialog(page).getByLabel('Name').fill('Billing');
    await dialog(page).getByLabel('Address for stations').fill('https://example.com');
    await dialog(page).getByText('Begins with wss://').waitFor();
    await dialog(page).getByLabel('Address for stations').fill(`ws://127.0.0.1:${theirs.ocppPort}/ocpp`);
    await shot(page, 'upstreams-form-dark');
    await dialog(page).getByRole('button', { name: 'Add system' }).click();
    await page.getByText('No station is relayed to it yet.').waitFor();

    await page.getByRole('button', { name: 'Actions: Billing' }).click();
    await page.getByRole('menuitem', { name: 'Test connection' }).click();
    await dialog(page).getByLabel('Connect as station').fill('TEST-1');
    await dialog(page).getByRole('button', { name: 'Test connection' }).click();
    await dialog(page).getByText(/Connected after/).waitFor();
    await shot(page, 'upstreams-test-dark');
    await page.keyboard.press('Escape');

    await page.goto(`/settings?tab=sites&q=${encodeURIComponent(site.name)}`);
    await page.getByRole('button', { name: `Actions: ${site.name}` }).click();
    await page.getByRole('menuitem', { name: /Edit|Change/ }).click();
    await dialog(page).getByRole('combobox', { name: 'Central system' }).click();
    await page.getByRole('option', { name: /Billing/ }).click();
    await shot(page, 'upstreams-site-dark');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await until('the dialog is closed', async () => (await dialog(page).count()) === 0);
    await page.done();
    const [up] = (await server.api(token, 'GET', '/upstreams')).body.items;
    await until('its stations speak to it', async () => (await health(up.id)).health.stations >= site.stations);
    await until('it knows them', async () => {
      const { body } = await theirs.api(theirs.token('admin'), 'GET', '/stations?limit=1000&online=true');
      return body.items.length >= site.stations;
    });
    await until('frames pass', async () => (await health(up.id)).health.frames > 20);
    assert.equal((await health(up.id)).health.gapFrames, 0);
  });

  it('shows how it goes in every view', async () => {
    await inEveryView(server, state, '/settings?tab=upstreams', 'upstreams', (page) =>
      page.getByText('Delay added (99 %)').waitFor(),
    );
  });

  it('tells of a system that is away, and of one station that is not relayed', async () => {
    const [up] = (await server.api(token, 'GET', '/upstreams')).body.items;
    const { body } = await server.api(token, 'GET', `/stations?limit=1&site=${encodeURIComponent(site.id)}`);
    const station = body.items[0].id;
    const page = await open(server, { state, locale: 'de-DE' });
    await page.goto(`/settings?tab=stations&q=${encodeURIComponent(station)}`);
    await page.getByRole('button', { name: `Aktionen: ${station}` }).click();
    await page.getByRole('menuitem', { name: 'Zentrales System wählen' }).click();
    await dialog(page).getByRole('combobox', { name: 'Zentrales System' }).click();
    await page.getByRole('option', { name: 'Dieser Server' }).click();
    await shot(page, 'upstreams-station-de');
    await dialog(page).getByRole('button', { name: 'Speichern' }).click();
    await until('the station speaks to us', async () => {
      const { body } = await server.api(token, 'GET', `/stations/${encodeURIComponent(station)}`);
      return body.relay.then === '' && body.relay.now === '';
    });
    await theirs.stop();
    await until('the loss is known', async () => (await health(up.id)).health.lastUnreached !== null);
    await page.goto('/settings?tab=upstreams');
    await page.getByText('Zuletzt nicht erreicht').waitFor();
    await page.getByText('unter der Adresse hört niemand zu').waitFor();
    await shot(page, 'upstreams-away-de');
    await page.done();
    // One request takes the whole site back.
    await server.api(token, 'PATCH', `/sites/${encodeURIComponent(site.id)}`, { upstream: '' });
    await until('all are back', async () => {
      const { body } = await server.api(token, 'GET', `/stations?limit=1000&online=true&site=${encodeURIComponent(site.id)}`);
      return body.items.length >= site.stations;
    });
  });
});
