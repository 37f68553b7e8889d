import { Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type MessageKey, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Empty } from '../../ui/panel';
import { type Column, List } from './list';
import { type Act, auditQuery } from './queries';
import styles from './settings.module.css';

/** Acts the log knows today; another is shown by the name it was written with. */
const known: Record<string, readonly string[]> = {
  bookmark: ['create', 'delete'],
  camera: [
    'change',
    'clip',
    'create',
    'delete',
    'discover',
    'forget',
    'listen',
    'probe',
    'review',
    'still',
    'try',
    'view',
    'watch',
  ],
  credential: ['create', 'delete', 'update'],
  evidence: ['ask', 'delete', 'hide', 'open', 'passcode', 'share', 'take', 'unshare'],
  kiosk: ['claim', 'create', 'delete', 'update'],
  labels: ['secret', 'secretDropped'],
  link: ['create', 'use'],
  plate: ['erase'],
  retention: ['change'],
  secondPlace: ['change', 'delete', 'test'],
  system: ['diagnostics'],
  signin: [''],
  signout: ['', 'others'],
  site: ['arming', 'create', 'delete', 'update'],
  station: ['admit', 'announce', 'approve', 'command', 'enrol', 'reject', 'remove', 'suspend', 'update'],
  token: ['create', 'delete', 'erase'],
  user: ['create', 'delete', 'password', 'reset', 'update'],
  wall: ['delete', 'first', 'save'],
};

const kinds = [
  'signin',
  'user',
  'token',
  'credential',
  'site',
  'station',
  'camera',
  'evidence',
  'kiosk',
] as const;

const kindOfAct = (action: string): string => action.split('.')[0] ?? '';

const kindOf = (action: string): string => {
  if (/^(signin|signout|link)/.test(action)) return 'signin';
  if (/^(bookmark|labels|plate|retention|secondPlace|wall)\./.test(action)) return 'camera';
  return kindOfAct(action);
};

/** What stands beside an act, without braces. */
const details = (detail: unknown): string =>
  typeof detail === 'object' && detail !== null
    ? Object.entries(detail)
        .filter(([, v]) => v !== '' && v !== null)
        .map(([k, v]) => `${k}: ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`)
        .join(', ')
    : '';

export default function Audit() {
  const t = useT();
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(auditQuery());
  const [kind, setKind] = useState<string | null>(null);
  const all = data?.pages.flatMap((p) => p.items);
  const rows = kind ? all?.filter((a) => kindOf(a.action) === kind) : all;
  const act = (a: Act): string =>
    known[kindOfAct(a.action)]?.includes(a.action.split('.').slice(1).join('.'))
      ? t(`audit.${a.action}` as MessageKey)
      : a.action;
  const who = (a: Act): string =>
    a.actor === 'system' ? t('audit.system') : a.actorName || t('audit.forgotten');
  const subject = (a: Act): ReactNode => {
    const [type, id] = a.subject.split('/');
    return type === 'station' && id ? (
      <Link to="/stations/$id" params={{ id }} className="mono">
        {id}
      </Link>
    ) : type === 'camera' && id ? (
      <Link to="/cameras" search={{ focus: id }} className="mono">
        {a.subject}
      </Link>
    ) : (
      <span className="mono">{a.subject}</span>
    );
  };
  const columns: Column<Act>[] = [
    { head: t('audit.when'), cell: (a) => <Age at={a.at} />, csv: (a) => a.at },
    {
      head: t('audit.who'),
      cell: (a) => <span className={a.actorName ? undefined : styles.off}>{who(a)}</span>,
      csv: (a) => a.actorName || a.actor,
    },
    { head: t('audit.what'), cell: act, csv: (a) => a.action },
    { head: t('audit.subject'), cell: subject, csv: (a) => a.subject },
    {
      head: t('audit.detail'),
      prose: true,
      cell: (a) => <span className="meta">{details(a.detail)}</span>,
      csv: (a) => details(a.detail),
    },
  ];
  return (
    <>
      <p className={styles.lead}>{t('audit.lead')}</p>
      <List
        title={t('settings.audit')}
        rows={rows}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(a) => String(a.seq)}
        finds={(a) => `${who(a)} ${act(a)} ${a.action} ${a.subject} ${details(a.detail)}`}
        file="audit"
        more={hasNextPage ? () => void fetchNextPage() : undefined}
        tools={
          <Select
            aria-label={t('audit.kind')}
            placeholder={t('audit.all')}
            data={kinds.map((k) => ({ value: k, label: t(`audit.kind.${k}`) }))}
            value={kind}
            onChange={setKind}
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
        }
        empty={<Empty title={t('audit.none')} />}
      />
    </>
  );
}
