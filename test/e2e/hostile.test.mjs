import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clientFrame, closeBrowser, open, Server, until } from './harness.mjs';

const markup = (n) => `<img src=x onerror="window.hurt='${n}'"><script>window.hurt='${n}'</script>`;

// What a stranger can make the product say: names of sites, what a station calls
// itself, what it reports. All of it is text.
describe('a hostile network', () => {
  let server;
  let state;
  const sockets = [];
  before(async () => {
    server = await Server.start('serve', ['--onboarding', 'open']);
    const page = await open(server);
    await page.goto(server.link);
    await page.getByLabel('New password').fill('three quiet words');
    await page.getByLabel('The same again').fill('three quiet words');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByRole('link', { name: 'Overview' }).first().waitFor();
    state = await page.context().storageState();
    await page.done();
    const token = server.token();
    const sites = [
      { id: 'evil', public: true, name: `${markup('site')}`.slice(0, 100), address: markup('address'), latitude: 90, longitude: -180 },
      { id: 'rtl', name: '\u202eemag\u202c \u0000x'.replace('\u0000', ''), address: 'x'.repeat(300), latitude: -90, longitude: 180 },
      { id: 'wide', name: 'W'.repeat(100), openingHours: markup('hours'), public: true },
    ];
    for (const s of sites) {
      const { status, body } = await server.api(token, 'POST', '/sites', s);
      assert.ok(status === 201 || status === 422, JSON.stringify(body));
    }
    for (const [i, id] of ['EVIL-1', 'EVIL-2'].entries()) {
      const { socket, status } = await server.knock(id);
      assert.equal(status, 101);
      sockets.push(socket);
      const say = (n, action, payload) => socket.write(clientFrame(JSON.stringify([2, `m${n}`, action, payload])));
      say(1, 'BootNotification', {
        chargePointVendor: markup('vendor'),
        chargePointModel: i === 0 ? markup('model') : '\u202e'.repeat(20),
        chargePointSerialNumber: markup('serial'),
        firmwareVersion: markup('firmware'),
        iccid: markup('iccid'),
      });
      say(2, 'StatusNotification', {
        connectorId: 1,
        status: 'Faulted',
        errorCode: 'OtherError',
        info: markup('info'),
        vendorErrorCode: markup('code'),
        timestamp: new Date().toISOString(),
      });
      say(3, 'MeterValues', {
        connectorId: 1,
        meterValue: [
          {
            timestamp: new Date().toISOString(),
            sampledValue: [
              { value: '1e308', measurand: 'Power.Active.Import', unit: 'W' },
              { value: 'NaN', measurand: 'SoC' },
              { value: markup('value'), measurand: markup('measurand') },
            ],
          },
        ],
      });
      say(4, 'DataTransfer', { vendorId: markup('vendorId'), data: markup('data') });
    }
    await until('both stations are there', async () => {
      const { body } = await server.api(token, 'GET', '/stations');
      return body.items.filter((s) => s.vendor && s.evses.length > 0).length === 2;
    });
    await server.api(token, 'PATCH', '/stations/EVIL-1', { siteId: 'evil', label: markup('label').slice(0, 60) });
  });
  after(async () => {
    for (const s of sockets) s.destroy();
    await server?.remove();
    await closeBrowser();
  });

  const paths = [
    '/',
    '/stations',
    '/stations?tab=pending',
    '/stations/EVIL-1',
    '/stations/EVIL-2?tab=messages',
    '/stations/EVIL-1?tab=conformance',
    '/stations/EVIL-1?tab=settings',
    '/incidents',
    '/map',
    '/sites',
    '/sites/evil',
    '/sessions',
    '/events',
    '/desk?evse=EVIL-1/1',
    '/health',
    '/welcome',
    '/settings',
    '/status',
  ];
  for (const path of paths) {
    it(`${path} shows markup as text`, async () => {
      const page = await open(server, { state });
      await page.goto(path);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await page.waitForTimeout(800);
      assert.equal(await page.evaluate(() => window.hurt), undefined);
      assert.equal(await page.locator('img[src="x"]').count(), 0);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(wide, 0, 'scrolls sideways');
      await page.done();
    });
  }

  it('keeps the words that a station sent', async () => {
    const page = await open(server, { state });
    await page.goto('/stations/EVIL-1');
    await page.getByText('<img src=x', { exact: false }).first().waitFor();
    await page.done();
  });
});
