import { Server, signIn, open, closeBrowser } from './harness.mjs';
import fs from 'node:fs';
const server = await Server.start('demo');
const state = await signIn(server);
fs.writeFileSync('/tmp/people-shots/server.json', JSON.stringify({base: server.base, data: server.data, link: server.link, pid: server.child.pid}));
const token = server.token('admin');
const shot = async (page, name) => { await page.waitForTimeout(600); await page.screenshot({ path: `/tmp/people-shots/${name}.png` }); };
const steps = process.argv.slice(2);
try {
for (const view of ['dark', 'light', 'phone']) {
  const page = await open(server, { state, view });
  const faults = page.faults;
  await page.goto('/access');
  await page.getByRole('rowheader').first().waitFor();
  await shot(page, `people-${view}`);
  await page.getByRole('button', { name: 'Mara Lindqvist' }).click();
  await page.getByText('Last attempts').waitFor();
  await page.waitForTimeout(1500);
  await shot(page, `person-${view}`);
  if (view === 'dark') {
    await page.getByRole('button', { name: 'Lost' }).first().click();
    await shot(page, `lost-${view}`);
    await page.keyboard.press('Escape');
  }
  await page.goto('/access?tab=policies');
  await page.getByText('Technicians on shift').first().waitFor();
  await shot(page, `policies-${view}`);
  await page.getByRole('button', { name: 'Technicians on shift', exact: true }).click();
  await shot(page, `policy-${view}`);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Add policy' }).click();
  await shot(page, `policyform-${view}`);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Add schedule' }).click();
  await shot(page, `schedule-${view}`);
  await page.keyboard.press('Escape');
  await page.goto('/access?tab=lockdowns');
  await page.getByText('Intruder in the yard').first().waitFor();
  await shot(page, `lockdowns-${view}`);
  await page.getByRole('button', { name: 'Activate lockdown' }).first().click();
  await shot(page, `activate-${view}`);
  await page.goto('/access?tab=check');
  await page.getByText('Would it open?').waitFor();
  await page.getByRole('combobox', { name: 'Who' }).click();
  await page.waitForTimeout(800);
  await page.getByRole('option', { name: 'Jonas Brandt' }).click();
  await page.getByRole('combobox', { name: 'Where' }).click();
  await page.getByRole('option').first().click();
  await page.waitForTimeout(1000);
  await shot(page, `check-${view}`);
  console.log(view, faults);
  await page.context().close();
}
} catch (e) { console.error(e); }
await closeBrowser();
await server.remove();
