import { ActionIcon, Button, Kbd } from '@mantine/core';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useT } from '../i18n/i18n';
import { Icon } from './icons';
import { type Shown, useToasts } from './toast';
import styles from './toast.module.css';

const STAYS = 6000;

export default function ToastList() {
  const toasts = useToasts();
  const shown = useSyncExternalStore(toasts.subscribe, toasts.all);
  // Whoever reads one, reads all: none goes while pointer or focus rests on the pile.
  const [held, setHeld] = useState(false);
  const pile = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (shown.length === 0) setHeld(false);
  }, [shown.length]);
  return (
    <ul
      ref={pile}
      className={styles.pile}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(pile.current?.contains(document.activeElement) ?? false)}
      onFocus={() => setHeld(true)}
      onBlur={(e) => setHeld(e.currentTarget.contains(e.relatedTarget))}
    >
      {shown.map((s) => (
        <Note key={s.id} note={s} held={held} />
      ))}
    </ul>
  );
}

function Note({ note, held }: { note: Shown; held: boolean }) {
  const t = useT();
  const toasts = useToasts();
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => toasts.drop(note.id), STAYS);
    return () => clearTimeout(timer);
  }, [held, toasts, note.id]);
  const tone = note.tone ?? 'plain';
  return (
    <li className={styles.note} data-tone={tone}>
      {tone !== 'plain' && <Icon name={tone === 'good' ? 'check' : 'warn'} size={16} />}
      <span className={styles.text}>{note.text}</span>
      {note.undo && (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => toasts.undo(note.id)}
          rightSection={<Kbd size="xs">Ctrl Z</Kbd>}
        >
          {t('toast.undo')}
        </Button>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={t('action.close')}
        onClick={() => toasts.drop(note.id)}
      >
        <Icon name="close" size={14} />
      </ActionIcon>
    </li>
  );
}
