import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Translate } from '../../i18n/i18n';
import detectors from '../detectors/words/en.json';
import { parsePlaybooks } from './search';
import {
  BUILT_IN,
  faultText,
  limitsText,
  nameText,
  REASONS,
  STEPS,
  spanText,
  stepText,
  whenText,
} from './words';
import de from './words/de.json';
import en from './words/en.json';

const remedy = (file: string) =>
  readFileSync(join(import.meta.dirname, '../../../../internal/incident/remedy', file), 'utf8');

/** The values of the constants of a type, as the server's source has them. */
const constants = (source: string, type: string): string[] =>
  [...source.matchAll(new RegExp(`^\\s*\\w+\\s+${type}\\s+= "(\\w+)"`, 'gm'))].map((m) => m[1]!);

const t: Translate = (id, values) =>
  Object.entries(values ?? {}).reduce(
    (text, [k, v]) => text.replaceAll(`{${k}}`, String(v)),
    ({ ...en, ...detectors } as Record<string, string>)[id] ?? id,
  );

describe('words of playbooks', () => {
  it('names each guard-rail of the server', () => {
    const rails = constants(remedy('case.go'), 'Reason');
    expect(rails.length).toBeGreaterThan(20);
    expect([...REASONS].sort()).toEqual(rails.sort());
    for (const words of [en, de])
      for (const r of rails) expect(words).toHaveProperty([`playbooks.reason.${r}`]);
  });

  it('names each step of the server', () => {
    expect([...STEPS]).toEqual(constants(remedy('playbook.go'), 'Do'));
  });

  it('names each mode of the server', () => {
    for (const mode of constants(remedy('mode.go'), 'Mode'))
      expect(en).toHaveProperty([`playbooks.mode.${mode}`]);
  });

  it('tells the built-in playbooks as the server has them', () => {
    const list = JSON.parse(remedy('builtin.json')) as { id: string; name: string; doc: string }[];
    expect([...BUILT_IN]).toEqual(list.map((p) => p.id));
    for (const p of list) {
      expect(nameText(t, { ...p, builtIn: true, changed: false })).toBe(p.name);
      expect((en as Record<string, string>)[`playbooks.b.${p.id}.doc`]?.replaceAll('’', "'")).toBe(p.doc);
    }
  });

  it('keeps the name that people gave', () =>
    expect(nameText(t, { id: 'fault', name: 'Mine', builtIn: true, changed: true })).toBe('Mine'));

  it('tells spans in the largest whole unit', () =>
    expect([15, 90, 300, 3600, 86_400].map((s) => spanText(t, 'en', s))).toEqual([
      '15 s',
      '90 s',
      '5 min',
      '1 h',
      '24 h',
    ]));

  it('tells steps with the time that holds', () => {
    expect(stepText(t, 'en', { do: 'availabilityCycle' })).toBe(
      'Take out of service for 15 s, then put back',
    );
    expect(stepText(t, 'en', { do: 'trigger', message: 'MeterValues' })).toBe('Ask for MeterValues');
    expect(stepText(t, 'en', { do: 'somethingNew' })).toBe('somethingNew');
  });

  it('tells what starts it', () => {
    expect(
      whenText(
        t,
        'en',
        { detectors: ['D03'], codes: ['fault/x*'], severities: ['S2', 'S3'], safety: false },
        (s) => s,
      ),
    ).toEqual([
      'Detected: fault told by the station (D03)',
      'Codes beginning with fault/x',
      'Severity S2 or S3',
      'Only without danger',
    ]);
    expect(whenText(t, 'en', { codes: ['none'] }, (s) => s)).toEqual(['Nothing: a person starts it']);
  });

  it('tells limits with what holds by default', () =>
    expect(limitsText(t, 'en', { perDay: 1, waitMinutes: 0 })).toEqual([
      'At most 1 a day per station',
      '30 min rest after a run, per port',
      'Waits up to 1 h for its chance',
      'At most 5 % of stations at once',
    ]));

  it('tells faults by their path', () => {
    expect(faultText(t, 'en', 'steps[2].seconds', 'x', 'wait')).toBe('1 to 86,400 seconds');
    expect(faultText(t, 'en', 'steps[0].message', 'said by the server')).toBe('said by the server');
  });
});

describe('address of playbooks', () => {
  it('takes what it knows', () =>
    expect(parsePlaybooks({ tab: 'work', try: 'fault', station: 'A', evse: 2, alone: 1 })).toMatchObject({
      tab: 'work',
      try: 'fault',
      station: 'A',
      evse: 2,
      alone: 1,
    }));
  it('drops what it does not', () =>
    expect(parsePlaybooks({ tab: 'x', evse: -1, edit: '', alone: 'no' })).toEqual({}));
});
