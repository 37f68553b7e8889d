// The rows of a list that is edited: each can be moved and removed by keyboard.
import { ActionIcon } from '@mantine/core';
import type { ReactNode } from 'react';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import styles from './calls.module.css';

export type Keyed = { key: number };

export const nextKey = (all: readonly Keyed[]): number => Math.max(0, ...all.map((x) => x.key)) + 1;

function moved<T>(all: readonly T[], from: number, by: 1 | -1): T[] {
  const out = [...all];
  const [one] = out.splice(from, 1);
  out.splice(from + by, 0, one!);
  return out;
}

export function Lines<T extends Keyed>({
  rows,
  change,
  children,
}: {
  rows: readonly T[];
  change: (rows: T[]) => void;
  children: (row: T, set: (part: Partial<T>) => void, n: number) => ReactNode;
}) {
  const t = useT();
  return (
    <ol className={styles.lines}>
      {rows.map((row, i) => (
        <li key={row.key}>
          <div className={styles.fields}>
            {children(
              row,
              (part) => change(rows.map((r) => (r.key === row.key ? { ...r, ...part } : r))),
              i + 1,
            )}
          </div>
          <div className={styles.moves}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={28}
              disabled={i === 0}
              aria-label={t('response.up', { n: i + 1 })}
              onClick={() => change(moved(rows, i, -1))}
            >
              <span className={styles.up}>
                <Icon name="down" size={16} />
              </span>
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={28}
              disabled={i === rows.length - 1}
              aria-label={t('response.down', { n: i + 1 })}
              onClick={() => change(moved(rows, i, 1))}
            >
              <Icon name="down" size={16} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={28}
              aria-label={t('response.remove', { n: i + 1 })}
              onClick={() => change(rows.filter((r) => r.key !== row.key))}
            >
              <Icon name="trash" size={16} />
            </ActionIcon>
          </div>
        </li>
      ))}
    </ol>
  );
}
