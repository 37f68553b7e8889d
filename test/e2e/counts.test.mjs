// One truth, told in many places: what the stations said last is what the API,
// the Overview, the wall's table, the list of stations, each site and the page
// for drivers count, while everything changes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clientFrame, closeBrowser, open, Server, until } from './harness.mjs';

const families = [
  'Available',
  'Charging',
  'Preparing, finishing',
  'Suspended',
  'Reserved',
  'Unavailable',
  'Faulted',
  'Offline',
  'Unknown',
];
const familyOf = {
  Available: 'Available',
  Preparing: 'Preparing, finishing',
  Charging: 'Charging',
  SuspendedEV: 'Suspended',
  SuspendedEVSE: 'Suspended',
  Finishing: 'Preparing, finishing',
  Reserved: 'Reserved',
  Unavailable: 'Unavailable',
  Faulted: 'Faulted',
};

/** A charging station with two ports that speaks OCPP 1.6. */
class Charger {
  constructor(id, site) {
    this.id = id;
    this.site = site;
    this.online = false;
    this.ports = ['Available', 'Available'];
    this.next = 0;
  }

  async connect(server) {
    const { status, socket } = await server.knock(this.id);
    assert.equal(status, 101, `${this.id} is let in`);
    this.socket = socket;
    this.online = true;
    this.waiting = new Map();
    let heard = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      for (;;) {
        if (heard.length < 2) return;
        const long = (heard[1] & 127) === 126;
        const length = long ? (heard.length < 4 ? Number.POSITIVE_INFINITY : heard.readUInt16BE(2)) : heard[1] & 127;
        const head = long ? 4 : 2;
        if (heard.length < head + length) return;
        const text = heard.subarray(head, head + length).toString();
        const kind = heard[0] & 15;
        heard = heard.subarray(head + length);
        if (kind !== 1) continue;
        const [type, id, answer] = JSON.parse(text);
        if (type === 2) socket.write(clientFrame(JSON.stringify([3, id, { status: 'Accepted' }])));
        else this.waiting.get(id)?.(answer);
      }
    });
    await this.call('BootNotification', { chargePointVendor: 'Acme', chargePointModel: 'Two' });
    for (const port of [0, 1]) await this.say(port, this.ports[port]);
  }

  call(action, payload) {
    const id = `m${this.next++}`;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.write(clientFrame(JSON.stringify([2, id, action, payload])));
    });
  }

  async say(port, status) {
    this.ports[port] = status;
    await this.call('StatusNotification', {
      connectorId: port + 1,
      errorCode: status === 'Faulted' ? 'GroundFailure' : 'NoError',
      status,
      timestamp: new Date().toISOString(),
    });
  }

  leave() {
    this.online = false;
    this.socket.destroy();
  }
}

const words = Object.keys(familyOf);
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const number = (text) => Number(text.replaceAll(/\D/g, ''));

describe('counts', () => {
  const sites = ['north', 'east', 'south'];
  const chargers = Array.from({ length: 12 }, (_, i) => new Charger(`COUNT-${String(i + 1).padStart(2, '0')}`, sites[i % 3]));
  let server;
  let token;
  let state;

  before(async () => {
    server = await Server.start('serve');
    token = server.token('admin');
    for (const id of sites) {
      const { status } = await server.api(token, 'POST', '/sites', { id, name: `Site ${id}`, public: true });
      assert.equal(status, 201);
    }
    for (const c of chargers) {
      const { status } = await server.api(token, 'POST', '/stations', {
        id: c.id,
        siteId: c.site,
        evses: [1, 2].map((id) => ({ id, ratedW: 22_000, current: 'AC', connectors: [{ id, type: 'cType2' }] })),
      });
      assert.equal(status, 201);
      await c.connect(server);
    }
    state = await signedIn();
  });
  after(async () => {
    for (const c of chargers) c.socket?.destroy();
    await closeBrowser();
    await server?.remove();
  });

  /** The first administrator, signed in as the page does it. */
  async function signedIn() {
    const post = async (path, body, cookie) => {
      const response = await fetch(`${server.base}/api/v1${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: server.base, ...(cookie ? { Cookie: cookie } : {}) },
        body: JSON.stringify(body),
      });
      assert.ok(response.ok, `${path}: ${response.status}`);
      return response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    };
    const link = new URL(server.output().match(/ready: (\S+)/)[1]);
    const first = await post('/signin', { token: link.searchParams.get('token') });
    const cookie = await post('/me/password', { password: 'three quiet words' }, first);
    const [name, value] = cookie.split('=');
    return { cookies: [{ name, value, domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' }], origins: [] };
  }

  /** What the stations themselves said, by family, and how many ports are free. */
  function truth(site) {
    const counts = Object.fromEntries(families.map((f) => [f, 0]));
    for (const c of chargers) {
      if (site && c.site !== site) continue;
      for (const status of c.ports) counts[c.online ? familyOf[status] : 'Offline']++;
    }
    return { ...counts, free: counts.Available };
  }

  const fromApi = async () => {
    const { body } = await server.api(token, 'GET', '/summary');
    const counts = Object.fromEntries(families.map((f) => [f, 0]));
    for (const [status, n] of Object.entries(body.ports.byStatus)) counts[familyOf[status] ?? 'Unknown'] += n;
    counts.Offline = body.ports.offline;
    return { ...counts, free: body.ports.free };
  };

  const fromOverview = async (page) => {
    const states = await page.getByRole('region', { name: 'Ports by state' }).getByRole('listitem').allInnerTexts();
    const counts = Object.fromEntries(
      states.map((text) => {
        const lines = text.split('\n').map((l) => l.trim()).filter(Boolean);
        return [lines.find((l) => /\D/.test(l)), number(lines.find((l) => /^\d/.test(l)))];
      }),
    );
    return { ...counts, free: await freeOn(page) };
  };

  const fromTable = async (page) => {
    const said = await page.getByRole('table', { name: 'Stations' }).getByText(/^Port \d+: /).allTextContents();
    const counts = Object.fromEntries(families.map((f) => [f, 0]));
    for (const text of said) {
      const word = text.replace(/^Port \d+: /, '').replace(/\.$/, '');
      counts[families.find((f) => f === word) ?? familyOfWord[word]]++;
    }
    return { ...counts, free: counts.Available };
  };
  const familyOfWord = {
    Preparing: 'Preparing, finishing',
    Finishing: 'Preparing, finishing',
    'Suspended by vehicle': 'Suspended',
    'Suspended by station': 'Suspended',
  };

  const fromSites = async () => {
    const { body } = await server.api(token, 'GET', '/sites');
    return Object.fromEntries(
      body.items.map(({ id, ports: p }) => [id, { total: p.total, free: p.free, faulted: p.faulted, offline: p.offline }]),
    );
  };
  const freeOn = async (page) => {
    const text = await page.getByText('Free ports', { exact: true }).locator('xpath=following-sibling::p').first().innerText();
    return number(text.split(/of/)[0]);
  };
  const fromSitesPage = async (page) => {
    const table = page.getByRole('table', { name: 'Sites' });
    const heads = (await table.getByRole('columnheader').allInnerTexts()).map((text) => text.split('\n')[0].trim());
    const at = (name) => heads.findIndex((h) => h.startsWith(name));
    const counts = {};
    for (const site of sites) {
      const cells = await table.getByRole('row').filter({ hasText: `Site ${site}` }).getByRole('cell').allInnerTexts();
      const first = (name) => Number(cells[at(name)].match(/\d+/)[0]);
      counts[site] = { free: first('Free ports'), faulted: first('Faulted') };
    }
    return counts;
  };
  const fromDrivers = async () => {
    const body = await (await fetch(`${server.base}/status.json`)).json();
    return Object.fromEntries(body.items.map((s) => [s.id, s.ports]));
  };

  /** Reads again until a place says what the stations said; what it says last is the failure. */
  async function agrees(what, read, wanted) {
    let last;
    const end = Date.now() + 90_000;
    do {
      last = await read();
      try {
        assert.deepEqual(last, wanted);
        return;
      } catch {
        await new Promise((r) => setTimeout(r, 50));
      }
    } while (Date.now() < end);
    assert.deepEqual(last, wanted, what);
  }

  async function allAgree(pages) {
    const all = truth();
    await Promise.all([
      agrees('the API', fromApi, all),
      agrees('the Overview', () => fromOverview(pages.overview), all),
      agrees("the wall's table", () => fromTable(pages.twin), all),
      agrees('the list of stations', () => fromTable(pages.stations), all),
      ...sites.map((site) => agrees(`the Overview of ${site}`, () => fromOverview(pages[site]), truth(site))),
      agrees(
        'the sites',
        fromSites,
        Object.fromEntries(
          sites.map((site) => {
            const t = truth(site);
            return [site, { total: 8, free: t.free, faulted: t.Faulted, offline: t.Offline }];
          }),
        ),
      ),
      agrees(
        'the list of sites',
        () => fromSitesPage(pages.sites),
        Object.fromEntries(sites.map((site) => [site, { free: truth(site).free, faulted: truth(site).Faulted }])),
      ),
      agrees('the page of a site', () => freeOn(pages.site), truth('east').free),
      agrees(
        'the page for drivers',
        async () =>
          Object.fromEntries(Object.entries(await fromDrivers()).map(([id, p]) => [id, { total: p.total, free: p.free }])),
        Object.fromEntries(sites.map((site) => [site, { total: 8, free: truth(site).free }])),
      ),
    ]);
    assert.equal(families.reduce((sum, f) => sum + all[f], 0), 24);
  }

  async function openAll() {
    const pages = {};
    const paths = { overview: '/', twin: '/?view=list', stations: '/stations', sites: '/sites', site: '/sites/east', ...Object.fromEntries(sites.map((s) => [s, `/?site=${s}`])) };
    for (const [name, path] of Object.entries(paths)) {
      pages[name] = await open(server, { state });
      await pages[name].goto(path);
      if (name === 'twin' || name === 'stations') await pages[name].getByRole('row').nth(12).waitFor();
      else if (name === 'sites') await pages[name].getByRole('row').nth(3).waitFor();
      else if (name === 'site') await pages[name].getByText('Free ports', { exact: true }).waitFor();
      else await pages[name].getByRole('region', { name: 'Ports by state' }).waitFor();
    }
    return pages;
  }

  it('are the same everywhere each time the network pauses', async () => {
    const pages = await openAll();
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        chargers.map(async (c) => {
          for (let k = 0; c.online && k < 8; k++) await c.say(pick([0, 1]), pick(words));
        }),
      );
      if (round === 2) for (const c of chargers.slice(0, 3)) c.leave();
      if (round === 4) for (const c of chargers.slice(0, 2)) await c.connect(server);
      await allAgree(pages);
    }
    for (const page of Object.values(pages)) await page.done();
  });

  it('of a site settle while the others go on changing', async () => {
    for (const c of chargers) if (!c.online) await c.connect(server);
    const pages = await openAll();
    let going = true;
    const restless = chargers.filter((c) => c.site !== 'south');
    const traffic = Promise.all(
      restless.map(async (c) => {
        while (going) {
          await c.say(pick([0, 1]), pick(words));
          await new Promise((r) => setTimeout(r, 100));
        }
      }),
    );
    try {
      for (let round = 0; round < 4; round++) {
        for (const c of chargers) if (c.site === 'south') await c.say(pick([0, 1]), pick(words));
        const t = truth('south');
        await Promise.all([
          agrees('the Overview of south', () => fromOverview(pages.south), t),
          agrees(
            'the sites',
            async () => (await fromSites()).south,
            { total: 8, free: t.free, faulted: t.Faulted, offline: t.Offline },
          ),
          agrees('the page for drivers', async () => (await fromDrivers()).south.free, t.free),
        ]);
      }
    } finally {
      going = false;
      await traffic;
    }
    await allAgree(pages);
    for (const page of Object.values(pages)) await page.done();
  });
});
