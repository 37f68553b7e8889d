import { createContext, type ReactNode, Suspense, useContext, useEffect, useMemo, useState } from 'react';
import { later } from './later';

export type Tone = 'plain' | 'good' | 'bad';

export type Toast = {
  text: string;
  /** Takes back what was done; offered while the note is there. */
  undo?: () => void;
  tone?: Tone;
};

export type Shown = Toast & { id: number };

const MOST = 3;

/** The notes on screen, oldest first. A fourth pushes out the first. */
export class Toasts {
  private shown: Shown[] = [];
  private next = 1;
  private readonly listeners = new Set<() => void>();

  readonly add = (toast: Toast): void => {
    this.set([...this.shown, { ...toast, id: this.next++ }].slice(-MOST));
  };

  readonly drop = (id: number): void => this.set(this.shown.filter((s) => s.id !== id));

  /** Undoes the newest that can be; false if there is none. */
  readonly undo = (id?: number): boolean => {
    const it = this.shown.findLast((s) => s.undo && (id === undefined || s.id === id));
    if (!it) return false;
    this.drop(it.id);
    it.undo?.();
    return true;
  };

  readonly all = (): readonly Shown[] => this.shown;

  readonly subscribe = (fn: () => void): (() => void) => {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  };

  private set(shown: Shown[]): void {
    this.shown = shown;
    for (const fn of [...this.listeners]) fn();
  }
}

const ToastContext = createContext<Toasts>(new Toasts());
const List = later(() => import('./toasts'));

/** Says in a corner what was done, and for a while offers to take it back. */
export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext).add;
}

export const useToasts = (): Toasts => useContext(ToastContext);

export function ToastRoot({ children }: { children: ReactNode }) {
  const toasts = useMemo(() => new Toasts(), []);
  const [used, setUsed] = useState(false);
  useEffect(() => toasts.subscribe(() => setUsed(true)), [toasts]);
  return (
    <ToastContext.Provider value={toasts}>
      {children}
      {/* A live region must be there before what it announces. */}
      <div role="status">
        <Suspense>{used && <List />}</Suspense>
      </div>
    </ToastContext.Provider>
  );
}
