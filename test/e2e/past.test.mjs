import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axe, closeBrowser, inEveryView, open, Server, shot, signIn } from './harness.mjs';

// Three months as a council publishes them: newest first, day and month swapped
// wherever that gives a date, one end missing, one in 1970, one row twice.
function file() {
  const rows = [];
  const two = (n) => String(n).padStart(2, '0');
  const date = (d) => {
    const [y, m, day] = [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate()];
    return day <= 12 ? `${y}-${two(day)}-${two(m)}` : `${y}-${two(m)}-${two(day)}`;
  };
  const time = (d) => `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  for (let i = 0; i < 600; i++) {
    const start = new Date(Date.UTC(2018, 2, 26, 7, 0) + i * 3.5 * 3600e3);
    const end = new Date(start.getTime() + 2400e3);
    rows.push([
      `"${['Harbour, Newtown', 'Mill Lane Car Park, Newtown'][i % 2]}"`, `S${i % 2}`, 1 + (i % 4 > 1 ? 1 : 0),
      date(start), time(start), i === 50 ? '' : i === 60 ? '1970-01-01' : date(end), i === 50 ? '' : time(end),
      (5 + (i % 17)).toFixed(1), `card-${i % 40}`,
    ].join(','));
  }
  rows.splice(101, 0, rows[100]);
  return `Site,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,User ID\n${rows.reverse().join('\n')}\n`;
}

describe('past data', () => {
  let server;
  let state;
  let token;
  let folder;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'past-'));
    writeFileSync(join(folder, 'sessions 2018.csv'), file());
    server = await Server.start('demo');
    state = await signIn(server);
    token = server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
    rmSync(folder, { recursive: true, force: true });
  });

  it('say that there are none, in every view', async () => {
    await inEveryView(server, state, '/analytics/past', 'past-empty', async (page) => {
      await page.getByText('Nothing was brought in yet').waitFor();
      await page.getByText('Drop a file of sessions here').waitFor();
    });
  });

  it('are shown before they are imported, and can be taken back', async () => {
    const page = await open(server, { state });
    await page.goto('/analytics/past');
    await page.locator('input[type=file]').setInputFiles(join(folder, 'sessions 2018.csv'));
    await page.getByText('Day and month stood in each other').waitFor();
    await page.getByText('To decide before the import').waitFor();
    for (const text of ['No end', 'End in 1970', 'Twice in the file']) await page.getByRole('rowheader', { name: text }).waitFor();
    assert.ok(await page.getByRole('button', { name: /Import 598 sessions/ }).isDisabled());
    await axe(page, 'a file that waits');
    await shot(page, 'past-look');
    await page.getByRole('combobox', { name: 'Time zone' }).or(page.getByLabel('Time zone')).first().fill('Europe/London');
    await page.getByRole('option', { name: 'Europe/London' }).click();
    await page.getByRole('button', { name: 'New sites for these' }).click();
    await page.getByRole('button', { name: /Import 598 sessions/ }).click();
    await page.getByRole('cell', { name: 'Imported', exact: true }).waitFor();
    await axe(page, 'an import');
    await shot(page, 'past-done');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('2 rows left out').click()]);
    const left = readFileSync(await download.path(), 'utf8');
    assert.match(left, /quarantined,noEnd/);
    assert.doesNotMatch(left, /card-/);
    const { body } = await server.api(token, 'GET', '/analytics/imports');
    assert.equal(body.items[0].sessions, 598);
    assert.equal(body.items[0].counts.order.sure, 'certain');

    // The same file again says so.
    await page.locator('input[type=file]').setInputFiles(join(folder, 'sessions 2018.csv'));
    await page.getByText('This very file is here already').waitFor();
    await page.getByRole('button', { name: 'Discard file' }).click();

    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByText('Remove its 598 sessions?').waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('cell', { name: 'Taken back', exact: true }).waitFor();
    await page.done();
  });

  it('cannot be read from what is no table', async () => {
    writeFileSync(join(folder, 'letter.csv'), 'hello');
    const page = await open(server, { state });
    await page.goto('/analytics/past');
    await page.locator('input[type=file]').setInputFiles(join(folder, 'letter.csv'));
    await page.getByText('The file cannot be read').waitFor();
    await page.done();
  });
});
