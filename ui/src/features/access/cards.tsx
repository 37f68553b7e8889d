import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { type MessageKey, useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon, type IconName } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { useToast } from '../../ui/toast';

import { CredentialForm } from '../settings/credential-form';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { Expiry } from '../settings/tokens';
import styles from './access.module.css';
import { type Credential, doorsQuery, type PersonDetail } from './queries';

const icons: Record<string, IconName> = {
  rfid: 'card',
  pin: 'key',
  pass: 'qr',
  plate: 'session',
  duress: 'warn',
};

/** The credentials of a person, and what to do when one is lost. */
export function Cards({ person: p, changed }: { person: PersonDetail; changed: () => Promise<unknown> }) {
  const t = useT();
  const mayWrite = useAllowed('credentials.write');
  const [asked, setAsked] = useState<{
    kind: 'add' | 'edit' | 'lost' | 'unblock' | 'remove';
    of?: Credential;
  } | null>(null);
  const close = () => setAsked(null);
  const of = asked?.of;
  return (
    <section>
      <h3>{t('access.credentials')}</h3>
      {p.credentials.length === 0 ? (
        <p className="meta">{t('access.noCardsText')}</p>
      ) : (
        <ul className={styles.cards}>
          {p.credentials.map((c) => (
            <li key={c.id}>
              <Icon name={icons[c.kind] ?? 'card'} size={18} />
              <span className={styles.grow}>
                <p>
                  {c.idToken ? (
                    <span className="mono">{c.idToken}</span>
                  ) : (
                    t(`access.card.${c.kind}` as MessageKey)
                  )}
                  {c.label && ` · ${c.label}`}
                </p>
                <p className="meta">
                  {t(`access.card.${c.kind}` as MessageKey)}
                  {' · '}
                  <CardState of={c} />
                  {c.expiresAt && (
                    <>
                      {' · '}
                      {t('access.validUntil')} <Expiry at={c.expiresAt} />
                    </>
                  )}
                </p>
              </span>
              {mayWrite && c.status === 'Accepted' && (
                <Button size="xs" variant="default" onClick={() => setAsked({ kind: 'lost', of: c })}>
                  {t('access.lost')}
                </Button>
              )}
              {mayWrite && (
                <ActMenu
                  of={c.label || c.idToken}
                  acts={[
                    {
                      label: t('access.editCard'),
                      icon: 'edit',
                      run: () => setAsked({ kind: 'edit', of: c }),
                    },
                    c.status !== 'Accepted' && {
                      label: t('access.unblock'),
                      icon: 'check',
                      run: () => setAsked({ kind: 'unblock', of: c }),
                    },
                    {
                      label: t('access.removeCard'),
                      icon: 'trash',
                      grave: true,
                      run: () => setAsked({ kind: 'remove', of: c }),
                    },
                  ]}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      <Codes of={p} />
      {mayWrite && (
        <Button
          mt={8}
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => setAsked({ kind: 'add' })}
        >
          {t('access.addCard')}
        </Button>
      )}
      {asked?.kind === 'add' && (
        <CredentialForm
          person={p.id}
          hasPin={p.credentials.some((c) => c.kind === 'pin')}
          close={close}
          changed={changed}
        />
      )}
      {asked?.kind === 'edit' && of && <CredentialForm of={of} close={close} changed={changed} />}
      {asked?.kind === 'lost' && of && <Lost of={of} close={close} changed={changed} />}
      {asked?.kind === 'unblock' && of && (
        <FormDialog
          title={t('access.unblockTitle', { name: of.label || of.idToken })}
          close={close}
          send={() =>
            ok(
              api.PATCH('/credentials/{id}', {
                params: { path: { id: of.id } },
                body: { status: 'Accepted' },
              }),
            )
          }
          sent={changed}
          action={t('access.unblock')}
          failed={t('access.notSaved')}
        >
          <Effect>{t('access.unblockText')}</Effect>
        </FormDialog>
      )}
      {asked?.kind === 'remove' && of && (
        <FormDialog
          title={t('access.removeCardTitle', { name: of.label || of.idToken })}
          close={close}
          send={() =>
            ok(api.DELETE('/credentials/{id}', { params: { path: { id: of.id }, query: { erase: false } } }))
          }
          sent={changed}
          action={t('access.removeCard')}
          failed={t('access.notSaved')}
          grave
        >
          <Effect>{t('access.removeCardText')}</Effect>
        </FormDialog>
      )}
    </section>
  );
}

/** Where the codes of a person are asked for: a code that no door asks for protects nothing. */
function Codes({ of: p }: { of: PersonDetail }) {
  const t = useT();
  const mayRead = useAllowed('doors.read');
  const has = p.credentials.some((c) => c.kind === 'pin');
  const { data } = useQuery({ ...doorsQuery(), enabled: mayRead && has });
  if (!has || !data) return null;
  const asks = data.filter((d) => d.asksPin || d.driver === 'mqtt');
  const duress = p.credentials.some((c) => c.kind === 'duress');
  const calls = data.filter((d) => d.driver === 'mqtt');
  return (
    <>
      {data.length > 0 && asks.length === 0 && (
        <p className={styles.weak}>
          <Icon name="warn" size={14} /> {t('access.noKeypad')}
        </p>
      )}
      {duress && (
        <p className={calls.length > 0 ? 'meta' : styles.weak}>
          {calls.length === 0 && <Icon name="warn" size={14} />}{' '}
          {calls.length > 0
            ? t('access.duressAt', { doors: calls.map((d) => d.label || d.id).join(', ') })
            : t('access.duressNowhere')}
        </p>
      )}
    </>
  );
}

function CardState({ of: c }: { of: Credential }) {
  const t = useT();
  const over = c.expiresAt && Date.parse(c.expiresAt) <= Date.now();
  if (c.status === 'Accepted' && !over) return <span>{t('access.card.good')}</span>;
  return (
    <span className={c.status === 'Blocked' ? styles.bad : styles.weak}>
      {t(
        c.status === 'Blocked'
          ? 'access.card.blocked'
          : c.status === 'Invalid'
            ? 'access.card.invalid'
            : 'access.card.expired',
      )}
    </span>
  );
}

/** A lost card is blocked and, where another is at hand, replaced in one act. */
function Lost({
  of,
  close,
  changed,
}: {
  of: Credential;
  close: () => void;
  changed: () => Promise<unknown>;
}) {
  const t = useT();
  const toast = useToast();
  const [token, setToken] = useState('');
  const replace = token.trim() !== '';
  return (
    <FormDialog
      title={t('access.lostTitle', { name: of.label || of.idToken })}
      close={close}
      send={() =>
        ok(
          api.POST('/credentials/{id}/lost', {
            params: { path: { id: of.id } },
            body: replace ? { idToken: token.trim() } : {},
          }),
        )
      }
      sent={async () => {
        toast({ text: t(replace ? 'access.lostReplaced' : 'access.lostDone') });
        await changed();
      }}
      action={t(replace ? 'access.lostReplace' : 'access.lostBlock')}
      failed={t('access.notSaved')}
      grave
    >
      {(error) => (
        <>
          <Effect>{t('access.lostText')}</Effect>
          <TextInput
            label={t('access.lostNew')}
            description={t('access.lostNewHint')}
            value={token}
            onChange={(e) => setToken(e.currentTarget.value)}
            error={faultAt(error, 'idToken')}
            maxLength={255}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        </>
      )}
    </FormDialog>
  );
}
