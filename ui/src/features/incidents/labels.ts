// What was seen in the pictures of an incident, one line for each kind of thing.
import type { Detail } from './shape';

type Labels = Detail['cameraClips'][number]['labels'][number];
export type SeenKind = 'person' | 'vehicle' | 'animal' | 'plate';
export type Seen = {
  what: SeenKind;
  /** How sure the surest was, 0 to 1; 0: nobody said. */
  score: number;
  plate: string;
  /** When it was seen first. */
  at: number;
  source: string;
};

const ORDER: readonly SeenKind[] = ['person', 'vehicle', 'animal', 'plate'];
const known = (what: string): what is SeenKind => (ORDER as readonly string[]).includes(what);

/** The surest of each kind with its first time; plates each by its text. Persons first. */
export function summed(labels: readonly Labels[]): Seen[] {
  const all = new Map<string, Seen>();
  for (const l of labels) {
    const at = Date.parse(l.seenAt);
    for (const x of l.items) {
      if (!known(x.what)) continue;
      const key = `${x.what} ${x.plate}`;
      const old = all.get(key);
      if (!old) all.set(key, { what: x.what, score: x.score, plate: x.plate, at, source: l.source });
      else {
        if (x.score > old.score) [old.score, old.source] = [x.score, l.source];
        old.at = Math.min(old.at, at);
      }
    }
  }
  return [...all.values()].sort((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what) || a.at - b.at);
}

/** Whether somebody looked at pictures and saw none of these things. */
export const lookedInVain = (labels: readonly Labels[]): boolean =>
  labels.some((l) => l.source === 'verifier') && labels.every((l) => l.items.length === 0);
