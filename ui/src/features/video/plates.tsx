import { Button, Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Empty } from '../../ui/panel';
import { useZone } from '../../ui/zone';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './bookmarks.module.css';
import type { Seen } from './seen';

export type Plate = { id: string; text: string; at: number };

/** Each plate once, with the time it was seen last, newest first. */
export function platesOf(seen: readonly Seen[]): Plate[] {
  const all = new Map<string, Plate>();
  for (const s of seen)
    for (const p of s.plates) {
      const old = all.get(p.id);
      if (!old || old.at < s.to) all.set(p.id, { ...p, at: s.to });
    }
  return [...all.values()].sort((a, b) => b.at - a.at);
}

/** The plates that were seen in the time shown: to go there, and to have one forgotten. */
export function Plates({
  plates,
  mayErase,
  go,
  close,
}: {
  plates: readonly Plate[];
  mayErase: boolean;
  go: (at: number) => void;
  close: () => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const queries = useQueryClient();
  const [erase, setErase] = useState<Plate | null>(null);
  if (erase) {
    return (
      <FormDialog
        title={t('video.plate.title', { text: erase.text })}
        close={() => setErase(null)}
        send={() => ok(api.DELETE('/plates/{id}', { params: { path: { id: erase.id } } }))}
        sent={() =>
          queries.invalidateQueries({
            predicate: (q) => q.queryKey[0] === 'incident' || q.queryKey[2] === 'labels',
          })
        }
        action={t('video.plate.erase')}
        failed={t('video.plate.failed')}
        grave
      >
        <Effect>{t('video.plate.text')}</Effect>
      </FormDialog>
    );
  }
  return (
    <Modal
      opened
      onClose={close}
      title={t('video.plates')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={560}
    >
      {plates.length === 0 ? (
        <Empty title={t('video.plates.none')} />
      ) : (
        <ul className={styles.list}>
          {plates.map((p) => (
            <li key={p.id} className={styles.row}>
              <button type="button" className={styles.go} onClick={() => go(p.at)}>
                <span className={`mono ${styles.text}`}>{p.text}</span>
                <span className={styles.facts}>{exact(tag, p.at, zone)}</span>
              </button>
              {mayErase && (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="gray"
                  aria-label={t('video.plate.eraseOf', { text: p.text })}
                  onClick={() => setErase(p)}
                >
                  {t('video.plate.erase')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Modal>
  );
}
