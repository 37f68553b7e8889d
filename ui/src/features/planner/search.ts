// What of the planner stands in the address: where the sliders are, and which
// plans are open.
export type PlannerSearch = {
  add?: number;
  patience?: number;
  growth?: number;
  cap?: number;
  /** Id of the plan that is shown, and of one beside it. */
  plan?: string;
  beside?: string;
};

export const DEFAULTS = { add: 1, patience: 10, growth: 0, cap: 0 } as const;
export const MOST = { add: 8, patience: 60, growth: 200, cap: 100_000 } as const;
export const LEAST = { add: -4, patience: 0, growth: -50, cap: 0 } as const;

type Dial = keyof typeof DEFAULTS;

function dial(v: unknown, of: Dial): number | undefined {
  const n = Math.round(Number(v));
  if (v === undefined || v === '' || !Number.isFinite(n)) return undefined;
  const held = Math.min(MOST[of], Math.max(LEAST[of], n));
  return held === DEFAULTS[of] && of !== 'cap' ? undefined : held;
}

const id = (v: unknown): string | undefined =>
  typeof v === 'string' && /^p-[a-z0-9]{1,40}$/.test(v) ? v : undefined;

export function parsePlanner(s: Record<string, unknown>): PlannerSearch {
  return {
    add: dial(s.add, 'add'),
    patience: dial(s.patience, 'patience'),
    growth: dial(s.growth, 'growth'),
    cap: dial(s.cap, 'cap'),
    plan: id(s.plan),
    beside: id(s.beside) === id(s.plan) ? undefined : id(s.beside),
  };
}
