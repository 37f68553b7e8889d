import { describe, expect, it } from 'vitest';
import { parseFrame } from './protocol';

const head = { epoch: 'e1', revision: 3 };
const text = (o: object) => JSON.stringify({ ...head, ...o });
const ports = {
  type: 'ports',
  index: [1],
  status: [2],
  online: [1],
  powerW: [5],
  statusAt: [6],
  free: [0],
};

describe('parseFrame', () => {
  const refused: Record<string, string> = {
    'broken JSON': '{"type":',
    'no object': '[1,2]',
    'no type': text({}),
    'no epoch': JSON.stringify({ type: 'tick', revision: 1 }),
    'no revision': JSON.stringify({ type: 'tick', epoch: 'e' }),
    'a column that is too short': text({ ...ports, powerW: [] }),
    'a column that is missing': text({ ...ports, free: undefined }),
    'a snapshot without its total': text({
      ...ports,
      type: 'ports',
      snapshot: true,
      ids: [],
      sites: [],
      labels: [],
    }),
    'a summary without data': text({ type: 'summary' }),
    'messages that are no list': text({ type: 'messages', station: 'A', items: {} }),
  };
  for (const [name, frame] of Object.entries(refused)) {
    it(`trusts no frame with ${name}`, () => expect(parseFrame(frame)).toBeNull());
  }

  it('reads a delta', () =>
    expect(parseFrame(text(ports))).toMatchObject({ type: 'ports', index: [1], ...head }));

  it('reads a tick', () => expect(parseFrame(text({ type: 'tick' }))).toMatchObject({ type: 'tick' }));

  it('skips a kind of a newer server instead of distrusting it', () =>
    expect(parseFrame(text({ type: 'weather', data: {} }))).toBe('skip'));

  it('keeps fields it does not know out of the way', () =>
    expect(parseFrame(text({ ...ports, temperature: [40] }))).toMatchObject({ type: 'ports' }));
});
