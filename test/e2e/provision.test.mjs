import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('configuration profiles', () => {
  let server;
  let state;
  let token;
  let site;
  let station; // speaks OCPP 1.6, and is set
  const get = async (path) => (await server.api(token, 'GET', path)).body;
  const standing = (id) => get(`/stations/${id}/configuration/difference`);
  const dialog = (page) => page.getByRole('dialog');
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    const sites = (await get('/sites?limit=1000')).items.filter((s) => s.stations >= 2).sort((a, b) => a.stations - b.stations);
    await until('a station of OCPP 1.6 is set', async () => {
      for (const s of sites.slice(0, 8)) {
        const { items } = await get(`/stations?limit=1000&online=true&site=${encodeURIComponent(s.id)}`);
        for (const x of items.filter((x) => x.protocol === 'ocpp1.6')) {
          const is = await standing(x.id);
          if (is.state === 'set' || is.state === 'verified') {
            site = s;
            station = x;
            return true;
          }
        }
      }
      return false;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('tells how many measure as asked, in every view', async () => {
    const fleet = await get('/configuration-fleet');
    assert.ok(fleet.stations > 50, JSON.stringify(fleet));
    await inEveryView(server, state, '/settings?tab=profiles', 'profiles', (page) =>
      page.getByText(/of \d+ stations measure as their profiles ask/).waitFor(),
    );
  });

  it('makes an own profile of the one that comes along, and shows beforehand what it would do', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=profiles');
    await page.getByRole('button', { name: 'Actions: Default' }).click();
    await page.getByRole('menuitem', { name: 'Copy' }).click();
    await dialog(page).getByLabel('Name').fill('Closely');
    await dialog(page).getByRole('combobox', { name: 'Sites' }).fill(site.name);
    await page.getByRole('option', { name: site.name, exact: true }).click();
    await page.keyboard.press('Escape');
    await dialog(page).getByLabel('Name').click();
    const interval = dialog(page).getByLabel('Value', { exact: true }).first();
    await interval.fill('forty');
    await dialog(page).getByText('No preview').waitFor();
    await interval.fill('40');
    await dialog(page).getByLabel('Value for direct current').first().fill('20');
    await dialog(page).getByText(`It would hold for ${site.stations} stations.`).waitFor();
    await dialog(page).getByRole('combobox', { name: 'At one station' }).fill(station.id);
    await page.getByRole('option', { name: new RegExp(station.id) }).click();
    await dialog(page).getByText(/One setting would be set/).waitFor();
    await dialog(page).getByText('How often it measures while a car charges').last().scrollIntoViewIfNeeded();
    await shot(page, 'profiles-preview-dark');
    assert.equal((await get('/configuration-profiles')).items.length, 1, 'a preview keeps nothing');
    await dialog(page).getByRole('button', { name: 'Add profile' }).click();
    await page.getByRole('heading', { name: 'Closely' }).waitFor();
    await shot(page, 'profiles-own-dark');
    await page.done();
    const made = (await get('/configuration-profiles')).items.find((p) => p.name === 'Closely');
    assert.deepEqual(made.sites, [site.id]);
    await until('the station goes by it', async () => {
      const x = await standing(station.id);
      return ['set', 'verified', 'atRestart'].includes(x.state) && x.profiles.at(-1) === made.id && x.settings.some((s) => s.word === 'MeterValueSampleInterval' && ['40', '20'].includes(s.is));
    });
  });

  it('shows what somebody changed at a station, and sets it again', async () => {
    const said = await server.api(token, 'POST', `/stations/${station.id}/commands?wait=20s`, {
      action: 'ChangeConfiguration',
      payload: { key: 'TransactionMessageAttempts', value: '4' },
    });
    assert.equal(said.body.response?.status, 'Accepted', JSON.stringify(said.body));
    const page = await open(server, { state });
    await page.goto(`/stations/${station.id}?tab=configuration`);
    await page.getByRole('heading', { name: 'Configuration profile', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Read now' }).click();
    await page.getByText('Somebody changed settings that were as the profile asks.').waitFor();
    await page.getByText('changed by somebody').waitFor();
    await shot(page, 'profiles-drifted-dark');
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByText(/^All is set/).waitFor();
    await page.done();
    assert.equal((await standing(station.id)).settings.find((s) => s.word === 'TransactionMessageAttempts').is, '10');
    await inEveryView(server, state, `/stations/${station.id}?tab=configuration`, 'profiles-difference', (p) =>
      p.getByRole('heading', { name: 'Configuration profile', exact: true }).waitFor(),
    );
  });

  it('is edited in German and removed', async () => {
    const page = await open(server, { state, locale: 'de-DE' });
    await page.goto('/settings?tab=profiles');
    await page.getByRole('button', { name: 'Aktionen: Closely' }).click();
    await page.getByRole('menuitem', { name: 'Bearbeiten' }).click();
    await dialog(page).getByText('Nichts würde anders gesetzt als jetzt.').waitFor();
    await shot(page, 'profiles-edit-de');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Aktionen: Closely' }).click();
    await page.getByRole('menuitem', { name: 'Entfernen' }).click();
    await dialog(page).getByRole('button', { name: 'Entfernen' }).click();
    await until('it is gone', async () => (await get('/configuration-profiles')).items.length === 1);
    await page.done();
  });
});
