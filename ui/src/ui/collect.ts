// Reads a list page by page to its end, or to a limit that is then said.
type Page<T> = { items: T[]; nextCursor?: string };

export type Collected<T> = { items: T[]; cut: boolean };

export async function collect<T>(
  read: (cursor: string | undefined) => Promise<Page<T>>,
  most: number,
  progress: (count: number) => void,
): Promise<Collected<T>> {
  const items: T[] = [];
  let cursor: string | undefined;
  // A list that goes on without giving anything must end too.
  for (let empty = 0; empty < 50; ) {
    const page = await read(cursor);
    empty = page.items.length === 0 ? empty + 1 : 0;
    items.push(...page.items);
    cursor = page.nextCursor || undefined;
    if (items.length >= most)
      return { items: items.slice(0, most), cut: items.length > most || cursor !== undefined };
    if (cursor === undefined) return { items, cut: false };
    progress(items.length);
  }
  return { items, cut: true };
}
