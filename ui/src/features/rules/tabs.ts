export const TABS = ['rules', 'detectors', 'silences'] as const;
export type Tab = (typeof TABS)[number];
export type RulesSearch = { tab?: Tab; edit?: string };

export const parseRules = (s: Record<string, unknown>): RulesSearch => ({
  tab: TABS.find((t) => t === s.tab),
  edit: typeof s.edit === 'string' && s.edit.length <= 48 ? s.edit : undefined,
});
