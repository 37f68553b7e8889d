// Access: people with credentials, policies in words, lockdowns and the check; in
// every view, empty, failing, and changed by hand.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('access', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('the staff is there', async () => {
      const { body } = await server.api(token, 'GET', '/access/lockdowns');
      return body.items.length === 2;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const at = async (path, view = 'dark') => {
    const page = await open(server, { state, view });
    await page.goto(path);
    return page;
  };
  const dialog = (page) => page.getByRole('dialog');

  for (const [tab, ready] of [
    ['people', (p) => p.getByRole('button', { name: 'Mara Lindqvist' })],
    ['policies', (p) => p.getByText('No plates at cabinets')],
    ['lockdowns', (p) => p.getByText('Storm: nobody charges')],
    ['check', (p) => p.getByText('Would it open?')],
  ]) {
    it(`looks right in every view: ${tab}`, () =>
      inEveryView(server, state, `/access?tab=${tab}`, `access-${tab}`, (p) => ready(p).waitFor()));
  }

  it('looks right in every view: a person', async () => {
    const { body } = await server.api(token, 'GET', '/people?q=Mara');
    await inEveryView(server, state, `/access?person=${body.items[0].id}`, 'access-person', (p) =>
      p.getByText('Technicians on shift').waitFor(),
    );
  });

  it('finds people, by keyboard too, and keeps it in the address', async () => {
    const page = await at('/');
    await page.getByRole('link', { name: 'Access' }).first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Emil Sandberg' }).waitFor();
    await page.getByPlaceholder('Name, mail or phone').fill('berg');
    await page.waitForURL(/q=berg/);
    await page.getByRole('button', { name: 'Jonas Brandt' }).waitFor({ state: 'hidden' });
    await page.getByPlaceholder('Every state').click();
    await page.getByRole('option', { name: 'Suspended' }).click();
    await page.waitForURL(/state=suspended/);
    await page.getByRole('button', { name: 'Ida Berg' }).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Emil Sandberg' }).waitFor();
    await page.getByPlaceholder('Name, mail or phone').fill('nobody of that name');
    await page.getByText('Nothing matches').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('button', { name: 'Jonas Brandt' }).waitFor();
    await page.done();
  });

  it('adds somebody with a card, replaces the card when it is lost, and erases all', async () => {
    const page = await at('/access');
    await page.getByRole('button', { name: 'Add person' }).click();
    await dialog(page).getByLabel('Name').fill('Nora Feldmann');
    await dialog(page).getByRole('button', { name: 'Add person' }).click();
    await page.getByRole('heading', { name: 'Nora Feldmann' }).waitFor();
    const drawer = page.getByRole('dialog', { name: 'Nora Feldmann' });
    await drawer.getByText('Without a credential').waitFor();
    const add = async (fill) => {
      await drawer.getByRole('button', { name: 'Add credential' }).click();
      const form = page.getByRole('dialog').last();
      await fill(form);
      await form.getByRole('button', { name: 'Add token' }).click();
    };
    await add((form) => form.getByLabel('Token', { exact: false }).first().fill('NORA-0001'));
    await drawer.getByText('NORA-0001').waitFor();
    await drawer.getByRole('button', { name: 'Lost' }).click();
    const lost = page.getByRole('dialog').last();
    await lost.getByLabel('Replacement').fill('NORA-0002');
    await axe(page, 'a lost card');
    await lost.getByRole('button', { name: 'Block and replace' }).click();
    await drawer.getByText('NORA-0002').waitFor();
    await drawer.getByText('blocked').waitFor();
    const { body } = await server.api(token, 'GET', '/people?q=Nora');
    assert.equal(body.items[0].credentialCount, 2);
    assert.equal(body.items[0].blockedCount, 1);
    await drawer.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').last().getByRole('button', { name: 'Suspend' }).click();
    await drawer.getByText('At the moment nothing of this').waitFor();
    assert.equal((await server.api(token, 'DELETE', `/people/${body.items[0].id}`)).status, 204);
    await page.reload();
    await page.getByText('Nobody by this id').waitFor();
    await axe(page, 'a person who is gone');
    await page.done();
  });

  it('says who would get in, why not, and who may', async () => {
    const page = await at('/access?tab=check');
    await page.getByRole('combobox', { name: 'Who' }).click();
    await page.getByRole('option', { name: 'Emil Sandberg' }).click();
    const { body: stations } = await server.api(token, 'GET', '/stations?limit=50');
    const station = stations.items.find((s) => s.siteId).id;
    const place = page.getByRole('combobox', { name: 'Where' });
    await place.fill(`${station}/1`);
    await page.getByRole('option', { name: new RegExp(`${station}/1`) }).first().click();
    await page.getByText('The person is suspended.').waitFor();
    await page.getByRole('table').getByText('Ruben Costa').first().waitFor();
    await axe(page, 'an answer of the check');
    await shot(page, 'access-check-answer');
    await page.getByRole('combobox', { name: 'Who' }).fill('Ruben');
    await page.getByRole('option', { name: 'Ruben Costa' }).click();
    await page.getByText('Yes', { exact: true }).waitFor();
    assert.match(page.url(), /who=p/);
    await page.done();
  });

  it('locks down with a reason and releases again', async () => {
    const page = await at('/access?tab=lockdowns');
    const row = page.getByRole('listitem').filter({ hasText: 'Storm: nobody charges' });
    await row.getByRole('button', { name: 'Activate lockdown' }).click();
    const act = dialog(page).getByRole('button', { name: 'Activate lockdown' });
    assert.equal(await act.isDisabled(), true);
    await dialog(page).getByText('It keeps nobody in').waitFor();
    await dialog(page).getByLabel('Reason').fill('Gale warning');
    await act.click();
    await page.getByText('Locked down: Storm: nobody charges.').waitFor();
    await axe(page, 'an active lockdown');
    await shot(page, 'access-lockdown-active');
    await row.getByRole('button', { name: 'Release lockdown' }).click();
    await dialog(page).getByLabel('Reason').fill('The wind has dropped');
    await dialog(page).getByRole('button', { name: 'Release lockdown' }).click();
    await until('it is released', async () => (await page.getByText('Locked down:').count()) === 0);
    await page.done();
  });

  it('writes a policy, a week by hand, and shows at its place what is wrong with a forbid', async () => {
    const page = await at('/access?tab=policies');
    await page.getByRole('button', { name: 'Add schedule' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Mornings');
    await dialog(page).getByRole('button', { name: 'Mon 08:00' }).click();
    await page.keyboard.press('Shift+ArrowRight');
    await dialog(page).getByText('Mon 08:00–10:00').waitFor();
    await axe(page, 'a week drawn by hand');
    await shot(page, 'access-schedule');
    await dialog(page).getByRole('button', { name: 'Add schedule' }).click();
    await page.getByText('Mon 08:00–10:00', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Add policy' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Guards charge');
    await dialog(page).getByRole('combobox', { name: 'Who' }).click();
    await page.getByRole('option', { name: 'Guards', exact: true }).click();
    await page.keyboard.press('Escape');
    await dialog(page).getByRole('combobox', { name: 'What' }).click();
    await page.getByRole('option', { name: 'charging' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).click();
    await axe(page, 'a policy being written');
    await dialog(page).getByRole('button', { name: 'Add policy' }).click();
    await page.getByRole('button', { name: 'Guards charge', exact: true }).click();
    await dialog(page).getByText('permit (').waitFor();
    await axe(page, 'a policy in Cedar');
    await dialog(page).getByText('Close', { exact: true }).click();

    await page.getByRole('button', { name: 'Write forbid' }).click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('Broken');
    await dialog(page).getByLabel('In the Cedar language').fill('forbid (principal, action, resource)\nwhen { resource.kind = };');
    await dialog(page).getByRole('button', { name: 'Write forbid' }).click();
    await dialog(page).getByText(/is not Cedar/).first().waitFor();
    await axe(page, 'a forbid with a fault');
    await page.done();
  });

  it('takes people from a file, row by row', async () => {
    const page = await at('/access');
    await page.getByRole('button', { name: 'Import CSV' }).click();
    await dialog(page).getByLabel('Rows').fill('name,groups,idToken\nLina Kraus,Guards,LINA-1\n=cmd(),,\n');
    await dialog(page).getByRole('button', { name: 'Check' }).click();
    await dialog(page).getByText('begins like a formula').waitFor();
    await dialog(page).getByRole('button', { name: 'Import', exact: true }).click();
    await dialog(page).getByText('added', { exact: true }).waitFor();
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Lina Kraus' }).waitFor();
    await page.done();
  });

  it('makes a pass that its holder opens without signing in, and that dies with the order', async () => {
    const { body: sites } = await server.api(token, 'GET', '/sites?limit=5');
    const { body: order } = await server.api(token, 'POST', '/workorders', {
      siteId: sites.items[0].id,
      title: 'Lift a cabinet',
      severity: 'S4',
    });
    const { body: pass } = await server.api(token, 'POST', `/workorders/${order.id}/passes`, {
      label: 'Crane driver',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      opens: ['gate'],
    });
    const holder = await open(server, { view: 'phone' });
    await holder.goto(pass.link);
    await holder.getByText('Crane driver').waitFor();
    assert.equal(await holder.getByRole('img', { name: pass.idToken }).count(), 1);
    await axe(holder, 'a pass');
    await shot(holder, 'access-pass-phone');
    const page = await at(`/maintenance?order=${order.id}`);
    await page.getByText('Crane driver').waitFor();
    await page.getByRole('button', { name: 'Make pass' }).waitFor();
    await page.done();
    assert.equal((await server.api(token, 'POST', `/workorders/${order.id}/cancel`, { reason: 'not needed' })).status, 200);
    await holder.reload();
    await holder.getByText('Pass not valid').waitFor();
    await holder.done();
  });

  it('says so where it is empty or broken', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/people?*', (r) =>
      r.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: '{"title":"Internal Server Error","status":500,"detail":"the disk is full"}',
      }),
    );
    await page.goto('/access');
    await page.getByText('Could not load: People').waitFor();
    await axe(page, 'people that failed');
    await page.unroute('**/api/v1/people?*');
    await page.route('**/api/v1/people?*', (r) => r.fulfill({ json: { items: [], nextCursor: '' } }));
    await page.goto('/access');
    await page.getByText('No people yet').waitFor();
    await axe(page, 'no people');
    await page.done();
  });
});
