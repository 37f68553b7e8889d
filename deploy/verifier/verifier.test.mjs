// What a verifier promises, asked of the real process with the real model. PICTURE names a photograph
// of your own and EXPECT what it shows; none comes with this folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import jpeg from 'jpeg-js';

describe('the verifier', () => {
  let child;
  let at;
  before(async () => {
    child = spawn(process.execPath, [new URL('server.mjs', import.meta.url).pathname], {
      env: { ...process.env, LISTEN: '127.0.0.1:0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const chunk of child.stdout) {
      at = String(chunk).match(/http:\S+/)?.[0];
      if (at) break;
    }
  });
  after(() => child.kill());
  const ask = (body) => fetch(at, { method: 'POST', body, headers: { 'Content-Type': 'image/jpeg' } });

  it('sees nothing in an empty picture', async () => {
    const data = Buffer.alloc(640 * 360 * 4, 120);
    const r = await ask(jpeg.encode({ data, width: 640, height: 360 }, 80).data);
    assert.equal(r.status, 200);
    assert.deepEqual(await r.json(), { engine: 'nanodet-416', labels: [] });
  });

  it('refuses what is no picture, and goes on', async () => {
    assert.equal((await ask('no picture')).status, 422);
    assert.equal((await fetch(at)).status, 405);
    assert.equal((await ask(Buffer.alloc(5 << 20))).status, 413);
  });

  if (process.env.PICTURE) it('names what a photograph shows', async () => {
    const { labels } = await (await ask(readFileSync(process.env.PICTURE))).json();
    assert.ok(labels.some((l) => l.what === (process.env.EXPECT ?? 'person')), JSON.stringify(labels));
    for (const { score, box } of labels) {
      assert.ok(score > 0 && score <= 1 && box.every((v) => v >= 0 && v <= 1), JSON.stringify(labels));
    }
  });
});
