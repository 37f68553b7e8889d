// The keys of every list: j and k move, Enter opens, x picks, Shift+x picks all
// from the last pick to here; further keys act on the row. They work wherever
// the focus is, so that a hand on the keyboard never needs the mouse first.
import { useEffect, useRef, useState } from 'react';
import { isTyping, SEQUENCE_MS } from '../app/keymap';

export type ListKeys = {
  count: number;
  /** Where the cursor is; -1 is nowhere. */
  at: () => number;
  /** Moves the cursor; the list scrolls and puts the focus there. */
  move: (to: number) => void;
  open?: (at: number) => void;
  /** Picks or drops rows; `extend` is all between two rows, both included. */
  pick?: (rows: number[], extend: boolean) => void;
  /** Further keys, such as a, r, s, m. */
  acts?: Readonly<Record<string, (at: number) => void>>;
  /** Rows of a page, for PageUp and PageDown. */
  page?: number;
};

type KeyLike = Pick<
  KeyboardEvent,
  'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'target' | 'preventDefault' | 'defaultPrevented'
>;

const steps = new Map([
  ['j', 1],
  ['k', -1],
]);
const arrows = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
]);

/** Decides on one key; `inside` says that the focus is in the list, where arrows and Enter are its own. */
export function createListKeys(
  list: () => ListKeys,
  inside: (target: EventTarget | null) => boolean,
  now: () => number = Date.now,
) {
  let picked = -1;
  // After g the next key names a page ("g s") and does nothing to a row.
  let wentAt = Number.NEGATIVE_INFINITY;
  return (e: KeyLike): void => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) return;
    const going = now() - wentAt <= SEQUENCE_MS;
    wentAt = e.key === 'g' ? now() : Number.NEGATIVE_INFINITY;
    const l = list();
    if (going || l.count === 0) return;
    const here = l.at();
    const go = (to: number) => {
      e.preventDefault();
      l.move(Math.min(l.count - 1, Math.max(0, to)));
    };
    const step = steps.get(e.key);
    if (step !== undefined) {
      go(here < 0 ? 0 : here + step);
      return;
    }
    const own = inside(e.target);
    const page = ['PageDown', 'PageUp'].indexOf(e.key);
    const move = page < 0 ? arrows.get(e.key) : (page === 0 ? 1 : -1) * (l.page ?? 12);
    if (own && move !== undefined) {
      go(here + move);
      return;
    }
    if (here < 0) return;
    if (e.key.toLowerCase() === 'x' && l.pick) {
      e.preventDefault();
      const extend = e.shiftKey && picked >= 0;
      const [a, b] = extend ? [Math.min(picked, here), Math.max(picked, here)] : [here, here];
      picked = here;
      l.pick(
        Array.from({ length: b - a + 1 }, (_, i) => a + i),
        extend,
      );
      return;
    }
    // A focused link or button opens itself.
    if (e.key === 'Enter') {
      if (own || !l.open || (e.target instanceof HTMLElement && e.target.closest('a,button,[role=button]')))
        return;
      e.preventDefault();
      l.open(here);
      return;
    }
    const act = Object.hasOwn(l.acts ?? {}, e.key) ? l.acts?.[e.key] : undefined;
    if (act) {
      e.preventDefault();
      act(here);
    }
  };
}

/** Gives a list its keys for as long as it is on screen and no dialog is above it. */
export function useListKeys(list: ListKeys, element: () => HTMLElement | null): void {
  const latest = useRef({ list, element });
  useEffect(() => {
    latest.current = { list, element };
  });
  const [keys] = useState(() =>
    createListKeys(
      () => latest.current.list,
      (target) => target instanceof Node && (latest.current.element()?.contains(target) ?? false),
    ),
  );
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const box = latest.current.element();
      const dialog = document.querySelector('[role=dialog][aria-modal=true]');
      if (box && (!dialog || dialog.contains(box))) keys(e);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keys]);
}
