// Raising the security profile of a station: what it takes, and what becomes of it.
import { Button, Checkbox, Modal, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { Failed, Skeleton } from '../../ui/panel';
import styles from './proofs.module.css';
import { type Plan, planQuery, proofQuery, type Raising } from './queries';

type Need = Plan['needs'][number];

const ACTIVE = new Set<Raising['state']>(['waiting', 'setting', 'restarting', 'returning']);

export function RaiseProfile({
  id,
  profile,
  close,
  changed,
}: {
  id: string;
  profile: number;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(proofQuery(id));
  const active = data?.raising && ACTIVE.has(data.raising.state) ? data.raising : null;
  return (
    <Modal
      opened
      onClose={close}
      title={t('proofs.raise.title', { id })}
      size={592}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && !data ? (
        <Failed what={t('proofs.raise')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : active ? (
        <Running id={id} of={active} close={close} changed={changed} />
      ) : (
        <Begin id={id} profile={profile} last={data.raising} close={close} changed={changed} />
      )}
    </Modal>
  );
}

function Begin({
  id,
  profile,
  last,
  close,
  changed,
}: {
  id: string;
  profile: number;
  last: Raising | null;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const queries = useQueryClient();
  const targets = [2, 3].filter((n) => n > profile);
  const [to, setTo] = useState(targets[0] ?? 3);
  const [without, setWithout] = useState<string[]>([]);
  const { data: plan, error, refetch } = useQuery(planQuery(id, to));
  const fresh = () => queries.invalidateQueries({ queryKey: ['stations', 'security', id] });
  const install = useMutation({
    mutationFn: () =>
      ok(api.POST('/stations/{station}/security/roots', { params: { path: { station: id } }, body: {} })),
    onSettled: fresh,
  });
  const send = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/stations/{station}/security/profile', {
          params: { path: { station: id } },
          body: { profile: to as 2 | 3, without: without as ('root' | 'listener')[] },
        }),
      ),
    onSuccess: async () => {
      await Promise.all([changed(), fresh()]);
      close();
    },
  });
  const unmet = plan?.needs.filter((n) => n.state !== 'met' && !without.includes(n.name)) ?? [];
  const blocked = unmet.some((n) => !(n.name === 'root' && n.state === 'unknown'));
  return (
    <form
      className={form.form}
      onSubmit={(e) => {
        e.preventDefault();
        send.mutate();
      }}
    >
      <p className={styles.text}>{t('proofs.raise.text')}</p>
      {last && <p className="meta">{t('proofs.raise.last', { state: t(`proofs.state.${last.state}`) })}</p>}
      <Select
        label={t('security.profile')}
        data={targets.map((n) => ({
          value: String(n),
          label: `${n} – ${t(n === 2 ? 'security.profile2' : 'security.profile3')}`,
        }))}
        value={String(to)}
        onChange={(v) => {
          if (v) setTo(Number(v));
          setWithout([]);
        }}
        allowDeselect={false}
        data-autofocus
      />
      {error && !plan ? (
        <Failed what={t('proofs.needs')} error={error} retry={() => void refetch()} />
      ) : !plan ? (
        <Skeleton rows={3} />
      ) : (
        <ul className={styles.needs} aria-label={t('proofs.needs')}>
          {plan.needs.map((n) => (
            <NeedLine
              key={n.name}
              of={n}
              without={without.includes(n.name)}
              choose={(on) => setWithout((w) => (on ? [...w, n.name] : w.filter((x) => x !== n.name)))}
              {...(n.name === 'root' && n.state !== 'met'
                ? { mend: () => install.mutate(), mending: install.isPending }
                : {})}
            />
          ))}
        </ul>
      )}
      {install.data && install.data.has !== 'has' && (
        <p className="meta" role="status">
          {t(install.data.has === 'took' ? 'proofs.root.took' : 'proofs.root.not', {
            said: install.data.said,
          })}
        </p>
      )}
      <p className="meta">{t('proofs.raise.back')}</p>
      <FormFault what={t('proofs.raise.failed')} error={send.error ?? install.error} />
      <div className={form.actions}>
        <Button variant="default" onClick={close}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={send.isPending} disabled={!plan || blocked}>
          {t('proofs.raise')}
        </Button>
      </div>
    </form>
  );
}

const ICON = { met: 'check', missing: 'warn', unknown: 'clock' } as const;

function NeedLine({
  of: n,
  without,
  choose,
  mend,
  mending,
}: {
  of: Need;
  without: boolean;
  choose: (on: boolean) => void;
  mend?: () => void;
  mending?: boolean;
}) {
  const t = useT();
  return (
    <li className={styles.need} data-state={n.state}>
      <Icon name={ICON[n.state]} size={16} />
      <div>
        <p className={styles.text}>{t(`proofs.need.${n.name}`)}</p>
        {n.state !== 'met' && (
          <p className="meta">{t(n.state === 'missing' ? `proofs.missing.${n.name}` : 'proofs.unknown')}</p>
        )}
        {n.state !== 'met' && n.optional && (
          <Checkbox
            label={t('proofs.without')}
            checked={without}
            onChange={(e) => choose(e.currentTarget.checked)}
            mt={4}
          />
        )}
      </div>
      {mend && (
        <Button variant="default" size="xs" loading={mending ?? false} onClick={mend}>
          {t('proofs.root.install')}
        </Button>
      )}
    </li>
  );
}

/** What is under way, and that it can be given up. */
function Running({
  id,
  of,
  close,
  changed,
}: {
  id: string;
  of: Raising;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const stop = useMutation({
    mutationFn: () =>
      ok(api.DELETE('/stations/{station}/security/profile', { params: { path: { station: id } } })),
    onSuccess: async () => {
      await changed();
      close();
    },
  });
  return (
    <div className={form.form}>
      <p className={styles.text}>
        {t('proofs.running', { from: of.from, to: of.to, state: t(`proofs.state.${of.state}`) })}
      </p>
      {of.said !== '' && <p className="meta">{t('proofs.said', { said: of.said })}</p>}
      <p className="meta">{t('proofs.abandon.text')}</p>
      <FormFault what={t('proofs.abandon.failed')} error={stop.error} />
      <div className={form.actions}>
        <Button variant="default" onClick={() => stop.mutate()} loading={stop.isPending}>
          {t('proofs.abandon')}
        </Button>
        <Button onClick={close} data-autofocus>
          {t('action.close')}
        </Button>
      </div>
    </div>
  );
}
