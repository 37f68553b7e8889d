import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// Firmware for simulated stations: what it is stands at its head.
const image = (version, failsAt, installSeconds) =>
  Buffer.from(`${JSON.stringify({ simulatedFirmware: version, failsAt, installSeconds })}\n${'firmware'.repeat(4096)}`);

// Made once with openssl over the image of version 9.0.0; its key was thrown away.
const signature =
  'MEYCIQDngd+cOAJnOROq+SJk1IKraumlEm49vLpgHeViewkUAAIhAM8WX/2CzvOwRXt+47nfF6Sr0gbXUyRvUQGAzmtMyM9y';
const certificate = `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUYIlv+c6ugSIuekbXf9VDfj6mgqQwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPTWFrZXIgb2YgYSB0ZXN0MCAXDTI2MTEyMzE3MzYyMloYDzIx
MjYxMDMwMTczNjIyWjAaMRgwFgYDVQQDDA9NYWtlciBvZiBhIHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQnklIssMYsn9W340ZC4GKXJRh9yD+3PebpR2rE
wAD1o6z9r9g8gMIAFD2I4ugEf/G3RK/HW8FJLJsY+FP6VclKo1MwUTAdBgNVHQ4E
FgQUH2W5802xJqPJYLH6Qatuuuw09cwwHwYDVR0jBBgwFoAUH2W5802xJqPJYLH6
Qatuuuw09cwwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEArA01
cUudTeW7ppviy0vL6g8TFSJpb0Cz9J585jIJOmsCIQCMvrBMb8vPq4J9f58LuU3E
X+JNUe9riRTV0z25ZOHKxw==
-----END CERTIFICATE-----`;

describe('firmware', () => {
  let server;
  let state;
  let token;
  let fleet;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      fleet = body.items;
      return fleet.length > 50;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const dialog = (page) => page.getByRole('dialog');
  const bring = async (version, failsAt) => {
    const answer = await fetch(`${server.base}/api/v1/firmware/images?name=post-${version}.bin&version=${version}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: image(version, failsAt, 2),
    });
    assert.equal(answer.status, 201);
    return (await answer.json()).id;
  };

  it('has a library that takes what fits together', async () => {
    const page = await open(server, { state });
    await page.goto('/settings?tab=firmware');
    await page.getByText('No firmware yet').waitFor();
    await shot(page, 'firmware-empty-dark');
    await page.getByRole('button', { name: 'Add firmware' }).click();
    const add = dialog(page).getByRole('button', { name: 'Add firmware' });
    assert.equal(await add.isEnabled(), false);
    await dialog(page).locator('input[type=file]').setInputFiles({
      name: 'post-9.0.0.bin',
      mimeType: 'application/octet-stream',
      buffer: image('9.0.0'),
    });
    await dialog(page).getByLabel('Version').fill('9.0.0');
    await dialog(page).getByLabel('Notes').fill('Charges on after a power cut');
    await axe(page, 'adding firmware');
    await add.click();
    const row = page.getByRole('row').filter({ hasText: '9.0.0' });
    await row.getByText('not signed').waitFor();

    const sign = async (value, by) => {
      await dialog(page).getByLabel('Signature', { exact: true }).fill(value);
      await dialog(page).getByLabel('Certificate of who signed').fill(by);
      await dialog(page).getByRole('button', { name: 'Check and keep' }).click();
    };
    await row.getByRole('button', { name: 'Actions: 9.0.0' }).click();
    await page.getByRole('menuitem', { name: 'Signature' }).click();
    await sign('no base64!', certificate);
    await dialog(page).getByText('not base64').waitFor();
    await sign(Buffer.from('another').toString('base64'), certificate);
    await dialog(page).getByText('does not fit').waitFor();
    await sign(signature, 'no certificate');
    await dialog(page).getByText('cannot be read').waitFor();
    await sign(signature, certificate);
    await row.getByText('signature checked').waitFor();
    await page.done();
    await inEveryView(server, state, '/settings?tab=firmware', 'firmware-library', async (p) => {
      await p.getByText('signature checked').waitFor();
    });
  });

  it('gets diagnostics of a station and gives them to people', async () => {
    const id = fleet.find((s) => s.protocol !== 'ocpp1.6').id;
    const page = await open(server, { state });
    await page.goto(`/stations/${id}?tab=firmware`);
    await page.getByText('No file was asked for yet').waitFor();
    await page.getByRole('button', { name: 'Get diagnostics' }).click();
    const row = page.getByRole('row').filter({ hasText: 'Diagnostics' });
    await row.getByText('Received', { exact: true }).waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.ok((await file.createReadStream()) !== null && file.suggestedFilename() !== '');
    const { body } = await server.api(token, 'GET', `/stations/${id}/files`);
    assert.equal(body.items[0].state, 'received');
    assert.notEqual(body.items[0].commandId, '');
    await page.done();
    await inEveryView(server, state, `/stations/${id}?tab=firmware`, 'firmware-station', async (p) => {
      await p.getByText('Received', { exact: true }).waitFor();
    });
  });

  it('stops a campaign with a bad image and carries out a good one', async () => {
    const chosen = fleet.filter((s) => s.evses.every((e) => e.status === 'Available')).slice(0, 4);
    const campaign = async (id, name) => {
      const { status, body } = await server.api(token, 'POST', '/campaigns', {
        kind: 'firmware',
        name,
        params: { imageId: id },
        cohort: { stations: chosen.map((s) => s.id) },
        canary: { count: 1 },
        pace: { perMinute: 600, atOnce: 4, perSite: 4 },
        stopOn: { failed: 1 },
      });
      assert.equal(status, 201, JSON.stringify(body));
      return body.id;
    };
    const over = async (id) => {
      let c;
      const ended = async () => {
        c = (await server.api(token, 'GET', `/campaigns/${id}`)).body;
        return (c.state === 'stopped' || c.state === 'finished') && c.counts.working === 0;
      };
      await until(`the campaign ${id} is over`, ended, 400_000);
      return c;
    };
    const bad = await campaign(await bring('8.0.0', ['*']), 'A bad one');
    assert.equal((await over(bad)).state, 'stopped');
    const good = await campaign(await bring('9.1.0'), 'A good one');
    const done = await over(good);
    assert.equal(done.state, 'finished', JSON.stringify(done));
    assert.ok(done.counts.done > 0, JSON.stringify(done.counts));

    const page = await open(server, { state });
    await page.goto(`/stations?tab=campaigns&campaign=${bad}`);
    await page.getByText('Nothing was begun at the rest').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Before and after the update' }).count(), 0);
    await page.done();
    await inEveryView(server, state, `/stations?tab=campaigns&campaign=${good}`, 'firmware-campaign', async (p) => {
      await p.getByRole('heading', { name: 'Before and after the update' }).waitFor();
      await p.getByText('Too early to compare').waitFor();
      await p.getByText('runs the new version').first().waitFor();
    });
    const table = await fetch(`${server.base}/api/v1/campaigns/${good}/comparison.csv?wait=30s`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.match(await table.text(), /^measure,stations,figure/);
    const { status } = await server.api(token, 'GET', '/campaigns/c-nobody/comparison');
    assert.equal(status, 404);
  });

  it('recovers where the code of a part did not come', async () => {
    const page = await open(server, { state });
    await page.goto('/stations');
    await page.getByRole('heading', { name: 'Stations' }).waitFor();
    await page.route(/\/assets\/library-.*\.js/, (r) => r.abort());
    await page.goto('/settings?tab=firmware');
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.unroute(/\/assets\/library-.*\.js/);
    await again.click();
    // A browser may keep the failure of the file: then the second time brings the page.
    const row = page.getByRole('row').filter({ hasText: '9.0.0' });
    await until('the library is there', async () => {
      if ((await row.count()) > 0) return true;
      if (await again.isVisible()) await again.click();
      return false;
    });
    await page.context().close();
  });
});
