import { Button } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { api, ok } from '../../api/client';
import { type MessageKey, useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon, type IconName } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { CredentialForm, type STATUSES } from './credential-form';
import { Effect, FormDialog } from './dialog';
import { type Column, List, useSought } from './list';
import { type Credential, credentialsQuery } from './queries';
import styles from './settings.module.css';
import { Expiry } from './tokens';

type Status = (typeof STATUSES)[number];

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
