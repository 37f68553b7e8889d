// The columns of the list beside the station itself: which there are, which are
// shown, and how wide each is.
export const COLUMNS = [
  'site',
  'ports',
  'state',
  'power',
  'since',
  'model',
  'firmware',
  'protocol',
  'heard',
  'tags',
] as const;

export type Column = (typeof COLUMNS)[number];

export const USUAL: readonly Column[] = ['site', 'ports', 'state', 'power', 'since', 'model', 'protocol'];

const widths: Record<Column, string> = {
  site: 'minmax(144px, 1.7fr)',
  ports: '88px',
  state: 'minmax(184px, 1.4fr)',
  power: '80px',
  since: '104px',
  model: 'minmax(144px, 1.7fr)',
  firmware: 'minmax(96px, 1fr)',
  protocol: '56px',
  heard: '104px',
  tags: 'minmax(120px, 1.4fr)',
};

/** How many stand on a narrow page; the others are hidden there. */
export const NARROW = 5;

/** As it stands in the address; undefined is the usual choice. */
export function parseColumns(v: unknown): Column[] | undefined {
  if (typeof v !== 'string') return undefined;
  const wanted = new Set(v.split(','));
  const found = COLUMNS.filter((c) => wanted.has(c));
  return found.length > 0 ? found : undefined;
}

export const columnsText = (chosen: readonly Column[]): string | undefined =>
  chosen.join() === USUAL.join() || chosen.length === 0 ? undefined : chosen.join(',');

/** The columns of the grid, wide and narrow. */
export function templates(chosen: readonly Column[], pickable: boolean): { wide: string; narrow: string } {
  const line = (list: readonly Column[]) =>
    [pickable ? '20px' : '', 'minmax(200px, 2fr)', ...list.map((c) => widths[c])].filter(Boolean).join(' ');
  return { wide: line(chosen), narrow: line(chosen.slice(0, NARROW)) };
}
