import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { axe, binary, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// Cameras that speak real RTSP and ONVIF, in a process of their own.
async function farm() {
  const child = spawn(binary, ['sim', 'cameras', '--listen', '127.0.0.1:0', '--count', '2', '--user', 'watch', '--password', 's3cret', '--onvif', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await until('the cameras are there', () => /cam2[\s\S]*http:\/\/([\d.:]+)\//.test(said));
  return { child, rtsp: said.match(/rtsp:\/\/([\d.:]+)\//)[1], onvif: said.match(/http:\/\/([\d.:]+)\//)[1], url: said.match(/http:\/\/[^\s]+/)[0] };
}

describe('finding cameras', () => {
  let cameras;
  let server;
  let state;
  let token;
  before(async () => {
    cameras = await farm();
    server = await Server.start('demo', ['--cameras', '--allow-net', `10.0.0.0/8,${cameras.rtsp},${cameras.onvif}`]);
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    cameras?.child.kill();
    await closeBrowser();
  });
  const at = async (view = 'dark') => {
    const page = await open(server, { state, view });
    await page.goto('/settings?tab=cameras');
    await page.getByRole('heading', { name: 'Cameras', level: 2 }).waitFor();
    return page;
  };

  it('asks one by its address, says why not, and adds it', async () => {
    const page = await at();
    await page.getByRole('button', { name: 'Find cameras' }).first().click();
    const d = page.getByRole('dialog');
    await d.getByText(/answered/).first().waitFor({ timeout: 30_000 });
    await shot(page, 'camera-find-dark');
    await axe(page, 'finding cameras');
    await d.getByLabel('Address of a camera').fill('169.254.169.254');
    await d.getByRole('button', { name: 'Next' }).click();
    await d.getByRole('button', { name: 'Ask', exact: true }).click();
    await d.getByText('This server may not reach that address.', { exact: false }).waitFor();
    await d.getByRole('button', { name: 'Back' }).click();
    await d.getByLabel('Address of a camera').fill(cameras.url);
    await d.getByRole('button', { name: 'Next' }).click();
    await d.getByLabel('User name').fill('watch');
    await d.getByRole('textbox', { name: 'Password' }).fill('guess');
    await d.getByRole('button', { name: 'Ask', exact: true }).click();
    await d.getByText('User name or password is wrong.', { exact: false }).waitFor();
    await shot(page, 'camera-find-refused-dark');
    await d.getByRole('textbox', { name: 'Password' }).fill('s3cret');
    await d.getByRole('button', { name: 'Ask', exact: true }).click();
    await d.getByText('Stream that is kept as evidence').waitFor();
    await axe(page, 'asking a camera');
    await shot(page, 'camera-find-streams-dark');
    await d.getByRole('button', { name: 'Take over' }).click();
    await d.getByRole('button', { name: 'Test connection' }).click();
    await d.getByText('Main stream: pictures come').waitFor({ timeout: 30_000 });
    await d.getByLabel('Name', { exact: true }).fill('Found gate');
    await d.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await shot(page, 'camera-find-form-dark');
    await d.getByRole('button', { name: 'Add camera' }).click();
    await d.waitFor({ state: 'hidden' });
    await page.getByRole('row').filter({ hasText: 'Found gate' }).getByText('Live', { exact: true }).waitFor();
    await page.done();
  });

  it('says who watches it, takes labels signed with its secret, and shows them', async () => {
    const page = await at();
    await page.getByRole('button', { name: /^Actions: Found gate/ }).click();
    await page.getByRole('menuitem', { name: 'Labels by webhook' }).click();
    const d = page.getByRole('dialog');
    await d.getByRole('button', { name: 'Make secret' }).click();
    const secret = (await d.getByText(/^lbl_/).textContent()).trim();
    await shot(page, 'camera-label-secret-dark');
    await d.getByRole('button', { name: 'Done' }).click();
    const id = (await server.api(token, 'GET', '/cameras')).body.items.find((c) => c.label === 'Found gate').id;
    const body = JSON.stringify({ labels: [{ what: 'person', score: 0.91 }] });
    const t = Math.floor(Date.now() / 1000);
    const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
    const tell = () =>
      fetch(`${server.base}/api/v1/cameras/${id}/labels`, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json', 'X-Chargewatch-Signature': `t=${t},v1=${v1}` },
      });
    assert.equal((await tell()).status, 200);
    assert.equal((await tell()).status, 409);
    await page.reload();
    await page.getByRole('button', { name: /^Actions: Found gate/ }).click();
    await page.getByRole('menuitem', { name: 'How it is watched' }).click();
    await d.getByText('Last told by another system', { exact: false }).waitFor();
    await d.getByText('It is listened to.').waitFor();
    await axe(page, 'how a camera is watched');
    await shot(page, 'camera-watch-dark');
    await page.done();
  });

  it('looks right in every view', async () => {
    await inEveryView(server, state, '/settings?tab=cameras', 'camera-watch', async (page) => {
      // In another scheme of colours the dialog is there already.
      if (!(await page.getByRole('dialog').isVisible())) {
        await page.getByRole('button', { name: /^Actions: Found gate/ }).click();
        await page.getByRole('menuitem', { name: 'How it is watched' }).click();
      }
      await page.getByRole('dialog').getByText('Persons, vehicles, animals, plates').waitFor();
    });
    await inEveryView(server, state, '/settings?tab=cameras', 'camera-find', async (page) => {
      if (!(await page.getByRole('dialog').isVisible())) {
        await page.getByRole('button', { name: 'Find cameras' }).first().click();
      }
      await page.getByRole('dialog').getByText(/answered/).first().waitFor({ timeout: 30_000 });
    });
  });
});
