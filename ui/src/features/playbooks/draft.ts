// A playbook while it is written: every field there, numbers that may be empty.
import { Problem } from '../../api/problem';
import type { Playbook, Written } from './queries';

export type DraftStep = { key: number; do: string; seconds: number | ''; message: string };

export type Draft = {
  id: string;
  name: string;
  doc: string;
  enabled: boolean;
  dryRun: boolean;
  codes: string[];
  detectors: string[];
  severities: string[];
  models: string[];
  sites: string[];
  safety: 'any' | 'no' | 'yes';
  steps: DraftStep[];
  limits: Record<LimitName, number | ''>;
};

export const LIMITS = ['coolDownMinutes', 'waitMinutes', 'perDay', 'fleetPercent'] as const;
export type LimitName = (typeof LIMITS)[number];

export const empty = (): Draft => ({
  id: '',
  name: '',
  doc: '',
  enabled: false,
  dryRun: true,
  codes: [],
  detectors: [],
  severities: [],
  models: [],
  sites: [],
  safety: 'no',
  steps: [{ key: 1, do: 'trigger', seconds: '', message: '' }],
  limits: { coolDownMinutes: '', waitMinutes: '', perDay: '', fleetPercent: '' },
});

export function draftOf(p: Playbook, name: string, doc: string): Draft {
  const w = p.when;
  return {
    id: p.id,
    name,
    doc,
    enabled: p.enabled,
    dryRun: p.dryRun ?? false,
    codes: w.codes ?? [],
    detectors: w.detectors ?? [],
    severities: w.severities ?? [],
    models: w.models ?? [],
    sites: w.sites ?? [],
    safety: w.safety === undefined ? 'any' : w.safety ? 'yes' : 'no',
    steps: p.steps.map((a, i) => ({
      key: i + 1,
      do: a.do,
      seconds: a.seconds ?? '',
      message: a.message ?? '',
    })),
    limits: Object.fromEntries(LIMITS.map((l) => [l, p.limits?.[l] || ''])) as Draft['limits'],
  };
}

/** Lower-case letters, digits and hyphens of a name. */
export const idOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);

export function written(d: Draft): Written {
  const lists = {
    codes: d.codes,
    detectors: d.detectors,
    severities: d.severities,
    models: d.models,
    sites: d.sites,
  };
  return {
    id: d.id,
    name: d.name.trim(),
    doc: d.doc.trim(),
    enabled: d.enabled,
    dryRun: d.dryRun,
    when: {
      ...Object.fromEntries(Object.entries(lists).filter(([, l]) => l.length > 0)),
      ...(d.safety === 'any' ? {} : { safety: d.safety === 'yes' }),
    },
    steps: d.steps.map((s) => ({
      do: s.do,
      ...(s.do === 'trigger' && s.message ? { message: s.message } : {}),
      ...((s.do === 'wait' || s.do === 'availabilityCycle') && s.seconds !== ''
        ? { seconds: s.seconds }
        : {}),
    })),
    limits: Object.fromEntries(LIMITS.flatMap((l) => (d.limits[l] === '' ? [] : [[l, Number(d.limits[l])]]))),
  };
}

export type Fault = { path: string; message: string };

/** What the server found wrong, by path inside the playbook. */
export const faultsOf = (error: unknown): Fault[] =>
  error instanceof Problem
    ? error.faults.map((f) => ({ path: f.location.replace(/^body\.?/, ''), message: f.message }))
    : [];

/** The first fault at a field, or at an entry of its list. */
export const faultAt = (faults: readonly Fault[], path: string): Fault | undefined =>
  faults.find((f) => f.path === path || f.path.startsWith(`${path}[`));
