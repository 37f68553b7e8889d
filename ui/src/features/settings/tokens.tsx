import { Button, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { tokensQuery } from '../../api/queries';
import type { Token } from '../../api/shapes';
import { DAY, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog, faultAt, Once } from './dialog';
import { type GrantDraft, Grants, grantsSent, useRoleNames, useSitesOf } from './grants';
import { type Column, List } from './list';
import styles from './settings.module.css';

export default function Tokens() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(tokensQuery());
  const mayWrite = useAllowed('tokens.write');
  const roles = useRoleNames();
  const sites = useSitesOf();
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['tokens'] });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
      {t('token.add')}
    </Button>
  );
  const columns: Column<Token>[] = [
    { head: t('signin.name'), cell: (k) => k.name, csv: (k) => k.name },
    { head: t('user.role'), cell: (k) => roles(k.grants), csv: (k) => roles(k.grants) },
    { head: t('settings.sites'), prose: true, cell: (k) => sites(k.grants), csv: (k) => sites(k.grants) },
    { head: t('token.used'), cell: (k) => <Age at={k.usedAt} />, csv: (k) => k.usedAt },
    { head: t('token.expires'), cell: (k) => <Expiry at={k.expiresAt} />, csv: (k) => k.expiresAt },
    { head: t('user.created'), cell: (k) => <Age at={k.createdAt} />, csv: (k) => k.createdAt },
  ];
  return (
    <>
      <List
        title={t('settings.tokens')}
        aside={add}
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(k) => k.id}
        finds={(k) => `${k.name} ${roles(k.grants)} ${sites(k.grants)}`}
        file="tokens"
        empty={
          <Empty title={t('token.none')} action={add}>
            {t('token.noneText')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (k: Token) => (
                <ActMenu
                  of={k.name}
                  acts={[{ label: t('token.revoke'), icon: 'trash', grave: true, run: () => setRevoking(k) }]}
                />
              ),
            }
          : {})}
      />
      {adding && <AddToken close={() => setAdding(false)} changed={changed} />}
      {revoking && (
        <FormDialog
          title={t('token.revokeTitle', { name: revoking.name })}
          close={() => setRevoking(null)}
          send={() => ok(api.DELETE('/tokens/{id}', { params: { path: { id: revoking.id } } }))}
          sent={changed}
          action={t('token.revoke')}
          failed={t('token.notRevoked')}
          reauth
          grave
        >
          <Effect>{t('token.revokeText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

export function Expiry({ at }: { at: string | null }) {
  const t = useT();
  const tag = useTag();
  if (!at) return <span className={styles.off}>{t('token.never')}</span>;
  const gone = Date.parse(at) < Date.now();
  return (
    <time className={gone ? styles.weak : 'num'} dateTime={at} title={exact(tag, Date.parse(at))}>
      {gone && `${t('token.over')} `}
      {new Intl.DateTimeFormat(tag, { dateStyle: 'medium' }).format(Date.parse(at))}
    </time>
  );
}

const lives = [30, 90, 365, 0] as const;

function AddToken({ close, changed }: { close: () => void; changed: () => unknown }) {
  const t = useT();
  const [name, setName] = useState('');
  const [grants, setGrants] = useState<GrantDraft[]>([{ role: 'viewer', sites: [] }]);
  const [days, setDays] = useState('365');
  return (
    <FormDialog
      title={t('token.add')}
      close={close}
      send={() =>
        ok(
          api.POST('/tokens', {
            body: {
              name: name.trim(),
              grants: grantsSent(grants),
              ...(days === '0' ? {} : { expiresAt: new Date(Date.now() + Number(days) * DAY).toISOString() }),
            },
          }),
        )
      }
      sent={changed}
      once={(made) => <Once what={t('token.value')} value={made.token} note={t('token.once')} />}
      action={t('token.add')}
      failed={t('token.failed')}
      ready={name.trim() !== ''}
      reauth
    >
      {(error) => (
        <>
          <TextInput
            label={t('signin.name')}
            description={t('token.nameHint')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            required
            maxLength={64}
            data-autofocus
            autoComplete="off"
          />
          <Grants grants={grants} change={setGrants} />
          <Select
            label={t('token.life')}
            data={lives.map((d) => ({
              value: String(d),
              label: d === 0 ? t('token.forever') : t('token.days', { n: d }),
            }))}
            value={days}
            onChange={(v) => v && setDays(v)}
            allowDeselect={false}
          />
        </>
      )}
    </FormDialog>
  );
}
