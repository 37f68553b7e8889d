import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, open, Server, shot, signIn, until } from './harness.mjs';

// A demo whose listeners serve security profiles 2 and 3 with certificates of its own.
describe('how stations prove themselves', () => {
  let server;
  let state;
  let token;
  const folder = mkdtempSync(join(tmpdir(), 'chargewatch-e2e-conf-'));
  before(async () => {
    const file = join(folder, 'chargewatch.yaml');
    writeFileSync(
      file,
      'listeners:\n' +
        [2, 3].map((n) => `  - address: 127.0.0.1:0\n    tls: auto\n    profile: ${n}\n`).join(''),
    );
    server = await Server.start('demo', ['--config', file]);
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
    rmSync(folder, { recursive: true, force: true });
  });

  const dialog = (page) => page.getByRole('dialog');
  const roots = async () => (await server.api(token, 'GET', '/system/station-root')).body;

  it('says what a higher profile takes, and installs the root by the way', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=stations');
    await page.getByRole('button', { name: /actions/i }).first().waitFor();
    const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
    const id = body.items[0].id;
    await page.goto(`/settings?tab=stations&q=${id}`);
    await page.locator('tbody tr').first().locator('button').last().click();
    await page.getByRole('menuitem', { name: 'Raise security profile' }).click();
    const needs = dialog(page).getByRole('list', { name: 'What has to be so before' });
    await needs.getByText('The station has a password').waitFor();
    assert.equal(
      await dialog(page).getByRole('button', { name: 'Raise security profile' }).isDisabled(),
      true,
      'a station without a password is not raised',
    );
    await dialog(page).getByRole('button', { name: 'Install' }).click();
    await until('the station lists the root', async () => {
      const plan = await server.api(token, 'GET', `/stations/${id}/security/profile?profile=2`);
      return plan.body.needs.some((n) => n.name === 'root' && n.state === 'met');
    });
    await shot(page, 'station-security-raise');
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
  });

  it('changes the root of the server in steps', async () => {
    const before = (await roots()).roots[0].fingerprint;
    const page = await open(server, { state });
    await page.goto('/settings?tab=stations');
    await page.getByRole('button', { name: 'Change the root' }).click();
    await dialog(page).getByLabel('Root of your own (optional)').fill('nonsense');
    await dialog(page).getByRole('button', { name: 'Begin' }).click();
    await dialog(page).getByText('there is no certificate in PEM').first().waitFor();
    await dialog(page).getByLabel('Root of your own (optional)').fill('');
    await dialog(page).getByRole('button', { name: 'Begin' }).click();
    await page.getByText('Stations get the new root').waitFor();
    await until('stations have the new root', async () => (await roots()).change.has > 50);
    await shot(page, 'station-security-root');
    await page.getByRole('button', { name: 'Switch to the new root' }).click();
    await dialog(page).getByRole('button', { name: 'Switch to the new root' }).click();
    await page.getByRole('button', { name: 'Finish' }).click();
    await dialog(page).getByRole('button', { name: 'Finish' }).click();
    await page.getByText('The root was changed').waitFor();
    assert.notEqual((await roots()).roots[0].fingerprint, before, 'the server stands under another root');
  });
});
