import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signInWith, until } from './harness.mjs';

const PASSWORD = 'a few quiet words';

describe('settings and own health', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    // Who came by a link has to choose a password before changing who may do what.
    state = await signInWith(server, PASSWORD);
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

  const at = async (path, view = 'dark') => {
    const page = await open(server, { state, view });
    await page.goto(path);
    return page;
  };
  const act = async (page, row, name) => {
    await until('the last menu is gone', async () => (await page.getByRole('menu').count()) === 0);
    await page
      .getByRole('row')
      .filter({ hasText: row })
      .getByRole('button', { name: /^Actions: / })
      .click();
    await page.getByRole('menuitem', { name }).click();
  };
  const dialog = (page) => page.getByRole('dialog');
  const parts = (page) => page.getByRole('list', { name: 'Parts' });

  describe('each part', () => {
    for (const [tab, ready] of [
      ['sites', (p) => p.getByRole('rowheader').first()],
      ['stations', (p) => p.getByRole('rowheader').first()],
      ['credentials', (p) => p.getByRole('rowheader').first()],
      ['users', (p) => p.getByRole('rowheader', { name: /admin/ })],
      ['tokens', (p) => p.getByRole('rowheader').first()],
      ['signins', (p) => p.getByText('this one')],
      ['audit', (p) => p.getByText('Password changed').first()],
      ['retention', (p) => p.getByText('Kept by Chargewatch')],
      ['about', (p) => p.getByRole('rowheader', { name: 'data' })],
    ]) {
      it(`looks right in every view: ${tab}`, () =>
        inEveryView(server, state, `/settings?tab=${tab}`, `settings-${tab}`, (p) => ready(p).waitFor()));
    }

    it('is a list of parts on a phone, and back again', async () => {
      const page = await at('/settings', 'phone');
      await axe(page, 'the list of settings');
      await shot(page, 'settings-list-phone');
      await page.getByRole('link', { name: 'Drivers’ tokens' }).click();
      await page.waitForURL(/tab=credentials/);
      await page.getByRole('rowheader').first().waitFor();
      await page.getByRole('main').getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('link', { name: 'Audit log' }).waitFor();
      await page.done();
    });

    it('is found by what it does, by keyboard', async () => {
      const page = await at('/settings');
      await page.getByRole('textbox', { name: 'Search in settings' }).fill('erase');
      await page.getByRole('link', { name: 'Drivers’ tokens' }).waitFor();
      assert.equal(await page.getByRole('navigation', { name: 'Settings' }).getByRole('link').count(), 1);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(/tab=credentials/);
      await page.done();
    });

    it('names what could not be loaded', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/credentials?*', (r) =>
        r.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
        }),
      );
      await page.goto('/settings?tab=credentials');
      await page.getByText('Could not load: Drivers’ tokens').waitFor();
      await axe(page, 'a part of the settings that failed');
      await page.done();
    });
  });

  it('adds, changes and deletes a site, and says at the field what is wrong', async () => {
    const page = await at('/settings?tab=sites');
    await page.getByRole('button', { name: 'Add site' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Harbour');
    await dialog(page).getByLabel('Latitude').fill('153.5');
    await dialog(page).getByText('Between -90 and 90.').waitFor();
    await dialog(page).getByLabel('Latitude').fill('53.5438, 9.9665');
    assert.equal(await dialog(page).getByLabel('Longitude').inputValue(), '9.9665');
    await dialog(page).getByRole('textbox', { name: 'Opening hours' }).fill('Mo-Fr 06:00-22:00; Sa 08:00-14:00; PH off');
    await dialog(page).getByText('Public holidays').waitFor();
    await dialog(page).getByRole('switch', { name: 'Show on the public status page' }).click();
    await dialog(page).getByRole('button', { name: 'Add notice' }).click();
    await dialog(page).getByLabel('Notice 1', { exact: true }).fill('Barrier closed <b>at night</b>');
    await axe(page, 'adding a site');
    await shot(page, 'settings-site');
    await dialog(page).getByRole('button', { name: 'Add site' }).click();
    await page.getByRole('row').filter({ hasText: 'Harbour' }).filter({ hasText: 'Shown, 1 notice' }).waitFor();

    await act(page, 'Harbour', 'Edit site');
    await dialog(page).getByLabel('Grid limit in kW').fill('250,5');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row').filter({ hasText: 'Harbour' }).filter({ hasText: '250.5 kW' }).waitFor();
    const { body } = await server.api(token, 'GET', '/sites?limit=1000');
    const made = body.items.find((s) => s.name === 'Harbour');
    assert.equal(made.gridLimitW, 250_500);
    assert.equal(made.notices[0].text, 'Barrier closed <b>at night</b>');

    await act(page, 'Berlin Adlershof', 'Delete site');
    await dialog(page).getByText(/stations belong to this site/).waitFor();
    assert.ok(await dialog(page).getByRole('button', { name: 'Delete site' }).isDisabled());
    await page.keyboard.press('Escape');
    await act(page, 'Harbour', 'Delete site');
    await dialog(page).getByRole('button', { name: 'Delete site' }).click();
    await page.getByRole('rowheader', { name: /Harbour/ }).waitFor({ state: 'detached' });
    await page.done();
  });

  it('checks a file of sites before it takes it', async () => {
    const page = await at('/settings?tab=sites');
    await page.getByRole('button', { name: 'Import CSV' }).click();
    const rows = dialog(page).getByLabel('Rows');
    await rows.fill('id,name,latitude,longitude\ncsv-1,First,153,10\n');
    await dialog(page).getByRole('button', { name: 'Check' }).click();
    await dialog(page).getByText('line[2].latitude').waitFor();
    await axe(page, 'a file with a fault');
    await rows.fill('id,name,latitude,longitude\ncsv-1,First,53.5,10\nber-alex,Old,1,2\n');
    await dialog(page).getByRole('button', { name: 'Check' }).click();
    await dialog(page).getByText('Nothing is written yet. 1 new, 1 exists already').waitFor();
    await axe(page, 'the preview of a file');
    await shot(page, 'settings-import');
    assert.equal((await server.api(token, 'GET', '/sites/csv-1')).status, 404);
    await dialog(page).getByRole('button', { name: 'Import', exact: true }).click();
    await dialog(page).getByText('Done. 1 added').waitFor();
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    await page.getByRole('rowheader', { name: /First/ }).waitFor();
    assert.equal((await server.api(token, 'GET', '/sites/ber-alex')).body.name !== 'Old', true);
    await page.done();
  });

  it('gives a station a new password and shows it once', async () => {
    const page = await at('/settings?tab=stations&q=DE-ADL-0001');
    await act(page, 'DE-ADL-0001', 'Change password or profile');
    await dialog(page).locator('input:visible').first().click();
    await page.getByRole('option', { name: /1 – password/ }).click();
    await axe(page, 'how a station proves itself');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await dialog(page).getByText('Shown only now.').waitFor();
    assert.match(await dialog(page).locator('code').innerText(), /^[0-9a-f]{40}$/);
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    await page.getByRole('row').filter({ hasText: 'DE-ADL-0001' }).filter({ hasText: 'Set' }).waitFor();
    await page.done();
  });

  it('adds a user, changes the roles, and never locks out the last administrator', async () => {
    const page = await at('/settings?tab=users');
    await page.getByRole('button', { name: 'Add user' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('night-shift');
    await dialog(page).getByRole('button', { name: 'Add role' }).click();
    await axe(page, 'a user with two roles');
    await dialog(page).getByRole('button', { name: 'Add user' }).click();
    await dialog(page).getByText('night-shift can now sign in.').waitFor();
    const link = await dialog(page).locator('code').innerText();
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    await page.getByRole('row').filter({ hasText: 'night-shift' }).filter({ hasText: 'Operator, Viewer' }).waitFor();

    const other = await open(server, {});
    await other.goto(link);
    await other.getByLabel(/New password/).waitFor();
    await other.done();

    await act(page, 'night-shift', 'Disable user');
    await dialog(page).getByRole('button', { name: 'Disable user' }).click();
    await page.getByRole('row').filter({ hasText: 'night-shift' }).filter({ hasText: 'Disabled' }).waitFor();
    await act(page, 'night-shift', 'Delete user');
    await dialog(page).getByRole('button', { name: 'Delete user' }).click();
    await page.getByRole('rowheader', { name: 'night-shift' }).waitFor({ state: 'detached' });

    await act(page, 'admin', 'Delete user');
    await dialog(page).getByRole('button', { name: 'Delete user' }).click();
    await dialog(page).getByText('This is the last administrator of all sites.').waitFor();
    await axe(page, 'a refusal');
    await shot(page, 'settings-last-admin');
    await page.done();
  });

  it('creates a token that works, and revokes it', async () => {
    const page = await at('/settings?tab=tokens');
    await page.getByRole('button', { name: 'Create token' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('nightly export');
    await dialog(page).getByRole('button', { name: 'Create token' }).click();
    await dialog(page).getByText('Shown only now.').waitFor();
    const secret = await dialog(page).locator('code').innerText();
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    assert.equal((await server.api(secret, 'GET', '/summary')).status, 200);
    await act(page, 'nightly export', 'Revoke token');
    await dialog(page).getByText('This cannot be undone').waitFor();
    await dialog(page).getByRole('button', { name: 'Revoke token' }).click();
    await page.getByRole('rowheader', { name: 'nightly export' }).waitFor({ state: 'detached' });
    assert.equal((await server.api(secret, 'GET', '/summary')).status, 401);
    await page.done();
  });

  it('adds, blocks and erases a driver’s token', async () => {
    const page = await at('/settings?tab=credentials');
    await page.getByRole('button', { name: 'Add token' }).click();
    await dialog(page).getByLabel('Token', { exact: true }).fill('CARD-4711');
    await dialog(page).getByLabel('Label').fill('Van 7');
    await axe(page, 'adding a token');
    await dialog(page).getByRole('button', { name: 'Add token' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'Filter: Drivers’ tokens' }).fill('van 7');
    await page.waitForURL(/q=van/);
    await page.getByRole('row').filter({ hasText: 'CARD-4711' }).waitFor();
    await act(page, 'CARD-4711', 'Block token');
    await dialog(page).getByRole('button', { name: 'Block token' }).click();
    await page.getByRole('row').filter({ hasText: 'CARD-4711' }).filter({ hasText: 'Blocked' }).waitFor();
    await act(page, 'CARD-4711', 'Erase token');
    await dialog(page).getByRole('button', { name: 'Erase token' }).click();
    await page.getByText('Nothing matches “van 7”.').waitFor();
    await page.done();
  });

  it('ends sign-ins elsewhere', async () => {
    const other = await open(server, {});
    await other.goto('/signin');
    await other.getByLabel('Name').fill('admin');
    await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.keyboard.press('Enter');
    await other.getByRole('link', { name: 'Overview' }).first().waitFor();
    const page = await at('/settings?tab=signins');
    await page.getByRole('button', { name: 'Sign out elsewhere' }).click();
    await dialog(page).getByRole('button', { name: 'Sign out elsewhere' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Sign out elsewhere' }).waitFor({ state: 'detached' });
    await other.goto('/stations');
    await other.waitForURL(/\/signin/);
    await other.done();
    await page.done();
  });

  it('says who set each setting', async () => {
    const page = await at('/settings?tab=about');
    await page
      .getByRole('row')
      .filter({ hasText: 'ocpp' })
      .filter({ hasText: `127.0.0.1:${server.ocppPort}` })
      .filter({ hasText: 'Flag --ocpp' })
      .waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save diagnostics' }).click();
    assert.match((await download).suggestedFilename(), /^chargewatch-.*\.zip$/);
    await page.done();
  });

  describe('health', () => {
    it('looks right in every view', () =>
      inEveryView(server, state, '/health', 'health', (p) => parts(p).getByText('Recording').waitFor()));

    it('goes on by itself', async () => {
      const page = await at('/health');
      await parts(page).getByText('Recording').waitFor();
      const asked = page.waitForResponse((r) => r.url().endsWith('/system/health'));
      assert.equal((await asked).status(), 200);
      await page.locator('canvas').first().waitFor();
      await page.done();
    });

    it('says what is wrong, what it means and what to do', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/system/health', async (r) => {
        const answer = await r.fetch();
        const body = await answer.json();
        body.state = 'failing';
        for (const v of body.verdicts) {
          if (v.part === 'disk') Object.assign(v, { state: 'failing', words: 'disk.full', values: { bytes: 1 } });
          if (v.part === 'journal') Object.assign(v, { state: 'degraded', words: 'journal.slow', values: { ms: 412.5 } });
        }
        body.unobserved = [{ from: '2026-11-01T10:00:00Z', to: '2026-11-01T10:20:00Z' }];
        body.observedFrom = '2026-10-20T00:00:00Z';
        await r.fulfill({ response: answer, json: body });
      });
      await page.goto('/health');
      await page.getByText('1 part fails').waitFor();
      await page.getByText('New connections are refused').waitFor();
      await page.getByText('The slowest commits take 412.5 ms').waitFor();
      await page.getByText('Not observed for 1 stretch').waitFor();
      await axe(page, 'a server that is not well');
      await shot(page, 'health-failing');
      await page.done();
    });

    it('names itself when it cannot be asked', async () => {
      const page = await open(server, { state });
      await page.route('**/api/v1/system/health', (r) => r.fulfill({ status: 500, json: { title: 'x', status: 500, detail: 'no' } }));
      await page.goto('/health');
      await page.getByText('Could not load: the health of this server').waitFor();
      await axe(page, 'no health');
      await page.done();
    });
  });
});
