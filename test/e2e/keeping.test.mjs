import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// How long pictures stay, as a person decides it and as it is.
describe('recording', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo', ['--past', '0', '--cameras']);
    state = await signIn(server);
    token = server.token();
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });
  const kept = async () => (await server.api(token, 'GET', '/video/kept')).body.items;

  it('shows what each camera keeps, and takes a decision for a site with its purpose', async () => {
    await until('cameras are recorded', async () => (await kept()).some((c) => c.recording === 'continuous'));
    const page = await open(server, { state });
    await page.goto('/settings?tab=recording');
    await page.getByRole('heading', { name: 'How long pictures stay' }).waitFor();
    await page.getByRole('button', { name: 'Decide for a site' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await dialog.getByLabel('Recordings', { exact: true }).fill('7');
    await dialog.getByLabel('Purpose').fill(' ');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('more than 3 days need a written purpose').first().waitFor();
    await shot(page, 'keeping-form-dark');
    await dialog.getByLabel('Purpose').fill('Two raids in May; cables were cut again in June.');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Two raids in May').waitFor();
    const storage = (await server.api(token, 'GET', '/system/storage')).body;
    assert.ok(storage.classes.some((c) => c.class === 'video' && c.keepSeconds >= 3 * 86_400));
    await until('its cameras follow', async () => (await kept()).some((c) => c.promisedDays === 7));
    await page.close();
  });

  it('lists a camera that was removed with what is left of it', async () => {
    const first = (await kept()).find((c) => c.recording === 'continuous' && !c.removedAt);
    const span = () => {
      const now = Date.now();
      return `from=${new Date(now - 600_000).toISOString()}&to=${new Date(now).toISOString()}`;
    };
    const recorded = async () =>
      (await server.api(token, 'GET', `/cameras/${first.cameraId}/recordings?${span()}`)).body.items.length > 0;
    await until('it has recordings', recorded);
    assert.equal((await server.api(token, 'DELETE', `/cameras/${first.cameraId}`)).status, 204);
    const page = await open(server, { state });
    await page.goto('/settings?tab=recording');
    const row = page.getByRole('row', { name: first.label || first.cameraId });
    await row.getByText(/^removed/).waitFor();
    const clip = await page.request.get(`/api/v1/cameras/${first.cameraId}/clip.mp4?${span()}`);
    assert.equal(clip.status(), 200);
    await page.close();
  });

  it('reads well in every view', async () => {
    await inEveryView(server, state, '/settings?tab=recording', 'keeping', async (page) => {
      await page.getByText('Two raids in May').waitFor();
    });
  });
});
