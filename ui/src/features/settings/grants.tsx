import { MultiSelect, Select } from '@mantine/core';
import type { Grant } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import { useSites } from '../../ui/sites';

const roles = ['viewer', 'host', 'technician', 'operator', 'security', 'admin'] as const;

const roleKey = (role: string): MessageKey | undefined =>
  (roles as readonly string[]).includes(role) ? (`role.${role}` as MessageKey) : undefined;

export function Roles({ grants }: { grants: Grant[] }) {
  const t = useT();
  const names = grants.map((g) => {
    const key = roleKey(g.role);
    return key ? t(key) : g.role;
  });
  return <>{[...new Set(names)].join(', ')}</>;
}

export function SitesOf({ grants }: { grants: Grant[] }) {
  const t = useT();
  const sites = useSites();
  const ids = [...new Set(grants.flatMap((g) => g.sites))];
  return (
    <>{ids.includes('*') ? t('user.allSites') : ids.map((id) => sites.get(id)?.name ?? id).join(', ')}</>
  );
}

export function RoleAndSites({
  role,
  setRole,
  sites,
  setSites,
}: {
  role: string;
  setRole: (r: string) => void;
  sites: string[];
  setSites: (s: string[]) => void;
}) {
  const t = useT();
  const known = useSites();
  return (
    <>
      <Select
        label={t('user.role')}
        description={t(`role.${role}.note` as MessageKey)}
        data={roles.map((r) => ({ value: r, label: t(`role.${r}`) }))}
        value={role}
        onChange={(v) => v && setRole(v)}
        allowDeselect={false}
      />
      <MultiSelect
        label={t('settings.sites')}
        description={t('user.sitesHint')}
        placeholder={sites.length === 0 ? t('user.allSites') : undefined}
        data={[...known.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
        value={sites}
        onChange={setSites}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
      />
    </>
  );
}

export const grantOf = (role: string, sites: string[]): Grant[] => [
  { role, sites: sites.length === 0 ? ['*'] : sites },
];
