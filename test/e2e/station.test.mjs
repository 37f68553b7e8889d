import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn, until } from './harness.mjs';

describe('one station', () => {
  let server;
  let state;
  let token;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('viewer');
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const busy = async () =>
    until('a station charges', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true&status=Charging');
      return body.items.find((s) => s.evses.some((e) => e.powerW > 0));
    });

  it('looks right in every view', async () => {
    const s = await busy();
    await inEveryView(server, state, `/stations/${s.id}`, 'station', async (p) => {
      await p.getByRole('heading', { name: new RegExp(s.id) }).waitFor();
      await p.getByRole('slider', { name: 'Moment on the timeline' }).waitFor();
      await p.getByRole('region', { name: 'Sessions' }).waitFor();
    });
  });

  it('shows firmware, protocol and that it is simulated', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}`);
    await page.getByText(s.firmware, { exact: true }).waitFor();
    await page.getByText(s.protocol.replace('ocpp', 'OCPP '), { exact: true }).waitFor();
    await page.getByRole('main').getByText('Simulated', { exact: true }).waitFor();
    await page.done();
  });

  const timeline = (page) => page.getByRole('slider', { name: 'Moment on the timeline' });

  it('reads a moment of all lanes under one cursor, by pointer and by keyboard', async () => {
    const s = await busy();
    const port = s.evses.find((e) => e.powerW > 0).id;
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?port=${port}`);
    await timeline(page).hover();
    const spoken = async () => (await timeline(page).getAttribute('aria-valuetext')) ?? '';
    await until('the moment is told', async () => (await spoken()).includes(`Port ${port}`));
    await timeline(page).focus();
    await page.keyboard.press('End');
    await until('the present charges', async () => /Charging.* kW/.test(await spoken()));
    const last = await spoken();
    await page.keyboard.press('Shift+ArrowLeft');
    await until('another moment is told', async () => (await spoken()) !== last);
    await axe(page, 'a moment on the timeline');
    await shot(page, 'station-timeline');
    await page.keyboard.press('+');
    await page.waitForURL(/range=/);
    await page.getByRole('button', { name: 'Back to 24 hours' }).click();
    await until('the address is as before', () => !page.url().includes('range='));
    await page.done();
  });

  it('zooms what all pages show by dragging', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}`);
    await timeline(page).waitFor();
    // The page may still find its place while the pointer is on its way.
    await until('what was dragged over', async () => {
      const box = await timeline(page).boundingBox();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.75, box.y + 40, { steps: 4 });
      await page.mouse.up();
      await page.waitForURL(/range=/, { timeout: 5000 });
      return true;
    });
    const [from, to] = new URL(page.url()).searchParams.get('range').replaceAll('"', '').split('..').map(Date.parse);
    assert.ok(Math.abs((to - from) / 3_600_000 - 6) < 0.2, `a quarter of a day, not ${(to - from) / 3_600_000} h`);
    await page.goBack();
    await until('the whole day is back', () => !page.url().includes('range='));
    await page.done();
  });

  it('says the same in tables', async () => {
    const s = await busy();
    const port = s.evses.find((e) => e.powerW > 0).id;
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?port=${port}`);
    await page.getByRole('switch', { name: 'Table' }).check();
    const happened = page.getByRole('region', { name: 'What happened' });
    await happened.getByRole('row').filter({ hasText: 'Charging' }).first().waitFor();
    await page.getByRole('region', { name: `What port ${port} measured` }).getByRole('row').nth(1).waitFor();
    await axe(page, 'the timeline as tables');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: /CSV/ }).first().click();
    assert.match((await download).suggestedFilename(), /-states\.csv$/);
    await shot(page, 'station-timeline-table');
    await page.done();
  });

  it('shows 90 days', async () => {
    const s = await busy();
    const page = await open(server, { state });
    const answer = page.waitForResponse((r) => r.url().includes('/states?'));
    await page.goto(`/stations/${s.id}?range=90d`);
    assert.ok((await (await answer).json()).stepSeconds > 3600);
    await timeline(page).waitFor();
    await page.getByText(/Each step of \d+ minutes/).waitFor();
    await shot(page, 'station-90d');
    await page.done();
  });

  it('names the timeline when it cannot be loaded, and keeps the rest', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.route('**/states?*', (r) =>
      r.fulfill({
        status: 410,
        contentType: 'application/problem+json',
        body: '{"title":"Gone","status":410,"detail":"from before what is retained"}',
      }),
    );
    await page.goto(`/stations/${s.id}?range=90d`);
    await page.getByText('Could not load: Timeline').waitFor();
    await page.getByText('from before what is retained').waitFor();
    await page.getByRole('region', { name: 'Sessions' }).waitFor();
    await axe(page, 'a timeline that failed');
    await shot(page, 'station-timeline-error');
    await page.done();
  });

  it('shows messages as they come, raw and readable, and stops for a reader', async () => {
    const s = await busy();
    const operator = server.token('operator');
    const heartbeat = { action: 'TriggerMessage', payload: { requestedMessage: 'Heartbeat' } };
    // A simulated past has no raw frames; this makes the first.
    await server.api(operator, 'POST', `/stations/${s.id}/commands?wait=10s`, heartbeat);
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=messages`);
    const items = page.getByRole('list', { name: 'OCPP messages' }).getByRole('listitem');
    await items.first().waitFor();
    await axe(page, 'messages');
    await items.first().getByRole('button').first().click();
    const frame = page.getByRole('region', { name: 'Frame' });
    await frame.waitFor();
    assert.ok(Array.isArray(JSON.parse(await frame.innerText())));
    assert.equal(await page.getByRole('switch', { name: 'Follow' }).isChecked(), false);
    await axe(page, 'an open message');
    await shot(page, 'station-messages');
    await server.api(operator, 'POST', `/stations/${s.id}/commands`, heartbeat);
    await page.getByRole('button', { name: /new message/ }).waitFor();
    await page.done();
  });

  it('says sent, then what the station answered', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=commands`);
    await page.getByRole('radio', { name: 'Ask for a message' }).check();
    await page.getByRole('combobox', { name: 'Message' }).or(page.getByRole('textbox', { name: 'Message' })).click();
    await page.getByRole('option', { name: 'Heartbeat' }).click();
    await page.getByText('Changes nothing. The station sends Heartbeat now.').waitFor();
    await axe(page, 'commands');
    await page.getByRole('button', { name: 'Ask for message' }).click();
    const mine = page.getByRole('listitem').filter({ hasText: 'by you' }).first();
    await mine.getByText('The station answered: Accepted').waitFor();
    await shot(page, 'station-commands');
    const { body } = await server.api(token, 'GET', `/stations/${s.id}/commands`);
    // The server has questions of its own meanwhile.
    assert.equal(body.items.find((c) => c.action === 'TriggerMessage')?.status, 'answered');
    await page.done();
  });

  it('tells what a restart at once costs and wants the id typed', async () => {
    const s = await busy();
    const page = await open(server, { state, view: 'light' });
    await page.goto(`/stations/${s.id}?tab=commands`);
    await page.getByRole('radio', { name: /Hard: restarts at once|At once/ }).check();
    await page.getByText(/Ends \d+ running session/).waitFor();
    const send = page.getByRole('button', { name: 'Reset station' });
    assert.equal(await send.isDisabled(), true);
    await page.getByLabel(`Type ${s.id} to confirm`).fill('something else');
    assert.equal(await send.isDisabled(), true);
    await page.getByLabel(`Type ${s.id} to confirm`).fill(s.id);
    assert.equal(await send.isDisabled(), false);
    await axe(page, 'a grave command');
    await shot(page, 'station-reset');
    await page.done();
  });

  it('takes no payload that the specification does not allow, and says which field', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=commands`);
    await page.getByRole('radio', { name: 'Any OCPP action' }).check();
    await page.getByRole('combobox', { name: 'Action' }).fill('Reset');
    await page.getByRole('textbox', { name: 'Payload' }).fill('{"type": 7}');
    await page.getByRole('button', { name: 'Send action' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'The command was not sent.' });
    await alert.waitFor();
    await alert.getByText('payload.type').waitFor();
    await axe(page, 'a refused command');
    await page.done();
  });

  it('lists deviations without blame', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=conformance`);
    await page.getByRole('heading', { name: 'Where this station leaves the specification' }).waitFor();
    await axe(page, 'conformance');
    await shot(page, 'station-conformance');
    await page.done();
  });

  const online = async (protocol) => {
    const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
    return body.items.find((s) => s.protocol === protocol && s.evses.length > 0);
  };

  it('says how fast a port charges, in words and figures', async () => {
    const s = await busy();
    const port = s.evses.find((e) => e.powerW > 0).id;
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}`);
    const card = page.getByRole('region', { name: `Port ${port}`, exact: true });
    await card.getByText(/\d kWh\/min delivered/).waitFor();
    await card.getByText(/Rated/).waitFor();
    await page.done();
  });

  it('fetches the settings of 1.6, finds one, changes it and shows the answer', async () => {
    const s = await online('ocpp1.6');
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=configuration`);
    await page.getByText('The station has not told its settings yet').waitFor();
    await shot(page, 'station-settings-empty');
    await page.getByRole('button', { name: 'Fetch now' }).click();
    const keys = page.getByRole('region', { name: 'Configuration keys' });
    await keys.waitFor();
    await page.getByRole('textbox', { name: 'Search settings' }).fill('heartbeatinterval');
    await until('one key is left', async () => (await keys.getByRole('row').count()) === 2);
    await page.getByRole('button', { name: 'Change HeartbeatInterval' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change HeartbeatInterval' });
    await dialog.getByRole('textbox').fill('240');
    await dialog.getByText('Changes how the station behaves from now on.').waitFor();
    await axe(page, 'changing a setting');
    await dialog.getByRole('button', { name: 'Send to station' }).click();
    await dialog.getByText('The station answered: Accepted').waitFor();
    await shot(page, 'station-settings-change');
    await dialog.getByRole('button', { name: 'Done' }).click();
    await keys.getByText('240', { exact: true }).waitFor();
    await axe(page, 'settings');
    const { body } = await server.api(token, 'GET', `/stations/${s.id}/configuration`);
    assert.equal(body.items.find((x) => x.variable === 'HeartbeatInterval').value, '240');
    await page.done();
  });

  it('fetches the device model of 2.x part by part, as a tree', async () => {
    const s = await online('ocpp2.0.1');
    const page = await open(server, { state, view: 'light' });
    await page.goto(`/stations/${s.id}?tab=configuration`);
    await page.getByRole('button', { name: 'Fetch now' }).click();
    const model = page.getByRole('region', { name: 'Device model' });
    const group = model.getByRole('button', { name: /SampledDataCtrlr/ });
    await group.waitFor();
    const before = await group.getAttribute('aria-expanded');
    await group.press('Enter');
    await until('the group turned', async () => (await group.getAttribute('aria-expanded')) !== before);
    await axe(page, 'the device model');
    await shot(page, 'station-device-model');
    await page.done();
  });

  it('holds its settings against those of a station of the same model', async () => {
    const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
    const of = (s) => `${s.vendor}/${s.model}`;
    const old = body.items.filter((s) => s.protocol === 'ocpp1.6' && s.model);
    const a = old.find((s) => old.some((x) => x !== s && of(x) === of(s)));
    const b = old.find((x) => x !== a && of(x) === of(a));
    const operator = server.token('operator');
    for (const s of [a, b]) {
      await server.api(operator, 'POST', `/stations/${s.id}/commands`, { action: 'GetConfiguration', payload: {} });
    }
    await server.api(operator, 'POST', `/stations/${a.id}/commands`, {
      action: 'ChangeConfiguration',
      payload: { key: 'ConnectionTimeOut', value: '77' },
    });
    const page = await open(server, { state });
    await page.goto(`/stations/${a.id}?tab=configuration&compare=${b.id}`);
    const table = page.getByRole('region', { name: `Settings of ${b.id}` });
    await table.getByRole('row').filter({ hasText: 'ConnectionTimeOut' }).getByText('77').waitFor();
    await axe(page, 'a comparison');
    await shot(page, 'station-compare');
    await page.done();
  });

  it('tells the firmware it ran, and fetches its certificates', async () => {
    const s = await online('ocpp2.0.1');
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=firmware`);
    await page.getByRole('region', { name: 'Firmware' }).getByText(s.firmware, { exact: true }).first().waitFor();
    await page.getByText('The station was not asked for its certificates yet').waitFor();
    await axe(page, 'firmware and certificates');
    await page.getByRole('button', { name: 'Fetch now' }).click();
    await page
      .getByText('The station says it has no certificate')
      .or(page.getByRole('region', { name: 'Installed certificates' }))
      .or(page.getByText('The station does not know this request.'))
      .first()
      .waitFor();
    await shot(page, 'station-firmware');
    await page.done();
  });

  it('keeps notes as plain text, with who wrote them, and takes one back', async () => {
    const s = await online('ocpp1.6');
    const page = await open(server, { state, view: 'phone' });
    await page.goto(`/stations/${s.id}?tab=notes`);
    await page.getByText('No note yet').waitFor();
    await page.getByLabel('New note').fill('Key box left of the door. <img src=x onerror=alert(1)>');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    await page.getByText('Your note').waitFor();
    await axe(page, 'notes');
    await shot(page, 'station-notes');
    await page.getByRole('button', { name: 'Remove note' }).click();
    await page.getByText('No note yet').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Key box left of the door.').waitFor();
    await page.done();
  });

  it('prepares the command that makes a silent station tell its power', async () => {
    const s = await online('ocpp1.6');
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=commands&prepare=power`);
    const payload = page.getByRole('textbox', { name: 'Payload' });
    await payload.waitFor();
    assert.match(await payload.inputValue(), /Power\.Active\.Import|MeterValueSampleInterval/);
    await page.getByText('Changes how the station behaves from now on.').waitFor();
    await page.done();
  });

  it('gives what one does at the roadside to a thumb', async () => {
    const s = await busy();
    const page = await open(server, { state, view: 'phone' });
    await page.goto(`/stations/${s.id}`);
    const unlock = page.getByRole('link', { name: 'Unlock connector' });
    const box = await unlock.boundingBox();
    assert.ok(box.height >= 44, `${box.height} px high`);
    await unlock.click();
    assert.equal(await page.getByRole('radio', { name: 'Unlock connector' }).isChecked(), true);
    await page.done();
  });

  it('takes messages along as JSON, and stops following when scrolled', async () => {
    const s = await busy();
    const page = await open(server, { state });
    await page.goto(`/stations/${s.id}?tab=messages`);
    const log = page.getByRole('list', { name: 'OCPP messages' });
    await log.getByRole('listitem').first().waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save JSON' }).click();
    assert.match((await download).suggestedFilename(), /-messages\.json$/);
    await page.getByRole('combobox', { name: 'Direction' }).or(page.getByRole('textbox', { name: 'Direction' })).click();
    await page.getByRole('option', { name: 'To the station' }).click();
    await until('only one direction is left', async () => {
      const inward = await log.getByRole('listitem').filter({ hasText: 'From the station' }).count();
      return inward === 0 && (await log.getByRole('listitem').count()) > 0;
    });
    await axe(page, 'filtered messages');
    await page.done();
  });
});
