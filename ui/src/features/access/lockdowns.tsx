import { Button, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import { ACCESS, type Lockdown, lockdownsQuery, type Principal } from './queries';
import { ScopeFields } from './scope-fields';
import { usePrincipals, useScopeWords } from './told';
import { WhoField } from './who-field';

/** What is locked down now, above whatever else is looked at. */
export function OnAir() {
  const t = useT();
  const { what, where } = useScopeWords();
  const { data } = useQuery(lockdownsQuery());
  const active = data?.filter((x) => x.active) ?? [];
  if (active.length === 0) return null;
  return (
    <div className={styles.banner} role="status">
      <Icon name="warn" size={18} />
      <div>
        {active.map((x) => (
          <p key={x.id}>
            <strong>{t('access.lockedDown', { name: x.name })}</strong> {what(x)}, {where(x)}.{' '}
            {x.since && <Age at={x.since} />}
            {x.reason && `. ${x.reason}`}
          </p>
        ))}
      </div>
    </div>
  );
}

type Asked = { kind: 'save' | 'set' | 'drop'; of?: Lockdown } | null;

/** Named scenarios that keep people out while they are active. */
export function Lockdowns() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('policies.write');
  const { data, error, refetch } = useQuery(lockdownsQuery());
  const who = usePrincipals(data?.map((x) => x.except ?? []) ?? []);
  const { what, where } = useScopeWords();
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  const changed = () => queries.invalidateQueries({ queryKey: ACCESS });
  const add = mayWrite && (
    <Button
      variant={data?.length ? 'default' : 'filled'}
      leftSection={<Icon name="plus" size={14} />}
      onClick={() => setAsked({ kind: 'save' })}
    >
      {t('access.addLockdown')}
    </Button>
  );
  const effect = (x: Lockdown) =>
    x.except?.length
      ? t('access.lockExcept', { what: what(x), where: where(x), who: x.except.map(who).join(', ') })
      : t('access.lockAll', { what: what(x), where: where(x) });
  const of = asked?.of;
  const path = { params: { path: { id: of?.id ?? '' } } };
  return (
    <Panel title={t('access.tab.lockdowns')} flush aside={data?.length ? add : undefined}>
      {error && !data ? (
        <Failed what={t('access.tab.lockdowns')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : data.length === 0 ? (
        <Empty title={t('access.noLockdowns')} action={add}>
          {t('access.noLockdownsText')}
        </Empty>
      ) : (
        <ul className={styles.locks}>
          {data.map((x) => (
            <li key={x.id} className={styles.lock}>
              <span className={styles.grow}>
                <p className={styles.lockName}>{x.name}</p>
                <p>
                  <span className={`${styles.state} ${x.active ? styles.bad : styles.off}`}>
                    <Icon name={x.active ? 'warn' : 'check'} size={14} />
                    {t(x.active ? 'access.lockActive' : 'access.lockReady')}
                  </span>{' '}
                  {x.since && (
                    <span className="meta">
                      <Age at={x.since} />
                      {x.reason && `: ${x.reason}`}
                    </span>
                  )}
                </p>
                <p className="meta">{effect(x)}</p>
              </span>
              {mayWrite && (
                <Button
                  variant={x.active ? 'filled' : 'default'}
                  onClick={() => setAsked({ kind: 'set', of: x })}
                >
                  {t(x.active ? 'access.release' : 'access.activate')}
                </Button>
              )}
              {mayWrite && (
                <ActMenu
                  of={x.name}
                  acts={[
                    { label: t('access.edit'), icon: 'edit', run: () => setAsked({ kind: 'save', of: x }) },
                    !x.active && {
                      label: t('access.remove'),
                      icon: 'trash',
                      grave: true,
                      run: () => setAsked({ kind: 'drop', of: x }),
                    },
                  ]}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {asked?.kind === 'save' && <LockdownForm of={of} close={close} changed={changed} />}
      {asked?.kind === 'set' && of && <Switch of={of} effect={effect(of)} close={close} changed={changed} />}
      {asked?.kind === 'drop' && of && (
        <FormDialog
          title={t('access.removeTitle', { name: of.name })}
          close={close}
          send={() => ok(api.DELETE('/access/lockdowns/{id}', path))}
          sent={changed}
          action={t('access.remove')}
          failed={t('access.notRemoved')}
          grave
        >
          <Effect>{t('access.dropLockdownText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

/** Activates or releases a scenario, after saying what that does. */
function Switch({
  of,
  effect,
  close,
  changed,
}: {
  of: Lockdown;
  effect: string;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [reason, setReason] = useState('');
  const call = { params: { path: { id: of.id ?? '' } }, body: { reason: reason.trim() } };
  return (
    <FormDialog
      title={t(of.active ? 'access.releaseTitle' : 'access.activateTitle', { name: of.name })}
      close={close}
      send={() =>
        of.active
          ? ok(api.POST('/access/lockdowns/{id}/release', call))
          : ok(api.POST('/access/lockdowns/{id}/activate', call))
      }
      sent={changed}
      action={t(of.active ? 'access.release' : 'access.activate')}
      failed={t('access.notSaved')}
      grave={!of.active}
      ready={reason.trim() !== ''}
    >
      {(error) => (
        <>
          {of.active ? (
            <Effect>{t('access.releaseText')}</Effect>
          ) : (
            <>
              <Effect>{effect}</Effect>
              <Effect>{t('access.neverIn')}</Effect>
            </>
          )}
          <Textarea
            label={t('access.reason')}
            description={t('access.reasonHint')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason')}
            maxLength={500}
            required
            autosize
            minRows={2}
            data-autofocus
          />
        </>
      )}
    </FormDialog>
  );
}

function LockdownForm({
  of,
  close,
  changed,
}: {
  of: Lockdown | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [except, setExcept] = useState<Principal[]>(of?.except ?? []);
  const [scope, setScope] = useState({
    kinds: of?.kinds ?? [],
    places: of?.places ?? [],
    sites: of?.sites ?? [],
  });
  const body = { name: name.trim(), ...scope, except, active: of?.active ?? false };
  return (
    <FormDialog
      title={of ? t('access.editTitle', { name: of.name }) : t('access.addLockdown')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/access/lockdowns/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/access/lockdowns', { body }))
      }
      sent={changed}
      action={of ? t('access.save') : t('access.addLockdown')}
      failed={t('access.notSaved')}
      ready={name.trim() !== ''}
    >
      {(error) => (
        <>
          <TextInput
            label={t('access.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={100}
            required
            data-autofocus
            autoComplete="off"
          />
          <ScopeFields value={scope} change={(part) => setScope({ ...scope, ...part })} error={error} />
          <WhoField
            label={t('access.except')}
            description={t('access.exceptHint')}
            value={except}
            change={setExcept}
            anyone={false}
            error={faultAt(error, 'except')}
          />
          <p className="meta">{t('access.neverIn')}</p>
        </>
      )}
    </FormDialog>
  );
}
