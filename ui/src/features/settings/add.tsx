import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../ui/icons';

export function AddButton({ children, onClick }: { children: ReactNode; onClick: () => void }) {
  return (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={onClick}>
      {children}
    </Button>
  );
}
