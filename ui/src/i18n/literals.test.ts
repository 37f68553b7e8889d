import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '..');

function components(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((f) =>
    f.isDirectory() ? components(join(dir, f.name)) : f.name.endsWith('.tsx') ? [join(dir, f.name)] : [],
  );
}

/** The same in every language: the product, units, keys, names of protocols. */
const same = new Set(['Chargewatch', 'kW', 'kWh', 'Ctrl', 'OCPP', 'IDENTITY']);
const told = new Set([
  'aria-label',
  'title',
  'placeholder',
  'label',
  'description',
  'alt',
  'nothingFoundMessage',
]);
const letters = /\p{L}{2,}/u;

/** What a person would read although no language says it. */
function literals(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const out: string[] = [];
  const found = (node: ts.Node, words: string) => {
    const plain = words.replace(/\s+/g, ' ').trim();
    if (plain.split(' ').every((w) => !letters.test(w) || same.has(w))) return;
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    out.push(`${relative(source, path)}:${line + 1}: ${plain}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) found(node, node.text);
    if (ts.isJsxAttribute(node) && told.has(node.name.getText()) && node.initializer) {
      if (ts.isStringLiteral(node.initializer)) found(node, node.initializer.text);
      const inner = ts.isJsxExpression(node.initializer) ? node.initializer.expression : undefined;
      if (inner && ts.isStringLiteralLike(inner)) found(node, inner.text);
    }
    // {'text'} and {cond ? 'text' : …} between tags.
    if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) {
      const branch = (e: ts.Expression): void => {
        if (ts.isStringLiteralLike(e)) found(e, e.text);
        else if (ts.isConditionalExpression(e)) [e.whenTrue, e.whenFalse].forEach(branch);
        else if (ts.isParenthesizedExpression(e)) branch(e.expression);
      };
      branch(node.expression);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return out;
}

describe('what is shown', () => {
  it('comes from the words of a language, never from the code', () => {
    const files = components(source);
    expect(files.length).toBeGreaterThan(40);
    expect(files.flatMap((f) => literals(f, readFileSync(f, 'utf8')))).toEqual([]);
  });

  const caught: [string, string][] = [
    ['text', 'const a = <p>Hello there</p>;'],
    ['a label', 'const a = <b aria-label="Hello" />;'],
    ['a label in braces', "const a = <b title={'Hello'} />;"],
    ['a choice', "const a = <p>{x ? 'Hello' : t('k')}</p>;"],
  ];
  for (const [name, code] of caught) {
    it(`would be caught as ${name}`, () => expect(literals('x.tsx', code)).toHaveLength(1));
  }

  it('may be punctuation, a unit or the name of the product', () =>
    expect(
      literals('x.tsx', "const a = <p title={t('k')}>{n} kW · <b>Chargewatch</b> {x ? '–' : ''}</p>;"),
    ).toEqual([]));
});
