import { Button, Modal, MultiSelect, Select, Tabs, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery, tokensQuery, usersQuery } from '../../api/queries';
import type { Grant } from '../../api/shapes';
import { count, rated } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useFreshPassword } from '../../ui/reauth';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './settings.module.css';

const route = getRouteApi('/inside/settings');
const roles = ['viewer', 'host', 'technician', 'operator', 'security', 'admin'] as const;

export default function SettingsPage() {
  const t = useT();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const mayUsers = useAllowed('users.read');
  const mayTokens = useAllowed('tokens.read');
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t('nav.settings')}</h1>
      <Tabs
        value={tab ?? 'sites'}
        keepMounted={false}
        onChange={(v) => void navigate({ search: { tab: v === 'users' || v === 'tokens' ? v : undefined } })}
      >
        <Tabs.List>
          <Tabs.Tab value="sites">{t('settings.sites')}</Tabs.Tab>
          {mayUsers && <Tabs.Tab value="users">{t('settings.users')}</Tabs.Tab>}
          {mayTokens && <Tabs.Tab value="tokens">{t('settings.tokens')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="sites" className={styles.panel}>
          <Sites />
        </Tabs.Panel>
        <Tabs.Panel value="users" className={styles.panel}>
          <Users />
        </Tabs.Panel>
        <Tabs.Panel value="tokens" className={styles.panel}>
          <Tokens />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function AddButton({ children, onClick }: { children: ReactNode; onClick: () => void }) {
  return (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={onClick}>
      {children}
    </Button>
  );
}

function Sites() {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(sitesQuery());
  const mayWrite = useAllowed('sites.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.sites')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('site.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.sites')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : data.length === 0 ? (
          <Empty title={t('site.noneYet')}>{t('site.noneText')}</Empty>
        ) : (
          <TableFrame label={t('settings.sites')}>
            <thead>
              <tr>
                <th scope="col">{t('site.name')}</th>
                <th scope="col">{t('site.address')}</th>
                <th scope="col">{t('site.zone')}</th>
                <th scope="col" className={table.end}>
                  {t('overview.free')}
                </th>
                <th scope="col" className={table.end}>
                  {t('family.faulted')}
                </th>
                <th scope="col" className={table.end}>
                  {t('family.offline')}
                </th>
                <th scope="col" className={table.end}>
                  {t('site.limit')}
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((s) => (
                <tr key={s.id}>
                  <th scope="row">
                    {s.name || s.id} <span className="meta mono">{s.id}</span>
                  </th>
                  <td>{s.address || '–'}</td>
                  <td>{s.timeZone || '–'}</td>
                  <td className={`${table.end} num`}>
                    {count(tag, s.ports.free)}{' '}
                    <span className="meta">{t('overview.of', { total: count(tag, s.ports.total) })}</span>
                  </td>
                  <td className={`${table.end} num`}>{count(tag, s.ports.faulted)}</td>
                  <td className={`${table.end} num`}>{count(tag, s.ports.offline)}</td>
                  <td className={`${table.end} num`}>
                    {s.gridLimitW ? `${rated(tag, s.gridLimitW)} kW` : '–'}
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddSite close={() => setAdding(false)} />}
    </>
  );
}

function AddSite({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [zone, setZone] = useState<string | null>(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const add = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/sites', {
          body: { name: name.trim(), address: address.trim(), ...(zone ? { timeZone: zone } : {}) },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['sites'] });
      close();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('site.add')}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('site.name')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          required
          maxLength={120}
          data-autofocus
        />
        <TextInput
          label={t('site.address')}
          value={address}
          onChange={(e) => setAddress(e.currentTarget.value)}
          maxLength={240}
        />
        <Select
          label={t('site.zone')}
          data={Intl.supportedValuesOf('timeZone')}
          value={zone}
          onChange={setZone}
          searchable
          limit={50}
        />
        <FormFault what={t('site.failed')} error={add.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
            {t('site.add')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

const roleKey = (role: string): MessageKey | undefined =>
  (roles as readonly string[]).includes(role) ? (`role.${role}` as MessageKey) : undefined;

function Roles({ grants }: { grants: Grant[] }) {
  const t = useT();
  const names = grants.map((g) => {
    const key = roleKey(g.role);
    return key ? t(key) : g.role;
  });
  return <>{[...new Set(names)].join(', ')}</>;
}

function SitesOf({ grants }: { grants: Grant[] }) {
  const t = useT();
  const sites = useSites();
  const ids = [...new Set(grants.flatMap((g) => g.sites))];
  return (
    <>{ids.includes('*') ? t('user.allSites') : ids.map((id) => sites.get(id)?.name ?? id).join(', ')}</>
  );
}

function Users() {
  const t = useT();
  const { data, error, refetch } = useQuery(usersQuery());
  const mayWrite = useAllowed('users.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.users')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('user.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.users')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : (
          <TableFrame label={t('settings.users')}>
            <thead>
              <tr>
                <th scope="col">{t('signin.name')}</th>
                <th scope="col">{t('user.role')}</th>
                <th scope="col">{t('settings.sites')}</th>
                <th scope="col">{t('user.created')}</th>
                <th scope="col">{t('user.seen')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((u) => (
                <tr key={u.id}>
                  <th scope="row">{u.name}</th>
                  <td>
                    <Roles grants={u.grants} />
                  </td>
                  <td className={table.prose}>
                    <SitesOf grants={u.grants} />
                  </td>
                  <td>
                    <Age at={u.createdAt} />
                  </td>
                  <td>
                    <Age at={u.seenAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddUser close={() => setAdding(false)} />}
    </>
  );
}

function RoleAndSites({
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

const grantOf = (role: string, sites: string[]): Grant[] => [
  { role, sites: sites.length === 0 ? ['*'] : sites },
];

function AddUser({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('operator');
  const [sites, setSites] = useState<string[]>([]);
  const fresh = useFreshPassword();
  const add = useMutation({
    mutationFn: async () => {
      await fresh.ensure();
      return ok(api.POST('/users', { body: { name: name.trim(), grants: grantOf(role, sites) } }));
    },
    onError: fresh.notice,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['users'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  const link = add.data ? `${location.origin}/signin?token=${encodeURIComponent(add.data.signInToken)}` : '';
  return (
    <Modal
      opened
      onClose={close}
      title={t('user.add')}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {add.data ? (
        <div className={form.form}>
          <p className={styles.text}>{t('user.added', { name: add.data.name })}</p>
          {link && (
            <div>
              <p className={form.label}>{t('user.link')}</p>
              <CopyLine value={link} what={t('user.link')} />
              <p className="meta">{t('user.linkOnce')}</p>
            </div>
          )}
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('signin.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            required
            maxLength={120}
            data-autofocus
            autoComplete="off"
          />
          <RoleAndSites role={role} setRole={setRole} sites={sites} setSites={setSites} />
          {fresh.field}
          <FormFault what={t('user.failed')} error={add.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
              {t('user.add')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function Tokens() {
  const t = useT();
  const { data, error, refetch } = useQuery(tokensQuery());
  const mayWrite = useAllowed('tokens.write');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Panel
        title={t('settings.tokens')}
        flush
        aside={mayWrite ? <AddButton onClick={() => setAdding(true)}>{t('token.add')}</AddButton> : undefined}
      >
        {error && !data ? (
          <Failed what={t('settings.tokens')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : data.length === 0 ? (
          <Empty title={t('token.none')}>{t('token.noneText')}</Empty>
        ) : (
          <TableFrame label={t('settings.tokens')}>
            <thead>
              <tr>
                <th scope="col">{t('signin.name')}</th>
                <th scope="col">{t('user.role')}</th>
                <th scope="col">{t('settings.sites')}</th>
                <th scope="col">{t('user.created')}</th>
                <th scope="col">{t('token.used')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((k) => (
                <tr key={k.id}>
                  <th scope="row">{k.name}</th>
                  <td>
                    <Roles grants={k.grants} />
                  </td>
                  <td className={table.prose}>
                    <SitesOf grants={k.grants} />
                  </td>
                  <td>
                    <Age at={k.createdAt} />
                  </td>
                  <td>
                    <Age at={k.usedAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddToken close={() => setAdding(false)} />}
    </>
  );
}

function AddToken({ close }: { close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('viewer');
  const [sites, setSites] = useState<string[]>([]);
  const fresh = useFreshPassword();
  const add = useMutation({
    mutationFn: async () => {
      await fresh.ensure();
      return ok(api.POST('/tokens', { body: { name: name.trim(), grants: grantOf(role, sites) } }));
    },
    onError: fresh.notice,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('token.add')}
      size={560}
      closeOnClickOutside={!add.data}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {add.data ? (
        <div className={form.form}>
          <div>
            <p className={form.label}>{t('token.value')}</p>
            <CopyLine value={add.data.token} what={t('token.value')} />
            <p className="meta">{t('token.once')}</p>
          </div>
          <div className={form.actions}>
            <Button onClick={close}>{t('action.done')}</Button>
          </div>
        </div>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('signin.name')}
            description={t('token.nameHint')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            required
            maxLength={120}
            data-autofocus
            autoComplete="off"
          />
          <RoleAndSites role={role} setRole={setRole} sites={sites} setSites={setSites} />
          {fresh.field}
          <FormFault what={t('token.failed')} error={add.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
              {t('token.add')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
