import { Button, NumberInput, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { api, ok } from '../../api/client';
import { type MessageKey, useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon, type IconName } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog, faultAt } from './dialog';
import { type Column, List, useSought } from './list';
import { type Credential, credentialsQuery } from './queries';
import styles from './settings.module.css';
import { Expiry } from './tokens';

const statuses = ['Accepted', 'Blocked', 'Expired', 'Invalid'] as const;
type Status = (typeof statuses)[number];
const types = [
  'ISO14443',
  'ISO15693',
  'eMAID',
  'Central',
  'KeyCode',
  'Local',
  'MacAddress',
  'NoAuthorization',
] as const;

const marks: Record<Status, { icon: IconName; look: string | undefined }> = {
  Accepted: { icon: 'check', look: undefined },
  Blocked: { icon: 'close', look: styles.bad },
  Expired: { icon: 'clock', look: styles.weak },
  Invalid: { icon: 'close', look: styles.off },
};

type Kind = 'edit' | 'block' | 'unblock' | 'delete' | 'erase';

export default function Credentials() {
  const t = useT();
  const queries = useQueryClient();
  const [sought] = useSought();
  const q = useDeferredValue(sought.trim());
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(credentialsQuery(q));
  const rows = data?.pages.flatMap((p) => p.items);
  const mayWrite = useAllowed('credentials.write');
  const [adding, setAdding] = useState(false);
  const [open, setOpen] = useState<{ kind: Kind; of: Credential } | null>(null);
  const close = () => {
    setAdding(false);
    setOpen(null);
  };
  const changed = () => queries.invalidateQueries({ queryKey: ['credentials'] });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
      {t('credential.add')}
    </Button>
  );
  const state = (c: Credential): ReactNode => {
    const m = marks[c.status as Status];
    return (
      <span className={`${styles.mark} ${m.look ?? ''}`}>
        <Icon name={m.icon} size={14} />
        {t(`credential.${c.status}` as MessageKey)}
      </span>
    );
  };
  const columns: Column<Credential>[] = [
    {
      head: t('credential.token'),
      cell: (c) => <span className="mono">{c.idToken || t('credential.erased')}</span>,
      csv: (c) => c.idToken,
    },
    { head: t('credential.label'), cell: (c) => c.label || '–', csv: (c) => c.label },
    { head: t('credential.state'), cell: state, csv: (c) => c.status },
    { head: t('credential.type'), cell: (c) => c.type || t('credential.anyType'), csv: (c) => c.type },
    { head: t('token.expires'), cell: (c) => <Expiry at={c.expiresAt} />, csv: (c) => c.expiresAt },
    {
      head: t('credential.group'),
      cell: (c) => (c.parentIdToken ? <span className="mono">{c.parentIdToken}</span> : '–'),
      csv: (c) => c.parentIdToken,
    },
    {
      head: t('credential.atOnce'),
      end: true,
      cell: (c) => c.maxConcurrent || '–',
      csv: (c) => c.maxConcurrent,
    },
  ];
  const path = { path: { id: open?.of.id ?? '' } };
  const name = open ? open.of.label || open.of.idToken : '';
  const put = (status: Status) => () =>
    ok(api.PATCH('/credentials/{id}', { params: path, body: { status } }));
  return (
    <>
      <List
        title={t('settings.credentials')}
        aside={add}
        rows={rows}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(c) => c.id}
        file="credentials"
        more={hasNextPage ? () => void fetchNextPage() : undefined}
        empty={
          <Empty title={t('credential.none')} action={add}>
            {t('credential.noneText')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (c: Credential) => (
                <ActMenu
                  of={c.label || c.idToken}
                  acts={[
                    {
                      label: t('credential.edit'),
                      icon: 'edit',
                      run: () => setOpen({ kind: 'edit', of: c }),
                    },
                    c.status === 'Accepted'
                      ? {
                          label: t('credential.block'),
                          icon: 'close',
                          run: () => setOpen({ kind: 'block', of: c }),
                        }
                      : {
                          label: t('credential.unblock'),
                          icon: 'check',
                          run: () => setOpen({ kind: 'unblock', of: c }),
                        },
                    {
                      label: t('credential.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'delete', of: c }),
                    },
                    {
                      label: t('credential.erase'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'erase', of: c }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      {adding && <CredentialForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <CredentialForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'block' && (
        <FormDialog
          title={t('credential.blockTitle', { name })}
          close={close}
          send={put('Blocked')}
          sent={changed}
          action={t('credential.block')}
          failed={t('credential.notChanged')}
          grave
        >
          <Effect>{t('credential.blockText')}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'unblock' && (
        <FormDialog
          title={t('credential.unblockTitle', { name })}
          close={close}
          send={put('Accepted')}
          sent={changed}
          action={t('credential.unblock')}
          failed={t('credential.notChanged')}
        >
          <Effect>{t('credential.unblockText')}</Effect>
        </FormDialog>
      )}
      {(open?.kind === 'delete' || open?.kind === 'erase') && (
        <FormDialog
          title={t(open.kind === 'erase' ? 'credential.eraseTitle' : 'credential.deleteTitle', { name })}
          close={close}
          send={() =>
            ok(
              api.DELETE('/credentials/{id}', {
                params: { ...path, query: { erase: open.kind === 'erase' } },
              }),
            )
          }
          sent={changed}
          action={t(open.kind === 'erase' ? 'credential.erase' : 'credential.delete')}
          failed={t('credential.notChanged')}
          grave
        >
          <Effect>{t(open.kind === 'erase' ? 'credential.eraseText' : 'credential.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

const NEVER = '0001-01-01T00:00:00Z';

function CredentialForm({
  of,
  close,
  changed,
}: {
  of?: Credential;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [token, setToken] = useState('');
  const [type, setType] = useState<string | null>(of?.type || null);
  const [label, setLabel] = useState(of?.label ?? '');
  const [status, setStatus] = useState<Status>((of?.status as Status) ?? 'Accepted');
  const [until, setUntil] = useState(of?.expiresAt?.slice(0, 10) ?? '');
  const [group, setGroup] = useState(of?.parentIdToken ?? '');
  const [atOnce, setAtOnce] = useState<number | string>(of?.maxConcurrent || '');
  const common = {
    status,
    label: label.trim(),
    parentIdToken: group.trim(),
    maxConcurrent: Number(atOnce) || 0,
  };
  // A card is good on the day it expires.
  const end = until === '' ? null : new Date(`${until}T23:59:59`).toISOString();
  return (
    <FormDialog
      title={of ? t('credential.editTitle', { name: of.label || of.idToken }) : t('credential.add')}
      close={close}
      send={() =>
        of
          ? ok(
              api.PATCH('/credentials/{id}', {
                params: { path: { id: of.id } },
                body: { ...common, expiresAt: end ?? NEVER },
              }),
            )
          : ok(
              api.POST('/credentials', {
                body: {
                  ...common,
                  idToken: token.trim(),
                  ...(type ? { type } : {}),
                  ...(end ? { expiresAt: end } : {}),
                },
              }),
            )
      }
      sent={changed}
      action={of ? t('action.save') : t('credential.add')}
      failed={of ? t('credential.notChanged') : t('credential.notAdded')}
      refusals={{ 409: t('credential.taken') }}
      ready={of !== undefined || token.trim() !== ''}
    >
      {(error) => (
        <>
          {!of && (
            <div className={styles.pair}>
              <TextInput
                label={t('credential.token')}
                description={t('credential.tokenHint')}
                value={token}
                onChange={(e) => setToken(e.currentTarget.value)}
                error={faultAt(error, 'idToken')}
                required
                maxLength={255}
                data-autofocus
                autoComplete="off"
                spellCheck={false}
              />
              <Select
                label={t('credential.type')}
                description={t('credential.typeHint')}
                placeholder={t('credential.anyType')}
                data={[...types]}
                value={type}
                onChange={setType}
                error={faultAt(error, 'type')}
                clearable
                clearButtonProps={{ 'aria-label': t('filter.clear') }}
              />
            </div>
          )}
          <TextInput
            label={t('credential.label')}
            description={t('credential.labelHint')}
            value={label}
            onChange={(e) => setLabel(e.currentTarget.value)}
            error={faultAt(error, 'label')}
            maxLength={100}
            autoComplete="off"
            data-autofocus={of ? true : undefined}
          />
          <div className={styles.pair}>
            <Select
              label={t('credential.state')}
              data={statuses.map((s) => ({ value: s, label: t(`credential.${s}`) }))}
              value={status}
              onChange={(v) => v && setStatus(v as Status)}
              allowDeselect={false}
            />
            <TextInput
              label={t('credential.until')}
              type="date"
              value={until}
              onChange={(e) => setUntil(e.currentTarget.value)}
              error={faultAt(error, 'expiresAt')}
            />
          </div>
          <div className={styles.pair}>
            <TextInput
              label={t('credential.group')}
              description={t('credential.groupHint')}
              value={group}
              onChange={(e) => setGroup(e.currentTarget.value)}
              error={faultAt(error, 'parentIdToken')}
              maxLength={255}
              autoComplete="off"
              spellCheck={false}
            />
            <NumberInput
              label={t('credential.atOnce')}
              description={t('credential.atOnceHint')}
              value={atOnce}
              onChange={setAtOnce}
              min={0}
              max={1000}
              allowDecimal={false}
              error={faultAt(error, 'maxConcurrent')}
            />
          </div>
        </>
      )}
    </FormDialog>
  );
}
