import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('the work at the sites', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const api = (method, path, body) => server.api(token, method, path, body);
  // The simulated staff has made its orders once the closed ones are there.
  const incidents = () =>
    until('there are incidents without an order', async () => {
      const { body: done } = await api('GET', '/workorders?state=done');
      const { body: orders } = await api('GET', '/workorders?state=active');
      if (orders.items.length < 5 || done.items.length < 1) return false;
      const { body } = await api('GET', '/incidents?state=active&limit=1000');
      const found = body.items.filter((i) => i.station && !orders.items.some((o) => o.incidentId === i.id));
      return found.length > 2 && found;
    });

  it('shows what the staff is at', async () => {
    await incidents();
    const page = await open(server, { state });
    await page.goto('/maintenance');
    for (const name of ['Open', 'Assigned', 'On site', 'Waiting for parts', 'Closed lately'])
      await page.getByRole('region', { name }).locator('[data-order]').first().waitFor();
    await page.getByRole('region', { name: 'On site' }).getByText('Jonas Brandt').waitFor();
    await page.getByRole('region', { name: 'Open' }).getByText(/ late$/).waitFor();
    await page.getByText('Mine', { exact: true }).click();
    await page.getByText('No jobs for you').waitFor();
    await page.done();
  });

  it('takes an order from an incident to its end', async () => {
    const [incident] = await incidents();
    const page = await open(server, { state });
    await page.goto(`/maintenance?incident=${incident.id}`);
    const form = page.getByRole('dialog', { name: 'Create work order' });
    await form.getByRole('button', { name: 'Create work order' }).click();
    const drawer = page.getByRole('dialog', { name: /^Order \d+$/ });
    await drawer.getByRole('button', { name: 'I am on site' }).click();
    await drawer.getByText('You may send these while you are on site.').waitFor();
    await drawer.getByLabel('Add a check').fill('Cabinet is locked');
    await drawer.getByRole('button', { name: 'Add', exact: true }).first().click();
    await drawer.getByRole('checkbox', { name: 'Cabinet is locked' }).click();
    await drawer.getByRole('checkbox', { name: 'Cabinet is locked', checked: true }).waitFor();
    await drawer.getByLabel('Part', { exact: true }).fill('Fuse');
    await drawer.getByRole('button', { name: 'Add', exact: true }).last().click();
    await drawer.getByText('1 ×').waitFor();
    await drawer.getByRole('button', { name: 'Close order' }).click();
    const end = drawer.getByRole('region', { name: 'Close order' });
    const close = end.getByRole('button', { name: 'Close without a test charge' });
    assert.ok(await close.isDisabled(), 'a word needs a reason');
    await end.getByLabel('Why no test charge is needed').fill('No vehicle at hand');
    await close.click();
    await drawer.getByText(/Closed by .+ without a test charge/).waitFor();
    const { body } = await api('GET', `/workorders?incident=${incident.id}`);
    assert.equal(body.items[0].state, 'done');
    await page.done();
  });

  it('shows the order that an incident has already', async () => {
    const incident = (await incidents())[1];
    const { body: first } = await api('POST', '/workorders', { incidentId: incident.id });
    const page = await open(server, { state });
    await page.goto(`/maintenance?incident=${incident.id}`);
    const form = page.getByRole('dialog', { name: 'Create work order' });
    await form.getByRole('button', { name: 'Create work order' }).click();
    await form.getByRole('button', { name: 'Show that order' }).click();
    await page.getByRole('dialog', { name: `Order ${first.number}` }).waitFor();
    await page.done();
  });

  // A cabinet with a burnt terminal, as a phone would send it.
  const drawn = async (page, colour) =>
    Buffer.from(
      await page.evaluate((c) => {
        const canvas = document.createElement('canvas');
        canvas.width = 1600;
        canvas.height = 1200;
        const g = canvas.getContext('2d');
        g.fillStyle = '#5b6570';
        g.fillRect(0, 0, 1600, 1200);
        g.fillStyle = '#d9dde1';
        g.fillRect(300, 80, 1000, 1040);
        g.fillStyle = '#30363d';
        for (let i = 0; i < 6; i++) g.fillRect(380, 180 + i * 150, 840, 90);
        g.fillStyle = c;
        g.fillRect(900, 330, 160, 90);
        g.font = '64px sans-serif';
        g.fillText('F7', 920, 300);
        return canvas.toDataURL('image/jpeg', 0.9).split(',')[1];
      }, colour),
      'base64',
    );

  it('keeps what was seen on site', async () => {
    const { body: orders } = await api('GET', '/workorders?state=active');
    const page = await open(server, { state });
    await page.goto(`/maintenance?order=${orders.items[0].id}`);
    const drawer = page.getByRole('dialog', { name: /^Order \d+$/ });
    const input = drawer.getByLabel('Add photos');
    const shots = [await drawn(page, '#b3261e'), await drawn(page, '#c98a1b')];
    await input.setInputFiles(shots.map((buffer, i) => ({ name: `${i}.jpg`, mimeType: 'image/jpeg', buffer })));
    await drawer.getByRole('button', { name: /^Photo 2 by / }).waitFor();

    // The line breaks: the photo waits, and is sent again.
    await page.route('**/photos', (r) => r.abort());
    await input.setInputFiles({ name: 'c.jpg', mimeType: 'image/jpeg', buffer: await drawn(page, '#2f7d32') });
    await drawer.getByText('Not sent: the server cannot be reached.').waitFor();
    await page.unroute('**/photos');
    await drawer.getByRole('button', { name: 'Send again' }).click();
    await drawer.getByRole('button', { name: /^Photo 3 by / }).waitFor();
    await input.setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
    await drawer.getByText('This picture cannot be read.').waitFor();
    await drawer.getByRole('button', { name: 'Discard' }).click();

    await drawer.getByRole('button', { name: /^Photo 1 by / }).click();
    const large = page.getByRole('dialog', { name: 'Photo 1 of 3' });
    await until('the picture is shown', () =>
      large.locator('img').evaluate((m) => m.complete && m.naturalWidth === 1600));
    await axe(page, 'a photo');
    await shot(page, 'maintenance-photo-dark');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('dialog', { name: 'Photo 2 of 3' }).waitFor();
    await page.getByRole('button', { name: 'Delete photo', exact: true }).click();
    await page.getByRole('button', { name: 'Delete photo for everyone' }).click();
    await page.getByRole('dialog', { name: 'Photo 2 of 2' }).waitFor();
    await page.keyboard.press('Escape');
    const { body: left } = await api('GET', `/workorders/${orders.items[0].id}`);
    assert.equal(left.photos, 2);
    await page.done();
  });

  it('looks right in every view', async () => {
    const { body: orders } = await api('GET', '/workorders?state=active');
    const id = orders.items[0].id;
    const { body: me } = await (await fetchMe()).json().then((body) => ({ body }));
    await api('PATCH', `/workorders/${id}`, { assignee: me.id });
    await inEveryView(server, state, '/maintenance', 'maintenance', (p) =>
      p.locator('[data-order]').first().waitFor());
    await inEveryView(server, state, `/maintenance?order=${id}`, 'maintenance-order', (p) =>
      p.getByRole('heading', { name: 'Log' }).waitFor());
    await inEveryView(server, state, '/maintenance?tab=scores', 'maintenance-scores', (p) =>
      p.getByText('100 less what incidents').waitFor());
    await inEveryView(server, state, '/maintenance?tab=inspect', 'maintenance-inspect', (p) =>
      p.getByText(/Nothing to inspect|Since/).first().waitFor());
  });

  const fetchMe = () =>
    fetch(`${server.base}/api/v1/me`, {
      headers: { Cookie: state.cookies.map((c) => `${c.name}=${c.value}`).join('; ') },
    });

  it('says which part failed', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/workorders?**', (r) =>
      r.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"title":"x","status":500}' }),
    );
    await page.goto('/maintenance');
    await page.getByRole('alert').getByText('Work orders').waitFor();
    await shot(page, 'maintenance-failed');
    await page.done();
  });
});
