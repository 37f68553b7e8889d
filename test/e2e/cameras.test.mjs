import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { binary, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

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

  it('shows the picture under the pointer, and why there is none', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?view=review&span=2');
    const slider = page.getByRole('slider', { name: 'Moment' });
    const valueOf = async (n) => Number(await slider.getAttribute(n));
    let answer;
    page.on('response', (r) => {
      if (r.url().includes('/playback/thumbnail.jpg') && r.status() === 200) answer = r;
    });
    // The cameras may have begun to record just now: only what is a few seconds old is there for sure.
    let now;
    await until('a picture under the pointer', async () => {
      now = Date.now() - 4000;
      const [box, from, to] = [await slider.boundingBox(), await valueOf('aria-valuemin'), await valueOf('aria-valuemax')];
      await page.mouse.move(box.x + (box.width * (now - from)) / (to - from), box.y + 14);
      return answer;
    });
    assert.equal(answer.headers()['content-type'], 'image/jpeg');
    const taken = Date.parse(answer.headers()['chargewatch-at']);
    assert.ok(Math.abs(taken - now) < 20_000, `taken ${taken}, asked for about ${now}`);
    await page.locator('img[src^="blob:"]').first().waitFor();
    await shot(page, 'cameras-glimpse-dark');
    await page.goto(`/cameras?view=review&span=60&at=${now - 6 * 3600_000}`);
    await page.getByText('Nothing was recorded at this time').first().waitFor();
    await page.done();
  });

  it('marks a moment, finds it again and forgets it', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?view=review&span=2');
    const video = page.getByLabel(/^Recording of/);
    // What is marked lies two seconds back: as much has to be recorded by then.
    await until('a recorded picture', async () => (await video.evaluate((v) => v.currentTime)) > 3);
    const slider = page.getByRole('slider', { name: 'Moment' });
    await page.keyboard.press('k');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await page.keyboard.press('i');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('o'); // before the start: it begins anew
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('i');
    await page.getByRole('link', { name: 'Save 1 s' }).waitFor();
    const clip = await page.request.get(await page.getByRole('link', { name: 'Save 1 s' }).getAttribute('href'));
    assert.match(clip.headers()['content-disposition'], /cam-[a-z0-9-]+-\d{8}T\d{6}Z\.mp4/);
    const at = Number(await slider.getAttribute('aria-valuenow'));
    await page.keyboard.press('b');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What is to be seen').fill('Somebody at the cable');
    await page.keyboard.press('Enter');
    await page.getByText('Bookmark set').waitFor();
    await page.goto('/cameras?view=review');
    await page.getByRole('button', { name: 'All bookmarks' }).click();
    await page.getByRole('button', { name: /Somebody at the cable/ }).first().click();
    await until('the moment of the bookmark', async () => Math.abs(Number(await slider.getAttribute('aria-valuenow')) - at) < 3_000);
    await page.getByRole('button', { name: 'All bookmarks' }).click();
    await page.getByRole('button', { name: 'Actions: Somebody at the cable' }).click();
    await page.getByRole('menuitem', { name: 'Remove bookmark' }).click();
    await page.getByText('No bookmarks of these cameras').waitFor();
    await page.done();
  });

  it('zooms and goes about by keys, and the address says where', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?view=review');
    const slider = page.getByRole('slider', { name: 'Moment' });
    await slider.waitFor();
    await page.keyboard.press('k');
    const span = async () =>
      Math.round((Number(await slider.getAttribute('aria-valuemax')) - Number(await slider.getAttribute('aria-valuemin'))) / 60_000);
    assert.equal(await span(), 60);
    await page.keyboard.press('+');
    await until('half an hour', async () => (await span()) === 30);
    assert.match(page.url(), /span=30/);
    await slider.hover();
    await page.mouse.wheel(0, -100);
    await until('ten minutes', async () => (await span()) === 10);
    const at = Number(await slider.getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowLeft');
    await until('ten seconds back', async () => Number(await slider.getAttribute('aria-valuenow')) <= at - 9_000);
    const there = Number(await slider.getAttribute('aria-valuenow'));
    await until('the address', () => Math.abs(Number(new URL(page.url()).searchParams.get('at')) - there) < 1000);
    await page.reload();
    await until('the same moment', async () => Math.abs(Number(await slider.getAttribute('aria-valuenow')) - there) < 1000);
    await page.keyboard.press('t');
    await page.getByLabel('Go to a time').and(page.locator(':focus')).waitFor();
    await page.done();
  });

  it('keeps a wall under a name, in its order', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?grid=4');
    await until('four tiles', async () => (await tiles(page).count()) === 4);
    const names = () => page.$$eval('article[data-fresh]', (all) => all.map((a) => a.getAttribute('aria-label').split(':')[0]));
    const before = await names();
    await page.getByRole('button', { name: 'Arrange' }).click();
    await page.getByRole('button', { name: / one place later$/ }).first().click();
    await until('another order', async () => (await names())[1] === before[0] && (await names())[0] === before[1]);
    await page.getByRole('button', { name: / off the wall$/ }).last().click();
    await until('three tiles', async () => (await tiles(page).count()) === 3);
    await page.getByRole('button', { name: 'Save wall' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Gates');
    await dialog.getByRole('button', { name: 'Save wall' }).click();
    await page.getByText('Wall “Gates” saved').waitFor();
    assert.match(page.url(), /wall=w-/);
    await page.goto('/cameras?wall=w-nobody');
    await page.getByText('This wall is gone').waitFor();
    await page.goto('/cameras');
    await page.getByLabel('Wall', { exact: true }).first().click();
    await page.getByRole('option', { name: 'Gates' }).click();
    await until('the wall again', async () => (await tiles(page).count()) === 3 && (await names())[0] === before[1]);
    await page.getByRole('button', { name: 'More for “Gates”' }).click();
    await page.getByRole('menuitem', { name: 'Remove “Gates”' }).click();
    await page.getByText('Wall “Gates” removed').waitFor();
    await page.done();
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
    await inEveryView(server, state, '/cameras?view=review&span=10', 'cameras-review', async (page) => {
      const video = page.getByLabel(/^Recording of/);
      await until('a recorded picture', async () => (await video.evaluate((v) => v.readyState)) >= 2);
    });
  });
});

// Two cameras of their own, which do what they are told.
describe('a picture of the past', () => {
  let farm;
  let at;
  let server;
  let state;
  before(async () => {
    farm = spawn(binary, ['sim', 'cameras', '--listen', '127.0.0.1:0', '--count', '2', '--view', 'yard-day', '--scene', 'quiet', '--control'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    farm.stdout.on('data', (chunk) => {
      said += chunk;
    });
    at = await until('the cameras are there', () => said.match(/rtsp:\/\/([\d.:]+)\/cam2/)?.[1]);
    server = await Server.start('serve', ['--allow-net', at]);
    const token = server.token('admin');
    const made = await server.api(token, 'POST', '/sites', { id: 'yard', name: 'Yard', timeZone: 'Europe/Berlin' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    for (const n of [1, 2]) {
      const camera = { id: `cam${n}`, siteId: 'yard', label: `Bay ${n}`, mainUrl: `rtsp://${at}/cam${n}/main`, subUrl: `rtsp://${at}/cam${n}/sub` };
      assert.equal((await server.api(token, 'POST', '/cameras', camera)).status, 201);
    }
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill('three quiet words');
    await page.getByLabel('The same again').fill('three quiet words');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Cameras' }).first().waitFor();
    state = await page.context().storageState();
    await page.done();
  });
  after(async () => {
    await server?.remove();
    farm?.kill();
    await closeBrowser();
  });

  it('is never shown as one of now, whether the camera stops or repeats itself', async () => {
    const page = await open(server, { state });
    await page.goto('/cameras?grid=4');
    const tile = (n) => page.getByRole('article', { name: new RegExp(`^Bay ${n},`) });
    const fresh = (n) => tile(n).getAttribute('data-fresh');
    const frames = (n) => tile(n).locator('video').evaluate((v) => v.getVideoPlaybackQuality().totalVideoFrames);
    const aged = (n) => tile(n).getByText(/^Picture of /);
    await until('both show pictures of now', async () => (await fresh(1)) === 'true' && (await fresh(2)) === 'true');

    farm.stdin.write('fault cam1 stall\n');
    await until('the first turns grey', async () => (await fresh(1)) === 'false');
    await aged(1).waitFor();
    const age = await aged(1).textContent();
    await until('its age grows', async () => (await aged(1).textContent()) !== age);
    await tile(1).getByText(/^Next try in/).waitFor();
    assert.equal(await aged(1).count(), 1, 'it keeps its age while a new connection is tried');
    assert.ok(await tile(1).locator('canvas').evaluate((c) => c.width > 0 && getComputedStyle(c).filter.includes('grayscale')), 'the last picture stays, grey');
    assert.equal(await tile(1).locator('video[data-on="true"]').count(), 0, 'no picture is shown in colour');
    assert.equal(await tile(1).getByText('Now', { exact: true }).count(), 0, 'it does not say that it is of now');
    assert.equal(await fresh(2), 'true', 'the other is not concerned');

    // What comes is as many pictures as before, all the same.
    farm.stdin.write('fault cam2 freeze\n');
    await until('the second turns grey', async () => (await fresh(2)) === 'false');
    const before = await frames(2);
    await until('its pictures still come', async () => (await frames(2)) > before);
    assert.equal(await fresh(2), 'false');
    await aged(2).waitFor();
    await tile(2).getByText('Tampered with').first().waitFor();
    await shot(page, 'cameras-past-dark');

    farm.stdin.write('mend cam1\nmend cam2\n');
    await until('both are of now again', async () => (await fresh(1)) === 'true' && (await fresh(2)) === 'true');
    await page.done();
  });

  it('is not followed in the background, and of now again on return', async () => {
    const page = await open(server, { state });
    const ended = [];
    page.on('request', (r) => {
      if (r.method() === 'DELETE' && r.url().includes('/whep/')) ended.push(r.url());
    });
    await page.goto('/cameras?grid=4');
    const fresh = page.locator('article[data-fresh="true"]');
    await until('both are of now', async () => (await fresh.count()) === 2);
    const put = (hidden) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await put(true);
    await until('both connections are ended', () => ended.length === 2);
    await put(false);
    await until('both are of now again', async () => (await fresh.count()) === 2);
    assert.equal(await page.getByText('Single pictures').count(), 0, 'over the best way');
    await page.done();
  });

  it('is where the review begins, though the camera has only begun to record', async () => {
    const late = { id: 'late', siteId: 'yard', label: 'Late', mainUrl: `rtsp://${at}/cam2/main`, recording: 'continuous' };
    assert.equal((await server.api(server.token('admin'), 'POST', '/cameras', late)).status, 201);
    const page = await open(server, { state });
    await page.goto('/cameras?view=review&cams=late');
    const video = page.getByLabel(/^Recording of/);
    await until('a recorded picture moves', async () => (await video.evaluate((v) => v.currentTime)) > 0.5);
    assert.equal(await page.getByText('Nothing was recorded at this time').count(), 0);
    const moment = Number(await page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuenow'));
    const answer = await server.api(server.token('admin'), 'GET', `/cameras/late/recordings?from=${new Date(moment - 600_000).toISOString()}&to=${new Date(moment + 600_000).toISOString()}`);
    const first = Date.parse(answer.body.earliestAt);
    assert.ok(moment >= first && moment - first < 10_000, `at ${moment}, the first picture is of ${first}`);
    await shot(page, 'cameras-late-dark');
    await page.done();
  });
});
