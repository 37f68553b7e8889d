// Pages that no other file shows in every view.
import { after, before, describe, it } from 'node:test';
import { closeBrowser, inEveryView, Server, signIn, until } from './harness.mjs';

describe('in dark, light and on a phone', () => {
  let server;
  let state;
  let station;
  before(async () => {
    server = await Server.start('demo');
    state = await signIn(server);
    const token = server.token('viewer');
    station = await until('a station of OCPP 2.x is online', async () => {
      const { body } = await server.api(token, 'GET', '/stations?limit=1000&online=true');
      return body.items.find((s) => s.protocol !== 'ocpp1.6');
    });
  });
  after(async () => {
    await server?.remove();
    await closeBrowser();
  });

  const settled = async (p) => {
    await p.getByRole('main').waitFor();
    await p.waitForFunction(() => !document.querySelector('main [aria-busy="true"], main .mantine-Skeleton-root'));
  };
  for (const tab of ['messages', 'commands', 'configuration', 'firmware', 'notes', 'conformance']) {
    it(`a station's ${tab}`, () =>
      inEveryView(server, state, `/stations/${station.id}?tab=${tab}`, `station-${tab}`, async (p) => {
        await p.getByRole('tabpanel').waitFor();
        await settled(p);
      }));
  }
  for (const tab of ['pending', 'refused']) {
    it(`stations ${tab}`, () => inEveryView(server, state, `/stations?tab=${tab}`, `stations-${tab}`, settled));
  }
  for (const page of ['me', 'scan', 'kiosk/approve']) {
    it(`/${page}`, () => inEveryView(server, state, `/${page}`, page.replace('/', '-'), settled));
  }
  it('a screen that waits', () =>
    inEveryView(server, undefined, '/kiosk', 'kiosk-waits', (p) =>
      p.locator('p .srOnly').waitFor({ state: 'attached' }),
    ));
});
