import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot } from './harness.mjs';

describe('signing in to a new server', () => {
  let server;
  before(async () => {
    server = await Server.start('serve');
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('asks anybody without a session to sign in, and keeps where they wanted to go', async () => {
    const page = await open(server);
    await page.goto('/stations?state=faulted');
    await page.waitForURL(/\/signin/);
    assert.match(decodeURIComponent(page.url()), /next=\/stations\?state=faulted/);
    await page.done();
  });

  it('looks right in every view', () =>
    inEveryView(server, undefined, '/signin', 'signin', (p) => p.getByRole('button', { name: 'Sign in' }).waitFor()));

  it('says when name and password do not match, by keyboard alone', async () => {
    const page = await open(server);
    await page.goto('/signin');
    await page.getByLabel('Name').waitFor();
    await page.keyboard.type('nobody');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('do not match').waitFor();
    await axe(page, 'a refused sign-in');
    await shot(page, 'signin-refused');
    await page.done();
  });

  it('lets the first administrator in by the one-time link, once, and wants a password set', async () => {
    const page = await open(server);
    await page.goto(server.link);
    await page.getByRole('heading', { name: 'Choose a password' }).waitFor();
    assert.doesNotMatch(page.url(), /token/, 'the token left the address bar');
    await axe(page, 'choosing a password');
    await shot(page, 'signin-choose');
    await page.getByLabel('New password').fill('three quiet words');
    await page.getByLabel('The same again').fill('three quiet wards');
    await page.getByText('The two do not match.').waitFor();
    await page.getByLabel('The same again').fill('three quiet words');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByText('No station has connected yet').waitFor();
    const name = await page.evaluate(async () => (await (await fetch('/api/v1/me')).json()).name);

    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch('/api/v1/me')).status), 401);

    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password', { exact: true }).fill('three quiet words');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No station has connected yet').waitFor();
    await page.done();

    const again = await open(server);
    await again.goto(server.link);
    await again.getByRole('heading', { name: 'This link no longer works' }).waitFor();
    await axe(again, 'a spent link');
    await again.done();
  });

  it('follows no link to another site after signing in', async () => {
    const page = await open(server);
    await page.goto('/signin?next=https://example.org/');
    await page.getByLabel('Name').waitFor();
    const kept = await page.evaluate(() => new URLSearchParams(location.search).get('next'));
    assert.ok(kept === null || kept.startsWith('/'), `next is ${kept}`);
    await page.done();
  });
});
