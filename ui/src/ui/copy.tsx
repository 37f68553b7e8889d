import { ActionIcon, Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useT } from '../i18n/i18n';
import { toClipboard } from './clipboard';
import styles from './copy.module.css';
import { Icon } from './icons';

export function CopyButton({ value, what }: { value: string; what: string }) {
  const t = useT();
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const label =
    state === 'done' ? t('copy.done') : state === 'failed' ? t('copy.failed') : t('copy.what', { what });
  return (
    <Tooltip label={label} opened={state !== 'idle' ? true : undefined}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={label}
        onClick={async () => setState((await toClipboard(value)) ? 'done' : 'failed')}
      >
        <Icon name={state === 'done' ? 'check' : 'copy'} size={14} />
      </ActionIcon>
    </Tooltip>
  );
}

/** A text that is there to be copied: an address, a password shown once. */
export function CopyLine({ value, what }: { value: string; what: string }) {
  return (
    <span className={styles.line}>
      <code className="mono">{value}</code>
      <CopyButton value={value} what={what} />
    </span>
  );
}
