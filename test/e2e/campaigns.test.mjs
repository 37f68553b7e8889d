import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('campaigns', () => {
  let server;
  let state;
  let token;
  let site;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50;
    });
    const { body } = await server.api(token, 'GET', '/sites?limit=1000');
    site = body.items.filter((s) => s.stations >= 3).sort((a, b) => a.stations - b.stations)[0];
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const dialog = (page) => page.getByRole('dialog');
  const campaigns = async () => (await server.api(token, 'GET', '/campaigns')).body.items;

  it('is made with a preview, started and told to its end', async () => {
    const page = await open(server, { state });
    await page.goto('/stations?tab=campaigns');
    await page.getByText('No campaign yet').waitFor();
    await shot(page, 'campaigns-empty-dark');
    await page.getByRole('button', { name: 'New campaign' }).click();
    await page.getByText('Choose stations and what to do').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Start at/ }).isEnabled(), false);
    await page.getByRole('combobox', { name: 'Sites' }).fill(site.name);
    await page.getByRole('option', { name: site.name, exact: true }).click();
    await page.keyboard.press('Escape');
    const start = page.getByRole('button', { name: /^Start at/ });
    await until('the preview names its stations', async () => start.isEnabled());
    await page.getByLabel('Watch them, minutes').fill('0');
    await page.getByLabel('Stations a minute').fill('600');
    await page.getByLabel('Name (optional)').fill('Who is there');
    await page.getByText('Models', { exact: true }).waitFor();
    await shot(page, 'campaigns-form-dark');
    await until('the preview is of what was typed last', async () => start.isEnabled());
    await start.click();
    await dialog(page).getByText('The stations are fixed when it starts').waitFor();
    await dialog(page).getByRole('button', { name: /^Start at/ }).click();
    await page.getByRole('heading', { name: 'Who is there' }).waitFor();
    await page.getByText('Finished').waitFor();
    const [made] = await campaigns();
    const n = made.counts;
    assert.equal(made.stations, n.done + n.failed + n.skipped + n.unknown);
    assert.ok(n.done > 0, JSON.stringify(n));
    await page.getByRole('row').filter({ hasText: 'Accepted' }).first().waitFor();
    await shot(page, 'campaigns-done-dark');
    await page.done();
  });

  it('warns of sessions, pauses, goes on and stops', async () => {
    const page = await open(server, { state, locale: 'de-DE' });
    await page.goto('/stations?tab=campaigns');
    await page.getByRole('button', { name: 'Neue Kampagne' }).click();
    await page.getByRole('checkbox', { name: 'Alle Stationen' }).check();
    await page.getByRole('radio', { name: 'Sofort neu starten' }).check();
    await page.getByText('Fahrer können das bemerken').waitFor();
    await shot(page, 'campaigns-disturbs-de');
    await page.getByRole('button', { name: 'Abbrechen' }).click();
    await page.done();

    const { body } = await server.api(token, 'POST', '/commands/bulk', {
      action: 'TriggerMessage',
      payload: { requestedMessage: 'Heartbeat' },
      name: 'Slowly',
      cohort: { everything: true },
      pace: { perMinute: 10 },
    });
    const id = body.campaign.id;
    const told = await open(server, { state });
    await told.goto(`/stations?tab=campaigns&campaign=${id}`);
    await told.getByRole('button', { name: 'Pause' }).click();
    await told.getByText('Paused').waitFor();
    await told.getByRole('button', { name: 'Resume' }).click();
    await told.getByText('Running').waitFor();
    await told.getByRole('button', { name: 'Stop', exact: true }).click();
    await dialog(told).getByRole('button', { name: 'Stop', exact: true }).click();
    await told.getByText(/^Stopped by/).waitFor();
    await told.getByRole('button', { name: /^Skipped/ }).click();
    await told.getByText('Nothing was done at these.').waitFor();
    await shot(told, 'campaigns-stopped-dark');
    await told.getByRole('button', { name: 'Again with the rest' }).click();
    await told.getByText(/picked stations/).waitFor();
    await told.done();
  });

  it('shows why one stopped by itself, in every view', async () => {
    // A key that no station has: the first refuse, and nobody else is asked.
    const { body } = await server.api(token, 'POST', '/commands/bulk', {
      action: 'ChangeConfiguration',
      payload: { key: 'NoSuchKeyAnywhere', value: '1' },
      cohort: { protocols: ['ocpp1.6'] },
      canary: { count: 2 },
      pace: { perMinute: 600 },
    });
    const id = body.campaign.id;
    await until('it stopped', async () => (await server.api(token, 'GET', `/campaigns/${id}`)).body.state === 'stopped');
    const { body: one } = await server.api(token, 'GET', `/campaigns/${id}`);
    assert.equal(one.why.code, 'canaryFailed');
    assert.ok(one.counts.failed <= 2 && one.counts.skipped >= one.stations - 2, JSON.stringify(one.counts));
    await inEveryView(server, state, `/stations?tab=campaigns&campaign=${id}`, 'campaigns-why', (page) =>
      page.getByText('Nothing was begun at the rest').waitFor(),
    );
    await inEveryView(server, state, '/stations?tab=campaigns', 'campaigns', (page) =>
      page.getByText('Who is there').waitFor(),
    );
  });

  it('sets stations as their profiles ask', async () => {
    const page = await open(server, { state });
    await page.goto('/stations?tab=campaigns');
    await page.getByRole('button', { name: 'New campaign' }).click();
    await page.getByRole('combobox', { name: 'Sites' }).fill(site.name);
    await page.getByRole('option', { name: site.name, exact: true }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('radio', { name: /^Set as their configuration profiles ask/ }).check();
    assert.equal(await page.getByLabel('Wait until a station has no session').count(), 0);
    await page.getByLabel('Watch them, minutes').fill('0');
    await page.getByLabel('Stations a minute').fill('600');
    await page.getByLabel('Wait for offline stations, hours').fill('0.1');
    const start = page.getByRole('button', { name: /^Start at/ });
    await until('the preview names its stations', async () => start.isEnabled());
    await shot(page, 'campaigns-configure-dark');
    await start.click();
    await dialog(page).getByRole('button', { name: /^Start at/ }).click();
    await page.getByText('Reads each station and sets what differs').waitFor();
    await until('some are set', async () => {
      const c = (await campaigns()).find((x) => x.kind === 'configure');
      return c && c.counts.done > 0 && c.counts.pending + c.counts.working === 0;
    });
    await page.getByRole('row').filter({ hasText: /all is set|set, waits|as far as/ }).first().waitFor();
    await shot(page, 'campaigns-configured-dark');
    await page.done();
  });

  it('offers firmware, passwords and certificates with what each needs', async () => {
    const page = await open(server, { state, locale: 'de-DE' });
    await page.goto('/stations?tab=campaigns');
    await page.getByRole('button', { name: 'Neue Kampagne' }).click();
    await page.getByRole('checkbox', { name: 'Alle Stationen' }).check();
    await page.getByRole('radio', { name: /^Firmware aktualisieren/ }).check();
    await page.getByText('Noch kein Image in der Bibliothek').or(page.getByPlaceholder('Noch kein Image in der Bibliothek')).first().waitFor();
    await page.getByText('Wählen Sie Stationen und was zu tun ist').waitFor();
    await shot(page, 'campaigns-firmware-de');
    await page.getByRole('radio', { name: /^Jeder ein neues Passwort geben/ }).check();
    await page.getByText('Ausgelassen', { exact: true }).or(page.getByText('Modelle', { exact: true })).first().waitFor();
    await page.getByRole('radio', { name: /^Zertifikate erneuern/ }).check();
    await page.getByText('Modelle', { exact: true }).waitFor();
    await shot(page, 'campaigns-certificates-de');
    await page.done();
  });

  it('starts with stations that were picked', async () => {
    const page = await open(server, { state });
    await page.goto(`/stations?site=${encodeURIComponent(site.id)}`);
    const boxes = page.getByRole('checkbox');
    await until('rows can be picked', async () => (await boxes.count()) > 2);
    await boxes.nth(1).check();
    await page.getByRole('button', { name: 'Work on these' }).click();
    await page.getByText(/picked station/).waitFor();
    await page.done();
  });
});
