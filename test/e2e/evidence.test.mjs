// Evidence from the page to the police: exported, looked at, shared, taken with a
// passcode, checked by the program, deleted. Cameras, recordings and packs are real.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axe, binary, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('evidence', () => {
  let server;
  let state;
  let token;
  let farm;
  let recorded;
  let folder;
  before(async () => {
    farm = spawn(binary, ['sim', 'cameras', '--listen', '127.0.0.1:0', '--count', '2', '--view', 'yard-day', '--scene', 'quiet'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    farm.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const at = await until('the cameras are there', () => said.match(/rtsp:\/\/([\d.:]+)\/cam2/)?.[1]);
    server = await Server.start('serve', ['--allow-net', at]);
    token = server.token();
    assert.equal((await server.api(token, 'POST', '/sites', { id: 'yard', name: 'Yard', timeZone: 'Europe/Berlin' })).status, 201);
    for (const n of [1, 2]) {
      const one = { id: `cam${n}`, siteId: 'yard', label: `Bay ${n}`, mainUrl: `rtsp://${at}/cam${n}/main`, subUrl: `rtsp://${at}/cam${n}/sub` };
      assert.equal((await server.api(token, 'POST', '/cameras', one)).status, 201);
    }
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill('three quiet words');
    await page.getByLabel('The same again').fill('three quiet words');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Evidence' }).first().waitFor();
    state = await page.context().storageState();
    await page.done();
    folder = mkdtempSync(join(tmpdir(), 'chargewatch-pack-'));
    recorded = await until('something is recorded', async () => {
      const from = new Date(Date.now() - 600_000).toISOString();
      const r = await server.api(token, 'GET', `/cameras/cam1/recordings?from=${from}&to=${new Date().toISOString()}`);
      const spans = r.body.items ?? [];
      const whole = { from: Date.parse(spans[0]?.from), to: Date.parse(spans.at(-1)?.to) };
      return whole.to - whole.from > 15_000 && whole;
    });
  });
  after(async () => {
    await closeBrowser();
    await server?.remove();
    farm?.kill();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('says what evidence is while there is none, and which part failed', async () => {
    await inEveryView(server, state, '/evidence', 'evidence-none', async (page) => {
      await page.getByText('No evidence was exported yet').waitFor();
      await page.getByText('chargewatch verify evidence').waitFor();
    });
    const page = await open(server, { state });
    await page.route('**/api/v1/evidence?**', (route) =>
      route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"title":"It broke","status":500}' }),
    );
    await page.goto('/evidence');
    await page.getByText(/Packs/).first().waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await page.getByText('chargewatch verify evidence').waitFor();
    await page.done();
  });

  it('is exported from cameras and a time, shared, taken, checked and deleted', async () => {
    const page = await open(server, { state });
    const from = recorded.from + 1000;
    const to = from + 10_000;
    await page.goto(`/evidence?export=1&cameras=cam1&from=${from}&to=${to}`);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('10 s of each camera').waitFor();
    await dialog.getByLabel('Reason').fill('Cable theft in bay 3');
    await axe(page, 'the form for a new pack');
    await shot(page, 'evidence-export-dark');
    await dialog.getByRole('button', { name: 'Export evidence' }).click();
    // The drawer of the pack that is being made.
    const drawer = page.getByRole('dialog', { name: 'Cable theft in bay 3' });
    await drawer.getByRole('link', { name: 'Download pack' }).waitFor();
    await drawer.getByText('asked for the pack').waitFor();
    await axe(page, 'a pack');
    await shot(page, 'evidence-pack-dark');

    // What the program says of what the page gives.
    const got = await page.request.get(await drawer.getByRole('link', { name: 'Download pack' }).getAttribute('href'));
    assert.equal(got.headers()['content-type'], 'application/zip');
    const pack = join(folder, 'pack.zip');
    writeFileSync(pack, await got.body());
    const key = join(folder, 'key.pem');
    writeFileSync(key, await (await page.request.get('/api/v1/evidence/key.pem')).body());
    const said = execFileSync(binary, ['verify', 'evidence', '--key', key, pack], { encoding: 'utf8' });
    assert.match(said, /whole: \d+ segments are as they were recorded/);

    const sheet = await open(server, { state, view: 'light' });
    await sheet.goto(await drawer.getByRole('link', { name: 'Open cover sheet' }).getAttribute('href'));
    await sheet.getByText('Cable theft in bay 3').waitFor();
    await axe(sheet, 'the cover sheet');
    await shot(sheet, 'evidence-cover-light');
    await sheet.done();

    // A link, and somebody who has no account.
    await drawer.getByRole('button', { name: 'Share a link' }).click();
    const share = page.getByRole('dialog', { name: 'Share a link' });
    await share.getByRole('button', { name: 'Make link' }).click();
    const [address, passcode] = await until('link and passcode', async () => {
      const codes = await share.locator('code').allInnerTexts();
      return codes.length === 2 && codes;
    });
    await axe(page, 'a link and its passcode');
    await shot(page, 'evidence-link-dark');
    await share.getByRole('button', { name: 'Done' }).click();
    for (const view of ['light', 'phone']) {
      const guest = await open(server, { view });
      await guest.goto(address);
      await guest.getByLabel('Passcode').fill('nonsense');
      await guest.getByRole('button', { name: 'Open' }).click();
      await guest.getByText('This is not the passcode').waitFor();
      await axe(guest, `a wrong passcode ${view}`);
      await guest.getByLabel('Passcode').fill(passcode);
      await guest.getByRole('button', { name: 'Open' }).click();
      await guest.getByText('What it holds').waitFor();
      await axe(guest, `an opened link ${view}`);
      await shot(guest, `evidence-shared-${view}`);
      const [download] = await Promise.all([
        guest.waitForEvent('download'),
        guest.getByRole('button', { name: /Download the whole pack/ }).click(),
      ]);
      assert.match(download.suggestedFilename(), /^evidence-ev-.*\.zip$/);
      await guest.done();
    }
    await drawer.getByText(/opened 2×, downloaded 2×, 2 wrong passcodes/).waitFor();
    await drawer.getByText('gave a wrong passcode').first().waitFor();
    await drawer.getByRole('button', { name: 'Revoke link' }).click();
    await drawer.getByText('Revoked', { exact: true }).waitFor();
    const late = await open(server);
    await late.goto(address);
    await late.getByText('Link not valid').waitFor();
    await late.done();

    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.done();
    await inEveryView(server, state, '/evidence', 'evidence', async (p) => {
      await p.getByRole('button', { name: 'Cable theft in bay 3' }).waitFor();
    });
  });

  it('has parts hidden in a second pack, and is deleted with a reason', async () => {
    const page = await open(server, { state });
    await page.goto('/evidence');
    await page.getByRole('button', { name: 'Cable theft in bay 3' }).click();
    const drawer = page.getByRole('dialog', { name: 'Cable theft in bay 3' });
    await drawer.getByRole('button', { name: 'Hide parts' }).click();
    const hide = page.getByRole('dialog', { name: 'Hide parts' });
    await hide.getByRole('button', { name: 'Add area' }).click();
    await hide.getByRole('button', { name: 'Remove Area 1' }).waitFor();
    await hide.getByLabel('Reason').fill('For the neighbours');
    await axe(page, 'drawing what is hidden');
    await shot(page, 'evidence-hide-dark');
    await hide.getByRole('button', { name: 'Make second pack' }).click();
    const second = page.getByRole('dialog', { name: 'For the neighbours' });
    await second.getByRole('link', { name: 'Download pack' }).waitFor();
    await second.getByText('films with parts hidden').waitFor();
    await shot(page, 'evidence-hidden-dark');
    await second.getByRole('button', { name: 'Delete pack' }).click();
    const gone = page.getByRole('dialog', { name: 'Delete pack' });
    await gone.getByLabel('Reason').fill('Handed over on paper');
    await gone.getByRole('button', { name: 'Delete pack' }).click();
    await second.getByText(/Deleted by .*: Handed over on paper/).waitFor();
    await axe(page, 'a deleted pack');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'For the neighbours' }).waitFor({ state: 'detached' });
    await page.getByRole('switch', { name: 'Show 1 deleted' }).click();
    await page.getByRole('button', { name: 'For the neighbours' }).waitFor();
    await page.done();
  });
});
