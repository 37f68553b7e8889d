import { Button, Menu } from '@mantine/core';
import { useState } from 'react';
import { count } from '../format/quantity';
import { useT, useTag } from '../i18n/i18n';
import { Icon } from './icons';
import { useToast } from './toast';

export type Save = {
  name: string;
  run: (progress: (n: number) => void) => Promise<{ count: number; cut: boolean }>;
};

/** Saves what a list shows, all of it, with how far it is; says so when it had to be cut. */
export function Export({ saves }: { saves: Save[] }) {
  const t = useT();
  const tag = useTag();
  const toast = useToast();
  const [done, setDone] = useState<number | null>(null);
  const run = async (save: Save) => {
    setDone(0);
    try {
      const { count: n, cut } = await save.run(setDone);
      toast(
        cut
          ? { text: t('export.cut', { n: count(tag, n) }), tone: 'bad' }
          : { text: t('export.done', { n }), tone: 'good' },
      );
    } catch {
      toast({ text: t('export.failed'), tone: 'bad' });
    } finally {
      setDone(null);
    }
  };
  const button = (onClick?: () => void) => (
    <Button
      variant="default"
      onClick={onClick}
      disabled={done !== null}
      leftSection={<Icon name="download" size={16} />}
    >
      {done !== null
        ? t('export.running', { n: count(tag, done) })
        : saves.length === 1
          ? saves[0]!.name
          : t('export.title')}
    </Button>
  );
  if (saves.length === 1) return button(() => void run(saves[0]!));
  return (
    <Menu position="bottom-end">
      <Menu.Target>{button()}</Menu.Target>
      <Menu.Dropdown>
        {saves.map((s) => (
          <Menu.Item key={s.name} onClick={() => void run(s)}>
            {s.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
