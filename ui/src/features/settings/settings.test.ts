import { describe, expect, it } from 'vitest';
import { browserOf } from '../../ui/agent';
import { clockOf, parseHours, runs } from './hours';
import { readNumber, readPosition } from './numbers';

const spoken = (text: string): string | null => {
  const week = parseHours(text);
  if (!week) return null;
  const line = (o: { from: number; to: number }[]) =>
    o.map((x) => `${clockOf(x.from)}-${clockOf(x.to)}`).join('+') || 'closed';
  return [
    ...runs(week).map((r) => `${r.from}-${r.to} ${line(r.openings)}`),
    ...(week.holidays ? [`PH ${line(week.holidays)}`] : []),
  ].join(' | ');
};

describe('opening hours', () => {
  const cases: [string, string | null][] = [
    ['24/7', '0-6 00:00-24:00'],
    ['08:00-20:00', '0-6 08:00-20:00'],
    ['Mo-Fr 06:00-22:00; Sa 08:00-14:00', '0-4 06:00-22:00 | 5-5 08:00-14:00 | 6-6 closed'],
    ['Mo-Sa 08:00-12:00,13:00-18:00; Su,PH off', '0-5 08:00-12:00+13:00-18:00 | 6-6 closed | PH closed'],
    ['Fr-Mo 18:00-02:00', '0-0 18:00-02:00 | 1-3 closed | 4-6 18:00-02:00'],
    ['Mo-Su 09:00-17:00; We off', '0-1 09:00-17:00 | 2-2 closed | 3-6 09:00-17:00'],
    ['Mo - Fr 06:00 - 22:00', '0-4 06:00-22:00 | 5-6 closed'],
    ['', null],
    ['always', null],
    ['Mo-Fr', '0-4 00:00-24:00 | 5-6 closed'],
    ['Mo 25:00-26:00', null],
    ['Mo 08:00', null],
    ['Mo 08:60-09:00', null],
    ['Xx 08:00-09:00', null],
    ['Mo-Fr 08:00-18:00 "by arrangement"', null],
  ];
  for (const [text, want] of cases) {
    it(`reads "${text}" as ${want}`, () => expect(spoken(text)).toBe(want));
  }
});

describe('numbers that people type', () => {
  it('takes a comma for a point and nothing for nothing', () => {
    expect(readNumber('53,5511')).toBe(53.5511);
    expect(readNumber(' -0.5 ')).toBe(-0.5);
    expect(readNumber('')).toBeNull();
    expect(readNumber('1e3')).toBeUndefined();
    expect(readNumber('12 km')).toBeUndefined();
    expect(readNumber('1,234.5')).toBeUndefined();
  });

  it('takes a position as maps copy it', () => {
    expect(readPosition('53.5511, 9.9937')).toEqual([53.5511, 9.9937]);
    expect(readPosition('-33.86;151.2')).toEqual([-33.86, 151.2]);
    expect(readPosition('53.5511')).toBeNull();
    expect(readPosition('1,2')).toBeNull();
  });
});

describe('browsers', () => {
  const agents: [string, string][] = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox, Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0',
      'Edge, Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19.0 Mobile Safari/604',
      'Safari, iOS',
    ],
    [
      'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36',
      'Chrome, Android',
    ],
    ['curl/8.14', 'curl/8.14'],
    ['', ''],
  ];
  for (const [agent, want] of agents) {
    it(`calls ${agent.slice(0, 40)} ${want}`, () => expect(browserOf(agent)).toBe(want));
  }
});
