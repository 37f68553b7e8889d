import { describe, expect, it } from 'vitest';
import { createKeymap, isTyping } from './keymap';

function setup() {
  const ran: string[] = [];
  let now = 0;
  const bind = (keys: string) => ({ keys, run: () => ran.push(keys) });
  const handle = createKeymap(
    () => [bind('?'), bind('g s'), bind('g o'), bind('/')],
    () => now,
  );
  const press = (key: string, extra: Partial<KeyboardEvent> = {}) => {
    let prevented = false;
    handle({
      key,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      target: document.body,
      preventDefault: () => {
        prevented = true;
      },
      ...extra,
    });
    return prevented;
  };
  return { ran, press, wait: (ms: number) => (now += ms) };
}

describe('keymap', () => {
  it('runs a single key and keeps the browser from it', () => {
    const { ran, press } = setup();
    expect(press('?')).toBe(true);
    expect(ran).toEqual(['?']);
  });

  it('runs a sequence', () => {
    const { ran, press } = setup();
    press('g');
    press('s');
    expect(ran).toEqual(['g s']);
  });

  it('forgets the first key of a sequence after a while', () => {
    const { ran, press, wait } = setup();
    press('g');
    wait(2000);
    press('s');
    expect(ran).toEqual([]);
  });

  it('lets a key that ends no sequence act for itself', () => {
    const { ran, press } = setup();
    press('g');
    press('?');
    expect(ran).toEqual(['?']);
  });

  it('leaves keys with Ctrl, Alt or Meta to the browser', () => {
    const { ran, press } = setup();
    press('?', { ctrlKey: true });
    press('/', { metaKey: true });
    press('/', { altKey: true });
    expect(ran).toEqual([]);
  });

  it('leaves typing alone', () => {
    const { ran, press } = setup();
    press('?', { target: document.createElement('input') });
    press('?', { target: document.createElement('textarea') });
    expect(ran).toEqual([]);
    expect(isTyping(document.createElement('button'))).toBe(false);
  });
});
