import { ActionIcon, Button, MultiSelect, Select } from '@mantine/core';
import type { Grant } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useSites } from '../../ui/sites';
import styles from './settings.module.css';

const roles = ['viewer', 'host', 'technician', 'operator', 'security', 'admin'] as const;

const roleKey = (role: string): MessageKey | undefined =>
  (roles as readonly string[]).includes(role) ? (`role.${role}` as MessageKey) : undefined;

export function useRoleNames(): (grants: Grant[]) => string {
  const t = useT();
  return (grants) =>
    [
      ...new Set(
        grants.map((g) => {
          const key = roleKey(g.role);
          return key ? t(key) : g.role;
        }),
      ),
    ].join(', ');
}

export function useSitesOf(): (grants: Grant[]) => string {
  const t = useT();
  const sites = useSites();
  return (grants) => {
    const ids = [...new Set(grants.flatMap((g) => g.sites))];
    return ids.includes('*') ? t('user.allSites') : ids.map((id) => sites.get(id)?.name ?? id).join(', ');
  };
}

/** A role and where it holds; no site means all. */
export type GrantDraft = { role: string; sites: string[] };

export const draftsOf = (grants: Grant[]): GrantDraft[] =>
  grants.map((g) => ({ role: g.role, sites: g.sites.includes('*') ? [] : g.sites }));

export const grantsSent = (drafts: GrantDraft[]): Grant[] =>
  drafts.map((d) => ({ role: d.role, sites: d.sites.length === 0 ? ['*'] : d.sites }));

/** What somebody may do and where: a role each, at all sites or at some. */
export function Grants({ grants, change }: { grants: GrantDraft[]; change: (next: GrantDraft[]) => void }) {
  const t = useT();
  const known = useSites();
  const set = (i: number, next: Partial<GrantDraft>) =>
    change(grants.map((g, n) => (n === i ? { ...g, ...next } : g)));
  const free = roles.filter((r) => !grants.some((g) => g.role === r));
  const several = grants.length > 1;
  return (
    <div className={styles.notices}>
      {several && <p className={form.label}>{t('user.grants')}</p>}
      {grants.map((g, i) => {
        const note = roleKey(g.role);
        const nth = several ? ` ${i + 1}` : '';
        return (
          <div key={g.role} className={several ? styles.notice : styles.grant}>
            <div>
              <Select
                label={t('user.role') + nth}
                description={note ? t(`role.${g.role}.note` as MessageKey) : undefined}
                data={[g.role, ...free]
                  .filter((r, n, all) => all.indexOf(r) === n)
                  .map((r) => ({ value: r, label: roleKey(r) ? t(`role.${r}` as MessageKey) : r }))}
                value={g.role}
                onChange={(v) => v && set(i, { role: v })}
                allowDeselect={false}
              />
            </div>
            {several && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size={28}
                aria-label={t('user.grantRemove', { n: i + 1 })}
                onClick={() => change(grants.filter((_, n) => n !== i))}
              >
                <Icon name="trash" size={16} />
              </ActionIcon>
            )}
            <div>
              <MultiSelect
                label={t('settings.sites') + nth}
                description={t('user.sitesHint')}
                placeholder={g.sites.length === 0 ? t('user.allSites') : undefined}
                data={[...known.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
                value={g.sites}
                onChange={(sites) => set(i, { sites })}
                searchable
                clearable
                clearButtonProps={{ 'aria-label': t('filter.clear') }}
              />
            </div>
          </div>
        );
      })}
      {free.length > 0 && (
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => change([...grants, { role: free[0]!, sites: [] }])}
        >
          {t('user.grantAdd')}
        </Button>
      )}
    </div>
  );
}
