import { describe, expect, it, vi } from 'vitest';
import { Toasts } from './toast';

const texts = (t: Toasts) => t.all().map((s) => s.text);

describe('toasts', () => {
  it('shows three at most and lets the oldest go', () => {
    const t = new Toasts();
    for (const text of ['a', 'b', 'c', 'd']) t.add({ text });
    expect(texts(t)).toEqual(['b', 'c', 'd']);
  });

  it('undoes the newest that can be undone, once', () => {
    const t = new Toasts();
    const first = vi.fn();
    const second = vi.fn();
    t.add({ text: 'first', undo: first });
    t.add({ text: 'second', undo: second });
    t.add({ text: 'told only' });
    expect(t.undo()).toBe(true);
    expect(second).toHaveBeenCalledOnce();
    expect(texts(t)).toEqual(['first', 'told only']);
    t.undo();
    expect(first).toHaveBeenCalledOnce();
    expect(t.undo()).toBe(false);
  });

  it('undoes nothing that has gone', () => {
    const t = new Toasts();
    const undo = vi.fn();
    t.add({ text: 'a', undo });
    t.drop(t.all()[0]!.id);
    expect(t.undo()).toBe(false);
    expect(undo).not.toHaveBeenCalled();
  });

  it('may be told something new by an undo', () => {
    const t = new Toasts();
    t.add({ text: 'deleted', undo: () => t.add({ text: 'restored' }) });
    t.undo();
    expect(texts(t)).toEqual(['restored']);
  });
});
