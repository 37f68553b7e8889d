import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DETECTORS } from './name';
import de from './words/de.json';
import en from './words/en.json';

// A common cause is found by the incidents themselves.
const ofIncidents = 'D20';

it('names each detector of the server', () => {
  const ids = ['health', 'security'].flatMap((room) => {
    const folder = join(import.meta.dirname, '../../../../internal/detect', room);
    return readdirSync(folder)
      .filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))
      .flatMap((f) =>
        [...readFileSync(join(folder, f), 'utf8').matchAll(/ID: +"([ACDV]\d\d)"/g)].map((m) => m[1]!),
      );
  });
  expect(DETECTORS).toEqual([...ids, ofIncidents].sort());
  for (const words of [en, de]) expect(Object.keys(words)).toEqual(DETECTORS.map((id) => `detector.${id}`));
});
