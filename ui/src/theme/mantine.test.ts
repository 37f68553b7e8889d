import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const kit = 'node_modules/@mantine/core';
const sheet = readFileSync('src/theme/mantine.css', 'utf8');
const loaded = [...sheet.matchAll(/styles\/([\w-]+)\.layer\.css/g)].map((m) => m[1]!);

const walk = (dir: string): string[] =>
  readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });

const parts = new Map(
  walk(`${kit}/esm/components`)
    .filter((f) => f.endsWith('.mjs'))
    .map((f) => [f.replace(/^.*\/|\.mjs$/g, ''), f]),
);

/** The parts named in imports from the kit: ours, and those of its own search. */
function used(): Set<string> {
  const names = new Set<string>();
  const files = [
    ...walk('src').filter((f) => /\.tsx?$/.test(f)),
    ...walk('node_modules/@mantine/spotlight/esm').filter((f) => f.endsWith('.mjs')),
  ];
  for (const file of files) {
    for (const [, list] of readFileSync(file, 'utf8').matchAll(
      /import \{([^}]*)\} from ['"]@mantine\/core['"]/g,
    )) {
      for (const name of list!.split(',')) if (parts.has(name.trim())) names.add(name.trim());
    }
  }
  return names;
}

/** Which style sheets a part asks for, itself and through the parts it is made of. */
function stylesOf(file: string, seen: Set<string>, found: Set<string>) {
  if (seen.has(file) || !existsSync(file)) return;
  seen.add(file);
  const sheetOf = file.match(/([A-Za-z]+)\.module\.mjs$/)?.[1];
  if (sheetOf) found.add(sheetOf);
  for (const [, to] of readFileSync(file, 'utf8').matchAll(/from "(\.[^"]+)"/g)) {
    stylesOf(join(dirname(file), to!), seen, found);
  }
}

describe('styles of the kit', () => {
  const needed = new Set<string>();
  const seen = new Set<string>();
  for (const name of used()) stylesOf(parts.get(name)!, seen, needed);

  it('has a sheet for every part that is used', () => {
    expect(needed.size).toBeGreaterThan(20);
    const missing = [...needed].filter(
      (s) => existsSync(`${kit}/styles/${s}.layer.css`) && !loaded.includes(s),
    );
    expect(missing).toEqual([]);
  });

  it('has none that nothing uses', () => {
    const base = ['baseline', 'default-css-variables', 'global'];
    expect(loaded.filter((s) => !base.includes(s) && !needed.has(s))).toEqual([]);
  });

  it("keeps the kit's order, on which its overrides rest", () => {
    const whole = readFileSync(`${kit}/styles.layer.css`, 'utf8');
    const at = loaded.slice(3).map((s) => {
      const first = readFileSync(`${kit}/styles/${s}.layer.css`, 'utf8').match(/\.m_[0-9a-f]+/)![0];
      return whole.search(new RegExp(`\\${first}\\b`));
    });
    expect(at).toEqual([...at].sort((a, b) => a - b));
  });
});
