import { Select } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useT } from '../i18n/i18n';
import { useSites } from '../ui/sites';
import { useScope } from './view';

/** Which site all pages are limited to. */
export default function ScopePicker() {
  const t = useT();
  const sites = useSites();
  const site = useScope();
  const navigate = useNavigate();
  if (sites.size < 2 && site === undefined) return null;
  return (
    <Select
      aria-label={t('scope.label')}
      placeholder={t('scope.all')}
      data={[...sites.values()]
        .map((s) => ({ value: s.id, label: s.name || s.id }))
        .sort((a, b) => a.label.localeCompare(b.label))}
      value={site ?? null}
      onChange={(v) => void navigate({ to: '.', search: (s) => ({ ...s, site: v ?? undefined }) })}
      clearable
      clearButtonProps={{ 'aria-label': t('scope.clear') }}
      searchable
      nothingFoundMessage={t('scope.nothing')}
    />
  );
}
