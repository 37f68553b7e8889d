import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('playbooks', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
    await until('the stations are online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.length > 50;
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const at = async (path, options = {}) => {
    const page = await open(server, { state, ...options });
    await page.goto(path);
    return page;
  };
  const book = (page, name) => page.getByRole('article', { name });
  const act = async (page, name, item) => {
    await book(page, name)
      .getByRole('button', { name: /^Actions: / })
      .click();
    await page.getByRole('menuitem', { name: item }).click();
  };

  it('looks right in every view: the list', () =>
    inEveryView(server, state, '/playbooks', 'playbooks-list', (p) =>
      book(p, 'Clear a fault that is no danger').waitFor(),
    ));

  it('looks right in every view: at work', () =>
    inEveryView(server, state, '/playbooks?tab=work', 'playbooks-work', (p) =>
      p.getByText('Every port we took out is back.').waitFor(),
    ));

  it('looks right in every view: the editor', () =>
    inEveryView(server, state, '/playbooks?edit=stuck-state', 'playbooks-editor', (p) =>
      p.getByRole('textbox', { name: 'Name' }).waitFor(),
    ));

  it('copies a built-in one, shows a fault at its field, and keeps what was changed', async () => {
    const page = await at('/playbooks');
    await act(page, 'Free a port that is stuck', 'Copy and change');
    const name = page.getByRole('textbox', { name: 'Name' });
    assert.equal(await name.inputValue(), 'Free a port that is stuck (own)');
    await name.fill('Free our ports');
    await page.getByRole('textbox', { name: 'Rest after a run, minutes' }).fill('5');
    await page.getByRole('textbox', { name: 'Seconds of step 4' }).fill('0');
    await page.getByRole('button', { name: 'Save playbook' }).click();
    await page.getByText('10 to 1,440, or empty').waitFor();
    await page.getByText('1 to 86,400 seconds').waitFor();
    await page.getByText('Some fields need another look').waitFor();
    await axe(page, 'faults at fields');
    await shot(page, 'playbooks-faults');
    await page.getByRole('textbox', { name: 'Rest after a run, minutes' }).fill('90');
    await page.getByRole('textbox', { name: 'Seconds of step 4' }).fill('120');
    await page.getByRole('button', { name: 'Save playbook' }).click();
    const own = book(page, 'Free our ports');
    await own.waitFor();
    assert.match(await own.innerText(), /Own[\s\S]*Wait 2 min[\s\S]*90 min rest/);
    const { body } = await server.api(token, 'GET', '/playbooks');
    const kept = body.items.find((p) => p.id === 'stuck-state-own');
    assert.equal(kept.enabled, false, 'a copy does nothing by itself yet');
    assert.deepEqual([kept.steps[3].seconds, kept.limits.coolDownMinutes], [120, 90]);
    await act(page, 'Free our ports', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await own.waitFor({ state: 'detached' });
    await page.done();
  });

  it('changes a built-in one in its place and brings the original back', async () => {
    const page = await at('/playbooks?edit=fault');
    await page.getByRole('textbox', { name: 'Name' }).fill('Clear faults carefully');
    await page.getByRole('button', { name: 'Add a step' }).click();
    await page.getByRole('button', { name: 'Save playbook' }).click();
    await book(page, 'Clear faults carefully').getByText('Built-in, changed').waitFor();
    await act(page, 'Clear faults carefully', 'Bring back the original');
    await page.getByRole('dialog').getByRole('button', { name: 'Bring back the original' }).click();
    await book(page, 'Clear a fault that is no danger').waitFor();
    await page.done();
  });

  it('foresees the refusal at a port with a running session', async () => {
    const { station, evse } = await until('a session runs', async () => {
      const { body } = await server.api(token, 'GET', '/sessions?active=true&limit=100');
      const one = body.items.find((s) => s.endedAt === null);
      return one && { station: one.station, evse: one.evse };
    });
    const path = `/playbooks?try=soft-restart&station=${encodeURIComponent(station)}&evse=${evse}`;
    for (const view of ['dark', 'light', 'phone']) {
      const page = await at(path, { view });
      const steps = page.getByRole('region', { name: 'Now' }).getByRole('listitem');
      await steps.first().waitFor();
      await page.getByText('A session is running').waitFor();
      assert.match(await steps.nth(1).innerText(), /Soft reset\s+Refused\s+A session is running/);
      await axe(page, `preview ${view}`);
      await shot(page, `playbooks-preview-${view}`);
      await page.done();
    }
  });

  it('stops everything by keyboard, asking once, and says who did', async () => {
    const page = await at('/playbooks');
    const kill = page.getByRole('button', { name: 'Stop all remedies' });
    await kill.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Kill switch.').waitFor();
    await axe(page, 'the question before the kill switch');
    await shot(page, 'playbooks-kill');
    await dialog.getByRole('button', { name: 'Stop all remedies' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('All remedies are stopped.').waitFor();
    await page.getByText(/Set by you/).waitFor();
    assert.equal((await server.api(token, 'GET', '/remedies')).body.mode, 'off');
    await dialog.waitFor({ state: 'detached' });
    await axe(page, 'stopped');
    await shot(page, 'playbooks-stopped');
    await page.getByRole('button', { name: /^Dry run/ }).click();
    await dialog.getByRole('button', { name: 'Set to “Dry run”' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await server.api(token, 'GET', '/remedies')).body.mode, 'dryRun');
    await page.done();
  });

  it('decides for one site and takes it back', async () => {
    const page = await at('/playbooks');
    await page.getByRole('button', { name: 'Decide for a site' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Site' }).click();
    await page.getByRole('option').first().click();
    await dialog.getByRole('button', { name: 'Set to “Dry run”' }).click();
    const change = page.getByRole('button', { name: /^Change the mode of Site / });
    await change.waitFor();
    await dialog.waitFor({ state: 'detached' });
    await shot(page, 'playbooks-site');
    await change.click();
    await dialog.getByRole('combobox', { name: 'Mode' }).click();
    await page.getByRole('option', { name: 'As everywhere' }).click();
    await dialog.getByRole('button', { name: 'Set to “As everywhere”' }).click();
    await change.waitFor({ state: 'detached' });
    await page.done();
  });

  it('says what failed and leaves the rest alive', async () => {
    const page = await open(server, { state });
    await page.route('**/api/v1/remedies', (r) => r.fulfill({ status: 500, body: '{}' }));
    await page.goto('/playbooks');
    await page.getByText('The mode').waitFor();
    await book(page, 'Clear a fault that is no danger').waitFor();
    await axe(page, 'the mode failed');
    await shot(page, 'playbooks-failed');
    await page.done();
  });

  it('is loud about a port that we owe', async () => {
    const page = await open(server, { state });
    const { body: stations } = await server.api(token, 'GET', '/stations?limit=1');
    const station = stations.items[0].id;
    const minute = 60_000;
    const ago = (n) => new Date(Date.now() - n * minute).toISOString();
    await page.route('**/api/v1/remedies', async (r) => {
      const json = await (await r.fetch()).json();
      json.owed = [
        {
          station,
          evse: 1,
          incident: 'x',
          playbook: 'stuck-state',
          since: ago(42),
          state: 'scheduled',
          held: false,
          attempts: 3,
          last: 'Scheduled',
          nextAt: ago(-8),
          attemptedAt: ago(4),
        },
      ];
      json.running = [
        {
          id: 'r',
          incident: 'x',
          playbook: 'fault',
          name: 'Clear a fault that is no danger',
          station,
          evse: 1,
          by: '',
          dryRun: true,
          startedAt: ago(3),
          step: 2,
          steps: ['trigger', 'wait', 'softReset'],
          waits: 'sessionRunning',
        },
      ];
      json.budgets = [{ station, softResets: 1, hardResets: 0, cycles: 2, unlocks: 0, lastAt: ago(20) }];
      await r.fulfill({ json });
    });
    await page.goto('/playbooks?tab=work');
    await page.getByRole('alert').getByText('1 port is out of service because of us').waitFor();
    await page.getByText('Waits: A session is running').waitFor();
    await axe(page, 'a debt');
    await shot(page, 'playbooks-owed');
    await page.done();
  });

  it('is told in German throughout', async () => {
    const page = await at('/playbooks', { locale: 'de-DE' });
    await book(page, 'Eine ungefährliche Störung beheben').waitFor();
    await shot(page, 'playbooks-german');
    await page.done();
  });
});
