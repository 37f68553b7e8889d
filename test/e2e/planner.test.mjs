import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, signIn, until } from './harness.mjs';

describe('the planner', () => {
  let server;
  let state;
  let token;
  let site;
  before(async () => {
    server = await Server.start('demo', ['--past', '30']);
    state = await signIn(server);
    token = server.token('admin');
    await until('a site has a history', async () => {
      const { body } = await server.api(token, 'GET', '/analytics/ranking?wait=5s');
      site = body.items?.find((p) => p.enough && p.ports <= 30)?.site;
      if (site) return true;
      for (const p of body.items ?? []) {
        const quick = await server.api(token, 'GET', `/analytics/plan/quick?site=${p.site}`);
        if (quick.body.enough) {
          site = p.site;
          return true;
        }
      }
      return false;
    });
    await until('it has a plan', async () => {
      const { body } = await server.api(token, 'GET', `/analytics/plan?site=${site}&wait=30s`);
      return body.state === 'finished';
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  it('says what a site needs, in every view', async () => {
    await inEveryView(server, state, `/analytics/planner?site=${site}`, 'planner', async (page) => {
      await page.getByRole('heading', { name: /^Scenarios/ }).waitFor();
      await page.getByRole('heading', { name: /^At the busiest hours/ }).waitFor();
    });
  });

  it('asks for a site first', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics/planner');
    await page.getByText('Whether a site needs more ports').waitFor();
    await axe(page, 'the planner without a site');
    await page.getByRole('combobox', { name: 'Choose a site' }).click();
    await page.getByRole('option').first().click();
    await page.waitForURL(/site=/);
    await page.done();
  });

  it('answers at once beneath a slider, and simulates what it says', async () => {
    const page = await open(server, { state });
    await page.goto(`/analytics/planner?site=${site}`);
    const ports = page.getByRole('slider', { name: 'More or fewer ports' });
    await ports.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/add=3/);
    await page.getByLabel('Cost of a port').fill('40000');
    await page.getByLabel('Price', { exact: true }).fill('0.6');
    await page.getByRole('textbox', { name: 'Name of the plan (optional)' }).fill('Three more');
    await page.getByRole('button', { name: 'Simulate' }).click();
    await page.waitForURL(/plan=p-/);
    await page.getByRole('heading', { name: 'Three more' }).waitFor();
    await page.getByRole('button', { name: 'Save as report' }).waitFor();
    const id = new URL(page.url()).searchParams.get('plan');
    const { body } = await server.api(token, 'GET', `/analytics/plans/${id}`);
    assert.equal(body.state, 'finished');
    await page.getByText(body.sentence).waitFor();
    assert.ok(body.result.outcomes.some((o) => o.payback), 'a price and a cost say when ports are paid');
    await page.getByText('Gain', { exact: true }).click();
    await page.getByRole('button', { name: 'Scenarios as a table' }).click();
    await page.getByRole('columnheader', { name: /Payback/ }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Scenarios as CSV' }).click();
    assert.match(readFileSync(await (await download).path(), 'utf8'), /scenario.*payback_months/);
    await axe(page, 'a plan as a table');
    // The one before is kept, and can stand below this one.
    const kept = page.getByRole('region', { name: 'Kept plans' });
    await kept.getByRole('button', { name: 'Without a name', exact: true }).waitFor();
    await kept.getByRole('row', { name: /Without a name/ }).getByRole('button').last().click();
    await page.getByRole('menuitem', { name: 'Show below the other' }).click();
    await page.waitForURL(/beside=p-/);
    await page.getByRole('heading', { name: /^What .* needs$/ }).waitFor();
    await kept.getByRole('row', { name: /Three more/ }).getByRole('button').last().click();
    await page.getByRole('menuitem', { name: 'Forget plan' }).click();
    await until('it is forgotten', async () => (await server.api(token, 'GET', `/analytics/plans/${id}`)).status === 404);
    await page.done();
  });

  it('speaks German', async () => {
    const page = await open(server, { state, locale: 'de-DE' });
    await page.goto(`/analytics/planner?site=${site}`);
    await page.getByRole('heading', { name: /^Zu den vollsten Stunden/ }).waitFor();
    await page.getByText(/vollsten Stunden (warten|sinkt)|Ladepunkt/).first().waitFor();
    await page.done();
  });

  it('places sites in the order of need', async () => {
    await inEveryView(server, state, '/analytics/ranking', 'ranking', async (page) => {
      await page.getByRole('region', { name: 'Where ports are needed first' }).getByRole('row').nth(2).waitFor();
    });
    const page = await open(server, { state });
    await page.goto('/analytics/ranking');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV' }).click();
    assert.match(readFileSync(await (await download).path(), 'utf8'), /^place,site,name,enough/);
    await page.getByRole('region', { name: 'Where ports are needed first' }).getByRole('link').first().click();
    await page.waitForURL(/analytics\/planner\?.*site=/);
    await page.done();
  });
});
