// The parts of the place "Analytics". A part is a folder of its own, loaded when
// it is opened.
export type Tab = {
  to: string;
  tab: 'patterns' | 'forecast' | 'planner' | 'ranking' | 'past';
  /** Shown to those who hold it. */
  permission?: string;
};

export const tabs = [
  { to: '/analytics', tab: 'patterns' },
  { to: '/analytics/forecast', tab: 'forecast' },
  { to: '/analytics/planner', tab: 'planner' },
  { to: '/analytics/ranking', tab: 'ranking' },
  { to: '/analytics/past', tab: 'past' },
] as const satisfies Tab[];
