import { expect, it } from 'vitest';
import { toCsv } from './csv';

it('quotes what would break a row and leaves out what nobody knows', () =>
  expect(
    toCsv(
      ['a', 'b,c'],
      [
        ['x"y', null],
        ['two\nlines', 1.5],
      ],
    ),
  ).toBe('a,"b,c"\r\n"x""y",\r\n"two\nlines",1.5\r\n'));

it('keeps a text that looks like a formula a text, and a negative number a number', () =>
  expect(toCsv(['v'], [['=1+1'], ['-2'], [-2], ['@x']])).toBe("v\r\n'=1+1\r\n'-2\r\n-2\r\n'@x\r\n"));
