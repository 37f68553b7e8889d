// The way from pictures to evidence: opens the form for a new pack with these cameras
// and this stretch of time.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';

/** Nothing for who may not give evidence out. Times are in milliseconds. */
export function ExportLink({
  cameras,
  from,
  to,
  incident,
  size = 'compact-sm',
}: {
  cameras?: readonly string[];
  from?: number;
  to?: number;
  incident?: string;
  size?: 'compact-sm' | 'sm';
}) {
  const t = useT();
  if (!useAllowed('evidence.export')) return null;
  return (
    <Button
      component={Link}
      {...({
        to: '/evidence',
        search: {
          export: true,
          cameras: cameras?.join(',') || undefined,
          from: from === undefined ? undefined : Math.floor(from),
          to: to === undefined ? undefined : Math.ceil(to),
          incident,
        },
      } as object)}
      size={size}
      variant="default"
      leftSection={<Icon name="shield" size={16} />}
    >
      {t('evidence.exportAs')}
    </Button>
  );
}
