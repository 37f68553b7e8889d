// The one call of a verifier: POST a JPEG, hear what it shows.
import { createServer } from 'node:http';
import { load } from './detect.mjs';

const MOST = 4 << 20;
const WAITING = 4; // pictures; who waits longer asks again anyway
const [host, port] = (process.env.LISTEN ?? '127.0.0.1:9100').split(/:(?=\d+$)/);
const detect = await load();
let waiting = 0;
let turn = Promise.resolve();

function answer(res, status, body) {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}

const server = createServer((req, res) => {
  if (req.method !== 'POST') return answer(res, 405, { error: 'POST a JPEG' });
  if (waiting >= WAITING) return answer(res, 503, { error: 'busy' });
  waiting++;
  const parts = [];
  let size = 0;
  let over = false;
  const leave = () => {
    if (over) return;
    over = true;
    waiting--;
  };
  res.on('close', leave);
  req.on('data', (part) => {
    size += part.length;
    if (size > MOST && !over) {
      answer(res, 413, { error: 'too large' });
      req.destroy();
      return;
    }
    parts.push(part);
  });
  req.on('end', () => {
    turn = turn.then(() => {
      if (over || res.destroyed) return;
      try {
        answer(res, 200, { engine: 'nanodet-416', labels: detect(Buffer.concat(parts)) });
      } catch {
        answer(res, 422, { error: 'not a JPEG' });
      }
    });
  });
  req.on('error', leave);
});
server.requestTimeout = 10_000;
server.listen(Number(port), host, () => console.log(`listening on http://${host}:${server.address().port}/`));
