// How far the set-up has come, by what is there and not by what was clicked: it
// can be left and taken up at any time, and what was done elsewhere counts.
export const STEPS = ['admin', 'site', 'csms', 'station', 'team', 'demo'] as const;
export type Step = (typeof STEPS)[number];

export const isStep = (v: unknown): v is Step => STEPS.includes(v as Step);

export type Facts = {
  /** Sites without those of the simulated network. */
  sites: number;
  /** Stations that are not simulated and were heard at least once. */
  heard: number;
  people: number;
  /** Sites and stations that are relayed to another central system; undefined: the person may not see that. */
  relayed: number | undefined;
  /** Undefined: this server has no simulated network to switch. */
  demoOn: boolean | undefined;
  mayInvite: boolean;
};

export type Progress = { step: Step; done: boolean; optional: boolean }[];

export function progress(f: Facts): Progress {
  return [
    { step: 'admin', done: true, optional: false },
    { step: 'site', done: f.sites > 0, optional: false },
    ...(f.relayed === undefined ? [] : [{ step: 'csms' as const, done: f.relayed > 0, optional: true }]),
    { step: 'station', done: f.heard > 0, optional: false },
    ...(f.mayInvite ? [{ step: 'team' as const, done: f.people > 1, optional: true }] : []),
    ...(f.demoOn === undefined ? [] : [{ step: 'demo' as const, done: f.demoOn, optional: true }]),
  ];
}

/** Where to go on: the first thing not done, what must be before what may be. */
export function current(p: Progress): Step | undefined {
  return (p.find((s) => !s.done && !s.optional) ?? p.find((s) => !s.done && s.step === 'team'))?.step;
}

/** "53.5430, 9.9880" as maps copy it; null if it is no place, undefined if nothing was given. */
export function place(text: string): { latitude: number; longitude: number } | null | undefined {
  if (text.trim() === '') return undefined;
  const m = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!m) return null;
  const [latitude, longitude] = [Number(m[1]), Number(m[2])];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}

/** One line of what a station tried; `good` is undefined for what merely happened. */
export type Attempt = { at: number; good: boolean | undefined; words: string; count: number };

export const newestFirst = (all: Attempt[]): Attempt[] => [...all].sort((a, b) => b.at - a.at).slice(0, 12);
