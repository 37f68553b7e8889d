// A raid that is played from the Overview of the demo: one button, and a minute later
// an incident with its pictures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

let server;
let state;
let token;
before(async () => {
  server = await Server.start('demo', ['--cameras', '--past', '0']);
  state = await signIn(server);
  token = server.token();
});
after(async () => {
  await closeBrowser();
  await server?.remove();
});

test('a cable raid plays, is told of with pictures, and is healed', async () => {
  await until('simulated sites can play it', async () => {
    const { body } = await server.api(token, 'GET', '/stations?limit=200');
    return body.items.filter((s) => s.online).length > 80;
  });
  await inEveryView(server, state, '/', 'raid-invitation', (page) =>
    page.getByRole('button', { name: 'Play raid' }).waitFor(),
  );
  const page = await open(server, { state });
  await page.goto('/');
  await page.getByRole('button', { name: 'Play raid' }).click();
  await page.getByText(/^Before camera/).waitFor();
  const again = await server.api(token, 'POST', '/demo/raid', { kind: 'idle' });
  assert.equal(again.status, 409, 'one plays at a time');
  await page.getByText(/notices$/).first().waitFor();
  await page.getByText(/^Alarm S1/).waitFor();
  await shot(page, 'raid-alarm-dark');
  await page.getByRole('link', { name: 'Open incident', exact: true }).click();
  await page.getByText(/Cables (are|may be) being stolen|Cable theft/).first().waitFor();

  const raid = (await server.api(token, 'GET', '/demo/raid')).body;
  const clip = await until('the incident has a clip', async () => {
    const { body } = await server.api(token, 'GET', `/incidents/${raid.incidentId}`);
    return body.cameraClips?.[0];
  });
  await until('the clip can be fetched', async () => {
    const query = new URLSearchParams({ from: clip.from, to: clip.to });
    const answer = await fetch(`${server.base}/api/v1/cameras/${clip.cameraId}/clip.mp4?${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    return answer.status === 200 && (await answer.arrayBuffer()).byteLength > 10_000;
  });
  await shot(page, 'raid-incident-dark');

  await page.goto('/');
  await page.getByRole('button', { name: 'Stop and heal' }).click();
  await page.getByRole('button', { name: 'Play another' }).waitFor();
  await page.done();
  await inEveryView(server, state, '/', 'raid-over', (p) => p.getByText(/^Over\./).waitFor());
  const broken = raid.steps.find((s) => s.do === 'breaks');
  await until('the port is mended', async () => {
    const { body } = await server.api(token, 'GET', `/stations/${broken.station}`);
    const port = body.evses.find((e) => e.id === broken.evse);
    return port && port.status !== 'Faulted';
  });
});
