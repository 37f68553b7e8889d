// Other central systems that stations are relayed to, and how it goes with them.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { Effect, FormDialog } from '../settings/dialog';
import { UpstreamForm } from './form';
import { TestDialog } from './trial';
import { added, type Trouble, UPSTREAMS, type Upstream, upstreamsQuery, why } from './upstream';
import styles from './upstreams.module.css';

type Open = { kind: 'add' } | { kind: 'edit' | 'test' | 'delete'; of: Upstream };

export default function Upstreams() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(upstreamsQuery());
  const mayWrite = useAllowed('stations.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: UPSTREAMS });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('upstreams.add')}
    </Button>
  );
  return (
    <>
      <Panel title={t('upstreams.title')} aside={data && data.length > 0 && add}>
        {error && !data ? (
          <Failed what={t('upstreams.title')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={3} />
        ) : data.length === 0 ? (
          <Empty title={t('upstreams.none')} action={add}>
            {t('upstreams.noneText')}
          </Empty>
        ) : (
          <p className={styles.lead}>{t('upstreams.lead')}</p>
        )}
      </Panel>
      {data?.map((u) => (
        <System key={u.id} of={u} mayWrite={mayWrite} open={setOpen} />
      ))}
      {open && (open.kind === 'add' || open.kind === 'edit') && (
        <UpstreamForm of={open.kind === 'edit' ? open.of : undefined} close={close} changed={changed} />
      )}
      {open?.kind === 'test' && <TestDialog of={open.of} close={close} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('upstreams.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => ok(api.DELETE('/upstreams/{id}', { params: { path: { id: open.of.id } } }))}
          sent={changed}
          action={t('upstreams.delete')}
          failed={t('upstreams.notDeleted')}
          refusals={{ 409: t('upstreams.inUse') }}
          grave
        >
          <Effect>{t('upstreams.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

const TONE: Partial<Record<Upstream['health']['state'], string | undefined>> = {
  connected: styles.ok,
  refusing: styles.failed,
  away: styles.failed,
};

/** One system: who is relayed to it, what that costs, what went wrong last. */
function System({ of: u, mayWrite, open }: { of: Upstream; mayWrite: boolean; open: (what: Open) => void }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const h = u.health;
  const quiet = h.frames === 0;
  const menu = mayWrite && (
    <ActMenu
      of={u.name}
      acts={[
        { label: t('upstreams.test'), icon: 'retry', run: () => open({ kind: 'test', of: u }) },
        { label: t('upstreams.edit'), icon: 'edit', run: () => open({ kind: 'edit', of: u }) },
        {
          label: t('upstreams.delete'),
          icon: 'trash',
          grave: true,
          run: () => open({ kind: 'delete', of: u }),
        },
      ]}
    />
  );
  const troubles = (
    [
      ['upstreams.lastLost', h.lastLost],
      ['upstreams.lastRefused', h.lastRefused],
      ['upstreams.lastUnreached', h.lastUnreached],
    ] as const
  ).filter((x): x is [(typeof x)[0], Trouble] => x[1] !== null);
  return (
    <Panel
      title={
        <>
          {u.name} <span className={`meta mono ${styles.host}`}>{u.host}</span>
        </>
      }
      aside={menu}
    >
      <p className={`${styles.state} ${TONE[h.state] ?? ''}`}>
        <Icon name={h.state === 'connected' ? 'check' : TONE[h.state] ? 'warn' : 'clock'} size={16} />
        {t(`upstreams.state.${h.state}`)}
      </p>
      <p className={styles.way}>
        {t(u.secure ? 'upstreams.secure' : 'upstreams.plain')} {t(`upstreams.proves.${u.proof}`)}
      </p>
      <dl className={styles.figures}>
        <Fact
          label={t('upstreams.stations')}
          value={count(tag, h.stations)}
          note={t('upstreams.ofEnrolled', {
            n: u.enrolled + u.observed,
            all: count(tag, u.enrolled + u.observed),
          })}
        />
        <Fact
          label={t('upstreams.added')}
          value={quiet ? '–' : added(tag, h.addedP99Seconds)}
          unit={quiet ? undefined : 'ms'}
          note={
            quiet ? t('upstreams.nothingYet') : t('upstreams.half', { ms: added(tag, h.addedP50Seconds) })
          }
        />
        <Fact label={t('upstreams.frames')} value={count(tag, h.frames)} />
        <Fact
          label={t('upstreams.gaps')}
          value={count(tag, h.gapFrames)}
          bad={h.gapFrames > 0}
          note={h.gapFrames > 0 ? t('upstreams.gapsText') : undefined}
        />
        <Fact label={t('upstreams.connects')} value={count(tag, h.connects)} />
        <Fact label={t('upstreams.losses')} value={count(tag, h.losses)} />
        <Fact label={t('upstreams.refusals')} value={count(tag, h.refusals + h.unreached)} />
      </dl>
      <p className="meta">
        {t('upstreams.since')} <Age at={h.since} />
      </p>
      {troubles.length > 0 && (
        <ul className={styles.troubles}>
          {troubles.map(([label, x]) => (
            <li key={label}>
              <span className={styles.label}>{t(label)}</span>
              <span>
                {why(t, x)} ·{' '}
                <Link to="/stations/$id" params={{ id: x.station }} className="mono">
                  {x.station}
                </Link>{' '}
                <span className="meta">
                  <Age at={x.at} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className={styles.where}>
        {u.sites.length === 0 && u.stations.length === 0 && u.observed === 0 ? (
          t('upstreams.nobody')
        ) : (
          <>
            {u.sites.length > 0 && (
              <span>{t('upstreams.sites', { n: u.sites.length, names: names(u.sites.map(siteName)) })}</span>
            )}
            {u.stations.length > 0 && (
              <span>{t('upstreams.own', { n: u.stations.length, names: names(u.stations) })}</span>
            )}
            {u.observed > 0 && (
              <span>{t('upstreams.observed', { n: u.observed, shown: count(tag, u.observed) })}</span>
            )}
          </>
        )}
      </p>
    </Panel>
  );
}

const SHOWN = 5;
const names = (list: string[]) =>
  list.length > SHOWN ? `${list.slice(0, SHOWN).join(', ')} …` : list.join(', ');

function Fact({
  label,
  value,
  unit,
  note,
  bad = false,
}: {
  label: string;
  value: string;
  unit?: string | undefined;
  note?: ReactNode;
  bad?: boolean;
}) {
  return (
    <div>
      <dt className="meta">{label}</dt>
      <dd>
        <span className={`num ${styles.value}`}>
          {bad && (
            <span className={styles.bad}>
              <Icon name="warn" size={16} />
            </span>
          )}
          {value}
          {unit && <span className="unit">{unit}</span>}
        </span>
        {note && <span className={`meta ${styles.note}`}>{note}</span>}
      </dd>
    </div>
  );
}
