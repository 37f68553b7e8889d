import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './channels.module.css';
import { Devices } from './devices';
import { leadsTo } from './fields';
import { ChannelForm } from './form';
import { typeName } from './names';
import { type Channel, channelsQuery, type Tested } from './queries';

type Open = { kind: 'add' } | { kind: 'edit' | 'delete'; of: Channel };

export default function Channels() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(channelsQuery());
  const mayWrite = useAllowed('channels.write');
  const [open, setOpen] = useState<Open | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['channels'] });
  const close = () => setOpen(null);
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('channels.add')}
    </Button>
  );
  return (
    <>
      <Panel title={t('channels.tab.channels')} flush aside={data && data.length > 0 && add}>
        {error && !data ? (
          <Failed what={t('channels.tab.channels')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={5} />
        ) : data.length === 0 ? (
          <Empty title={t('channels.none')} action={add}>
            <p className={styles.teach}>{t('channels.noneText')}</p>
          </Empty>
        ) : (
          <ul className={styles.list} aria-label={t('channels.tab.channels')}>
            {data.map((c) => (
              <Row
                key={c.id}
                channel={c}
                mayWrite={mayWrite}
                changed={changed}
                edit={() => setOpen({ kind: 'edit', of: c })}
                remove={() => setOpen({ kind: 'delete', of: c })}
              />
            ))}
          </ul>
        )}
      </Panel>
      <div className={styles.below}>
        <Devices />
      </div>
      {open?.kind === 'add' && <ChannelForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <ChannelForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('channels.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => ok(api.DELETE('/channels/{id}', { params: { path: { id: open.of.id } } }))}
          sent={changed}
          action={t('channels.delete')}
          failed={t('channels.notDeleted')}
          grave
        >
          <Effect>{t('channels.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

function Row({
  channel: c,
  mayWrite,
  changed,
  edit,
  remove,
}: {
  channel: Channel;
  mayWrite: boolean;
  changed: () => unknown;
  edit: () => void;
  remove: () => void;
}) {
  const t = useT();
  const toast = useToast();
  const params = { path: { id: c.id } };
  const test = useMutation({
    mutationFn: () => ok(api.POST('/channels/{id}/test', { params })),
    onSettled: changed,
  });
  const turn = useMutation({
    mutationFn: (enabled: boolean) => ok(api.PATCH('/channels/{id}', { params, body: { enabled } })),
    onSuccess: changed,
    onError: (e) => toast({ text: t('channels.notChanged', { why: e.message }), tone: 'bad' }),
  });
  const target = c.ownerName || leadsTo(c.settings);
  return (
    <li className={styles.row} data-off={!c.enabled}>
      <div className={styles.what}>
        <p className={styles.name}>{c.name}</p>
        <p className="meta">
          {typeName(t, c.type)}
          {target && <span className={styles.target}> · {target}</span>}
        </p>
      </div>
      <div className={styles.state}>
        <State channel={c} />
        <Counts channel={c} />
      </div>
      {mayWrite && (
        <div className={styles.acts}>
          <Switch
            size="sm"
            checked={turn.isPending ? turn.variables : c.enabled}
            onChange={(e) => turn.mutate(e.currentTarget.checked)}
            aria-label={t('channels.enabledOf', { name: c.name })}
          />
          <Button
            variant="default"
            loading={test.isPending}
            onClick={() => test.mutate()}
            aria-label={t('channels.testOf', { name: c.name })}
          >
            {t('channels.test')}
          </Button>
          <ActMenu
            of={c.name}
            acts={[
              { label: t('channels.edit'), icon: 'edit', run: edit },
              { label: t('channels.delete'), icon: 'trash', run: remove, grave: true },
            ]}
          />
        </div>
      )}
      <div role="status" className={styles.result}>
        {(test.data || test.error) && (
          <Result data={test.data} error={test.error} drop={() => test.reset()} />
        )}
      </div>
    </li>
  );
}

/** What came of a test, in the words of the other side. */
function Result({ data, error, drop }: { data: Tested | undefined; error: Error | null; drop: () => void }) {
  const t = useT();
  const tag = useTag();
  return (
    <div className={styles.told}>
      {data?.ok ? (
        <Icon name="check" size={16} />
      ) : (
        <span className={styles.bad}>
          <StateShape family="faulted" size={14} />
        </span>
      )}
      <p>
        {data?.ok
          ? t('channels.testTaken', { ms: count(tag, data.durationMs) })
          : t('channels.testRefused', { why: data?.error ?? error?.message ?? '' })}
      </p>
      <Button variant="subtle" color="gray" size="compact-xs" onClick={drop}>
        {t('channels.testHide')}
      </Button>
    </div>
  );
}

function State({ channel: c }: { channel: Channel }) {
  const t = useT();
  switch (c.state) {
    case 'ok':
      return (
        <p className={styles.mark}>
          <Icon name="check" size={16} />
          <span>
            {t('channels.state.ok')} <Age at={c.okAt} />
          </span>
        </p>
      );
    case 'failing':
    case 'resting':
      return (
        <>
          <p className={`${styles.mark} ${c.state === 'failing' ? styles.bad : styles.weak}`}>
            {c.state === 'failing' ? (
              <StateShape family="faulted" size={14} />
            ) : (
              <Icon name="pause" size={16} />
            )}
            <span>
              {t(`channels.state.${c.state}`)} <Age at={c.failedAt} />
            </span>
          </p>
          <p className={`meta ${styles.why}`}>{c.failure}</p>
          {c.okAt && (
            <p className="meta">
              {t('channels.lastOk')} <Age at={c.okAt} />
            </p>
          )}
        </>
      );
    default:
      return (
        <p className={`${styles.mark} ${styles.off}`}>
          <StateShape family={c.state === 'disabled' ? 'unavailable' : 'unknown'} size={14} />
          {t(`channels.state.${c.state}`)}
        </p>
      );
  }
}

function Counts({ channel: c }: { channel: Channel }) {
  const t = useT();
  if (c.waiting === 0 && c.failed === 0) return null;
  return (
    <p className={`meta ${styles.counts}`}>
      {c.waiting > 0 && (
        <Link from="/channels" search={{ tab: 'deliveries', channel: c.id, state: 'waiting' }}>
          {t('channels.waiting', { n: c.waiting })}
        </Link>
      )}
      {c.failed > 0 && (
        <Link from="/channels" search={{ tab: 'deliveries', channel: c.id, state: 'failed' }}>
          {t('channels.failed', { n: c.failed })}
        </Link>
      )}
    </p>
  );
}
