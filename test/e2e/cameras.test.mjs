import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

// The demo's cameras speak real RTSP; what is looked at here came through WebRTC.
describe('cameras', () => {
  let server;
  let state;
  before(async () => {
    server = await Server.start('demo', ['--cameras', '--past', '0']);
    state = await signIn(server);
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });
  const tiles = (page) => page.locator('article[data-fresh]');
  const fresh = (page) => page.locator('article[data-fresh="true"]');

  it('shows four at once, each a picture of now that moves on', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?grid=4');
    await until('four pictures of now', async () => (await fresh(page).count()) === 4);
    const frames = () =>
      page.$$eval('article[data-fresh] video', (all) => all.map((v) => v.getVideoPlaybackQuality().totalVideoFrames));
    const first = await frames();
    await until('new pictures on all', async () => (await frames()).every((n, i) => n > first[i]));
    await shot(page, 'cameras-wall-dark');
    await page.keyboard.press('2');
    await page.locator('article[data-large="true"][data-fresh="true"]').waitFor();
    assert.match(page.url(), /focus=/);
    await page.keyboard.press('Escape');
    await until('the wall again', async () => (await tiles(page).count()) === 4);
    await page.close();
  });

  it('plays what was recorded, and goes where it is told', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?view=review');
    const video = page.getByLabel(/^Recording of/);
    await until('a recorded picture moves', async () => (await video.evaluate((v) => v.currentTime)) > 0.5);
    await page.getByRole('button', { name: 'Pause' }).click();
    const slider = page.getByRole('slider', { name: 'Moment' });
    const at = Number(await slider.getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowLeft');
    await until('ten seconds back', async () => Number(await slider.getAttribute('aria-valuenow')) < at - 8_000);
    const saved = await page.getByRole('link', { name: 'Save this minute' }).getAttribute('href');
    const clip = await page.request.get(saved);
    assert.equal(clip.status(), 200);
    assert.equal(clip.headers()['content-type'], 'video/mp4');
    await shot(page, 'cameras-review-dark');
    await page.close();
  });

  it('says why there is no picture when the camera is gone, and keeps the last one', async () => {
    const page = await open(server, { state });
    await page.route('**/whep?**', (route) =>
      route.fulfill({ status: 409, contentType: 'application/problem+json', body: '{"status":409,"code":"noPicture"}' }),
    );
    await page.goto('/cameras?grid=1');
    await page.getByText('The camera sends no picture now.').waitFor();
    assert.equal(await fresh(page).count(), 0);
    await shot(page, 'cameras-none-dark');
    await page.close();
  });

  it('can be read in every view', async () => {
    await inEveryView(server, state, '/cameras?grid=4', 'cameras', async (page) => {
      await until('a picture', async () => (await fresh(page).count()) > 0);
    });
  });
});
