import { describe, expect, it, vi } from 'vitest';
import { createListKeys, type ListKeys } from './listkeys';

function list(over: Partial<ListKeys> = {}) {
  let at = -1;
  const l: ListKeys = {
    count: 5,
    at: () => at,
    move: (to) => {
      at = to;
    },
    ...over,
  };
  let inside = false;
  const keys = createListKeys(
    () => l,
    () => inside,
  );
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => {
    const preventDefault = vi.fn();
    keys({
      key,
      shiftKey: false,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      defaultPrevented: false,
      target: document.body,
      preventDefault,
      ...more,
    });
    return preventDefault;
  };
  return {
    press,
    at: () => at,
    focus: () => {
      inside = true;
    },
  };
}

describe('keys of a list', () => {
  it('starts at the first row and stops at both ends', () => {
    const l = list();
    l.press('j');
    expect(l.at()).toBe(0);
    for (let i = 0; i < 9; i++) l.press('j');
    expect(l.at()).toBe(4);
    for (let i = 0; i < 9; i++) l.press('k');
    expect(l.at()).toBe(0);
  });

  it('leaves arrows to the page until the focus is in the list', () => {
    const l = list();
    expect(l.press('ArrowDown')).not.toHaveBeenCalled();
    expect(l.at()).toBe(-1);
    l.press('j');
    l.focus();
    l.press('ArrowDown');
    expect(l.at()).toBe(1);
    l.press('PageDown');
    expect(l.at()).toBe(4);
  });

  it('picks a row, then all from there to here', () => {
    const pick = vi.fn();
    const l = list({ pick });
    l.press('x');
    expect(pick).not.toHaveBeenCalled();
    for (const k of ['j', 'j', 'x']) l.press(k);
    expect(pick).toHaveBeenLastCalledWith([1], false);
    for (const k of ['j', 'j']) l.press(k);
    l.press('X', { shiftKey: true });
    expect(pick).toHaveBeenLastCalledWith([1, 2, 3], true);
  });

  it('opens with Enter unless a link has the focus', () => {
    const open = vi.fn();
    const l = list({ open });
    l.press('j');
    const link = document.createElement('a');
    l.press('Enter', { target: link });
    expect(open).not.toHaveBeenCalled();
    l.press('Enter');
    expect(open).toHaveBeenCalledWith(0);
  });

  it('acts on the row under the cursor and on no other key', () => {
    const acknowledge = vi.fn();
    const l = list({ acts: { a: acknowledge } });
    l.press('a');
    expect(acknowledge).not.toHaveBeenCalled();
    l.press('j');
    l.press('a');
    expect(acknowledge).toHaveBeenCalledWith(0);
    expect(l.press('toString')).not.toHaveBeenCalled();
  });

  it('leaves the key after g to the page it names', () => {
    const s = vi.fn();
    const l = list({ acts: { s } });
    for (const k of ['j', 'g', 's']) l.press(k);
    expect(s).not.toHaveBeenCalled();
    l.press('s');
    expect(s).toHaveBeenCalledOnce();
  });

  it('leaves keys typed into a field to the field, and those of the browser to it', () => {
    const l = list();
    l.press('j', { target: document.createElement('input') });
    l.press('j', { ctrlKey: true });
    expect(l.at()).toBe(-1);
  });
});
