// Keys of the whole page. A binding is one key ("?") or two in a row ("g s").
// Keys typed into a field belong to the field.
export type Binding = { keys: string; run: () => void };

export const SEQUENCE_MS = 1200;

type KeyLike = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'target' | 'preventDefault'> & {
  defaultPrevented?: boolean;
};

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  const tag = target.tagName;
  return (
    tag === 'INPUT' || tag === 'TEXTAREA' || tag === 'SELECT' || target.getAttribute('role') === 'combobox'
  );
}

export function createKeymap(bindings: () => Binding[], now: () => number = Date.now) {
  let prefix = '';
  let prefixAt = 0;
  return (e: KeyLike): void => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target)) {
      prefix = '';
      return;
    }
    const first = prefix && now() - prefixAt <= SEQUENCE_MS ? `${prefix} ${e.key}` : e.key;
    prefix = '';
    const list = bindings();
    const hit = list.find((b) => b.keys === first) ?? list.find((b) => b.keys === e.key);
    if (hit) {
      e.preventDefault();
      hit.run();
      return;
    }
    if (list.some((b) => b.keys.startsWith(`${e.key} `))) {
      prefix = e.key;
      prefixAt = now();
    }
  };
}
