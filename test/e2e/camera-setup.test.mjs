import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axe, binary, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// Cameras that speak real RTSP, in a process of their own.
async function farm() {
  const child = spawn(binary, ['sim', 'cameras', '--listen', '127.0.0.1:0', '--count', '2', '--user', 'watch', '--password', 's3cret'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await until('the cameras are there', () => /rtsp:\/\/([\d.:]+)\/cam2/.test(said));
  return { child, at: said.match(/rtsp:\/\/([\d.:]+)\//)[1] };
}

describe('setting up cameras', () => {
  let cameras;
  let server;
  let state;
  let token;
  before(async () => {
    cameras = await farm();
    server = await Server.start('demo', ['--cameras', '--allow-net', `10.0.0.0/8,${cameras.at}`]);
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    cameras?.child.kill();
    await closeBrowser();
  });
  const dialog = (page) => page.getByRole('dialog');
  const at = async (view = 'dark') => {
    const page = await open(server, { state, view });
    await page.goto('/settings?tab=cameras');
    await page.getByRole('heading', { name: 'Cameras', level: 2 }).waitFor();
    return page;
  };

  it('adds one that was tried first, and says why another does not work', async () => {
    const page = await at();
    await page.getByRole('button', { name: 'Add camera' }).first().click();
    const d = dialog(page);
    await d.getByLabel('Name', { exact: true }).fill('Gate');
    await d.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await d.getByLabel('Address of the main stream').fill(`rtsp://${cameras.at}/cam1/main`);
    await d.getByLabel('Address of the sub-stream').fill(`rtsp://${cameras.at}/cam1/none`);
    await d.getByLabel('User name').fill('watch');
    await d.getByRole('textbox', { name: 'Password' }).fill('guess');
    await d.getByRole('button', { name: 'Test connection' }).click();
    await d.getByText('User name or password is wrong.').first().waitFor();
    await shot(page, 'camera-add-refused-dark');
    await d.getByRole('textbox', { name: 'Password' }).fill('s3cret');
    await d.getByText('Something was changed since the test.').waitFor();
    await d.getByRole('button', { name: 'Test connection' }).click();
    await d.getByText('Main stream: pictures come').waitFor();
    await d.getByText(/848×480/).waitFor();
    await d.getByText('The camera knows no such stream.', { exact: false }).waitFor();
    await d.getByRole('img', { name: /First picture/ }).waitFor();
    await axe(page, 'adding a camera');
    await shot(page, 'camera-add-dark');
    await d.getByLabel('Address of the sub-stream').fill(`rtsp://${cameras.at}/cam1/sub`);
    await d.getByRole('button', { name: 'Add camera' }).click();
    await d.waitFor({ state: 'hidden' });
    const row = page.getByRole('row').filter({ hasText: 'Gate' });
    await row.getByText('Live', { exact: true }).waitFor();
    await page.done();
  });

  it('keeps no address that may not be reached, and shows no password', async () => {
    const page = await at();
    await page.getByRole('button', { name: 'Add camera' }).first().click();
    const d = dialog(page);
    await d.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await d.getByLabel('Address of the main stream').fill('rtsp://169.254.169.254/latest');
    await d.getByRole('button', { name: 'Add camera' }).click();
    await d.getByText('--allow-net', { exact: false }).first().waitFor();
    await page.done();
    const { body } = await server.api(token, 'GET', '/cameras');
    assert.ok(!JSON.stringify(body).includes('s3cret'));
    assert.ok(body.items.find((c) => c.label === 'Gate').hasPassword);
  });

  it('draws zones by keyboard and by pointer, and takes them back', async () => {
    const page = await at();
    await page.getByRole('button', { name: /^Actions: Gate/ }).click();
    await page.getByRole('menuitem', { name: 'Draw zones' }).click();
    const d = dialog(page);
    await d.getByText('No zones yet', { exact: false }).waitFor();
    await d.getByRole('button', { name: 'Add zone' }).click();
    const corner = d.getByRole('button', { name: /^Corner 1 of/ });
    await corner.focus();
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await d.getByRole('button', { name: /^Corner 5 of/ }).waitFor();
    await d.getByText('Private', { exact: true }).first().click();
    await d.getByLabel('Name').fill('Neighbour');
    await d.getByRole('button', { name: 'Add zone' }).click();
    const third = d.getByRole('button', { name: /^Corner 3 of/ });
    const box = await third.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 120, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await d.getByRole('combobox', { name: 'Ports in this zone' }).click();
    await page.getByRole('option').first().click();
    await page.keyboard.press('Tab');
    await axe(page, 'drawing zones');
    await shot(page, 'camera-zones-dark');
    await d.getByRole('button', { name: 'Save zones' }).click();
    await d.waitFor({ state: 'hidden' });
    const zones = async () => (await server.api(token, 'GET', '/cameras')).body.items.find((c) => c.label === 'Gate').zones;
    const saved = await zones();
    assert.equal(saved.length, 2);
    assert.equal(saved[0].kind, 'privacy');
    assert.equal(saved[0].label, 'Neighbour');
    assert.deepEqual(saved[0].polygon[0], [0.25, 0.295]);
    assert.equal(saved[0].polygon.length, 5);
    assert.match(saved[1].evses[0], /^station\//);
    await page.done();
  });

  it('arms a site by the week and by hand', async () => {
    const page = await at();
    const name = await page.getByRole('button', { name: /^Change arming of/ }).first().getAttribute('aria-label');
    const row = page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
    const change = row.getByRole('button', { name, exact: true });
    await change.click();
    let d = dialog(page);
    await d.getByRole('button', { name: 'Add times' }).click();
    await axe(page, 'arming a site');
    await shot(page, 'camera-arming-dark');
    await d.getByRole('button', { name: 'Save' }).click();
    await d.waitFor({ state: 'hidden' });
    await row.getByText('Every day 22:00–06:00').waitFor();
    await change.click();
    d = dialog(page);
    await d.getByText('Armed', { exact: true }).click();
    await d.getByLabel('Reason').fill('Closed for works');
    await d.getByRole('button', { name: 'Save' }).click();
    await d.waitFor({ state: 'hidden' });
    await row.getByRole('cell', { name: /^Armed/ }).waitFor();
    await page.done();
  });

  it('shows the list in every view', async () => {
    await server.api(token, 'POST', '/cameras', {
      id: 'roof',
      siteId: (await server.api(token, 'GET', '/cameras')).body.items[0].siteId,
      label: 'Roof',
      mainUrl: `rtsp://${cameras.at}/nowhere`,
      username: 'watch',
      password: 's3cret',
    });
    await until('the camera that is nowhere is offline', async () => {
      const { body } = await server.api(token, 'GET', '/cameras/roof');
      return body.state === 'offline' && body.reason === 'notFound';
    });
    await inEveryView(server, state, '/settings?tab=cameras', 'camera-setup', async (page) => {
      await page.getByText('The camera knows no such stream.', { exact: false }).first().waitFor();
    });
    const page = await at('phone');
    await page.getByRole('button', { name: /^Actions: Gate/ }).click();
    await page.getByRole('menuitem', { name: 'Draw zones' }).click();
    await dialog(page).getByRole('button', { name: /^Corner 1 of/ }).waitFor();
    await shot(page, 'camera-zones-phone');
    await page.done();
  });
});
