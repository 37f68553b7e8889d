// Which line on the page shows which row of a long list. A row that stays keeps
// its line, and a line whose row left takes a row that came: the page changes
// texts instead of making elements anew.
export class Slots {
  private held = new Map<number, number>();

  /** The line of each row, in the order of the rows. */
  assign(rows: readonly number[]): number[] {
    const next = new Map<number, number>();
    const taken = new Set<number>();
    for (const row of rows) {
      const slot = this.held.get(row);
      if (slot === undefined) continue;
      next.set(row, slot);
      taken.add(slot);
    }
    let free = 0;
    for (const row of rows) {
      if (next.has(row)) continue;
      while (taken.has(free)) free++;
      taken.add(free);
      next.set(row, free);
    }
    this.held = next;
    return rows.map((row) => next.get(row)!);
  }
}
