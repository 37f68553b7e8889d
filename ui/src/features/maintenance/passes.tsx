import { Button, MultiSelect, TextInput } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { exact } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Skeleton } from '../../ui/panel';
import { useZone } from '../../ui/zone';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import styles from './maintenance.module.css';
import { isOver, type OrderDetail } from './queries';

const KINDS = ['gate', 'barrier', 'door', 'cabinet', 'evse'] as const;
const DAY = 86_400_000;

const passesQuery = (order: string) =>
  queryOptions({
    queryKey: ['access', 'passes', order],
    queryFn: ({ signal }) =>
      ok(api.GET('/workorders/{id}/passes', { params: { path: { id: order } }, signal })).then(
        (p) => p.items,
      ),
  });

/** Codes for those who work on the order and have no card; they die with it. */
export function Passes({ order: o }: { order: OrderDetail }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const queries = useQueryClient();
  const mayRead = useAllowed('credentials.read');
  const mayWrite = useAllowed('credentials.write');
  const [making, setMaking] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const { data, error, refetch } = useQuery({ ...passesQuery(o.id), enabled: mayRead });
  if (!mayRead || (isOver(o) && !data?.length)) return null;
  const changed = () => queries.invalidateQueries({ queryKey: ['access'] });
  return (
    <section>
      <h3 className={styles.section}>{t('maintenance.passes')}</h3>
      {error && !data ? (
        <Failed what={t('maintenance.passes')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={1} />
      ) : (
        data.map((c) => (
          <p key={c.id} className={styles.orderMeta}>
            <Icon name="qr" size={16} />
            <span>{c.label || t('maintenance.pass')}</span>
            <span className="meta">
              {c.status === 'Accepted' && c.expiresAt
                ? t('maintenance.passUntil', { at: exact(tag, Date.parse(c.expiresAt), zone) })
                : t('maintenance.passOver')}
            </span>
            {mayWrite && c.status === 'Accepted' && (
              <Button size="xs" variant="default" onClick={() => setLink(c.id)}>
                {t('maintenance.passLink')}
              </Button>
            )}
          </p>
        ))
      )}
      {mayWrite && !isOver(o) && (
        <Button variant="default" leftSection={<Icon name="qr" size={16} />} onClick={() => setMaking(true)}>
          {t('maintenance.passMake')}
        </Button>
      )}
      {making && <Make order={o} close={() => setMaking(false)} changed={changed} />}
      {link && (
        <FormDialog
          title={t('maintenance.passLink')}
          close={() => setLink(null)}
          send={() => ok(api.POST('/credentials/{id}/link', { params: { path: { id: link } } }))}
          sent={changed}
          once={(made) => <Link path={made.link} />}
          action={t('maintenance.passLink')}
          failed={t('maintenance.notDone')}
        >
          <Effect>{t('maintenance.passLinkText')}</Effect>
        </FormDialog>
      )}
    </section>
  );
}

function Link({ path }: { path: string }) {
  const t = useT();
  const address = new URL(path, window.location.origin).href;
  return (
    <>
      <p>{t('maintenance.passSend')}</p>
      <CopyLine value={address} what={t('maintenance.passAddress')} />
      <p>
        <a href={path} target="_blank" rel="noreferrer">
          {t('maintenance.passOpen')}
        </a>
      </p>
    </>
  );
}

function Make({
  order: o,
  close,
  changed,
}: {
  order: OrderDetail;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const zone = useZone();
  const decides = useAllowed('policies.write');
  const [label, setLabel] = useState('');
  const [until, setUntil] = useState(() => toClock(Date.now() + DAY, zone));
  const [opens, setOpens] = useState<string[]>(decides && o.siteId ? ['gate', 'cabinet'] : []);
  const end = fromClock(until, zone);
  return (
    <FormDialog
      title={t('maintenance.passMake')}
      close={close}
      send={() =>
        ok(
          api.POST('/workorders/{id}/passes', {
            params: { path: { id: o.id } },
            body: { label: label.trim(), expiresAt: new Date(end).toISOString(), opens },
          }),
        )
      }
      sent={changed}
      once={(made) => <Link path={made.link} />}
      action={t('maintenance.passMake')}
      failed={t('maintenance.notDone')}
      ready={!Number.isNaN(end)}
    >
      {(error) => (
        <>
          <Effect>{t('maintenance.passText')}</Effect>
          <TextInput
            label={t('maintenance.passLabel')}
            description={t('maintenance.passLabelHint')}
            value={label}
            onChange={(e) => setLabel(e.currentTarget.value)}
            error={faultAt(error, 'label')}
            maxLength={100}
            data-autofocus
            autoComplete="off"
          />
          <TextInput
            type="datetime-local"
            label={t('maintenance.passEnd')}
            value={until}
            onChange={(e) => setUntil(e.currentTarget.value)}
            error={faultAt(error, 'expiresAt')}
            required
          />
          {decides && o.siteId && (
            <MultiSelect
              label={t('maintenance.passOpens', { site: o.siteName })}
              data={KINDS.map((k) => ({ value: k, label: t(`maintenance.passKind.${k}`) }))}
              value={opens}
              onChange={setOpens}
              error={faultAt(error, 'opens')}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
