// The keys of the review page, apart from what they do.
import { isTyping, SEQUENCE_MS } from '../../app/keymap';

export type Act =
  | { act: 'play' | 'type' | 'in' | 'out' | 'mark' | 'before' | 'after' | 'closer' | 'farther' | 'now' }
  | { act: 'move'; by: number }
  | { act: 'frame'; by: 1 | -1 };

type KeyLike = Pick<
  KeyboardEvent,
  'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'target' | 'defaultPrevented'
>;

const SECOND = 1000;
const KEYS: Readonly<Record<string, Act>> = {
  ' ': { act: 'play' },
  k: { act: 'play' },
  j: { act: 'move', by: -10 * SECOND },
  l: { act: 'move', by: 10 * SECOND },
  ',': { act: 'frame', by: -1 },
  '.': { act: 'frame', by: 1 },
  p: { act: 'before' },
  n: { act: 'after' },
  '[': { act: 'before' },
  ']': { act: 'after' },
  t: { act: 'type' },
  i: { act: 'in' },
  o: { act: 'out' },
  b: { act: 'mark' },
  '+': { act: 'closer' },
  '=': { act: 'closer' },
  '-': { act: 'farther' },
  End: { act: 'now' },
};

/** Says what a key does. After g the next one names a page ("g i") and does nothing here. */
export function reviewKeys(now: () => number = Date.now): (e: KeyLike) => Act | null {
  let wentAt = Number.NEGATIVE_INFINITY;
  return (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) return null;
    if (e.target instanceof Element && e.target.closest('[role="dialog"], [role="menu"], [role="listbox"]'))
      return null;
    const going = now() - wentAt <= SEQUENCE_MS;
    wentAt = e.key === 'g' ? now() : Number.NEGATIVE_INFINITY;
    if (going) return null;
    // A focused button is pressed by the space bar, a group of choices moved by arrows.
    if (
      e.key === ' ' &&
      e.target instanceof Element &&
      e.target.closest('button, a, [role="button"], summary')
    )
      return null;
    if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') {
      if (e.target instanceof Element && e.target.closest('[role="radiogroup"]')) return null;
      return { act: 'move', by: (e.key === 'ArrowLeft' ? -1 : 1) * (e.shiftKey ? SECOND : 10 * SECOND) };
    }
    return Object.hasOwn(KEYS, e.key) ? KEYS[e.key]! : null;
  };
}
