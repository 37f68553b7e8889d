import { Button, Modal, Select } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { handshakesQuery, pendingQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { count, rated } from '../../format/quantity';
import { type MessageKey, type Translate, useT, useTag } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { Export } from '../../ui/export';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import styles from './page.module.css';

/** Stations that introduced themselves and wait for a person to say yes, and those that were told no. */
export function Pending() {
  const t = useT();
  const { data, error, refetch } = useQuery(pendingQuery());
  const { data: rejected } = useQuery(rejectedQuery());
  if (error && !data) return <Failed what={t('pending.title')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  return (
    <>
      {data.length === 0 ? (
        <Empty title={t('pending.none')}>{t('pending.noneText')}</Empty>
      ) : (
        <List name={t('pending.title')} stations={data} />
      )}
      {rejected && rejected.length > 0 && (
        <>
          <h2 className={styles.section}>{t('rejected.title')}</h2>
          <List name={t('rejected.title')} stations={rejected} rejected />
        </>
      )}
    </>
  );
}

const rejectedQuery = () =>
  queryOptions({
    queryKey: ['stations', 'rejected'],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations', { params: { query: { onboarding: 'rejected', limit: 1000 } }, signal })).then(
        (p) => p.items,
      ),
    refetchInterval: 30_000,
  });

function List({ name, stations, rejected }: { name: string; stations: StationDetail[]; rejected?: boolean }) {
  const t = useT();
  const [approving, setApproving] = useState<StationDetail | null>(null);
  return (
    <>
      <div className={styles.save}>
        <Export
          saves={[
            {
              name: t('export.csv'),
              run: async () => {
                saveCsv(
                  rejected ? 'rejected' : 'waiting',
                  ['id', 'vendor', 'model', 'serial', 'protocol', 'remoteAddr', 'lastFrameAt'],
                  stations.map((s) => [
                    s.id,
                    s.vendor,
                    s.model,
                    s.serial,
                    s.protocol,
                    s.remoteAddr,
                    s.lastFrameAt,
                  ]),
                );
                return { count: stations.length, cut: false };
              },
            },
          ]}
        />
      </div>
      <TableFrame label={name}>
        <thead>
          <tr>
            <th scope="col">{t('column.station')}</th>
            <th scope="col">{t('column.model')}</th>
            <th scope="col">{t('station.serial')}</th>
            <th scope="col">{t('column.protocol')}</th>
            <th scope="col">{t('column.address')}</th>
            <th scope="col">{t('column.heard')}</th>
            <th scope="col">
              <span className="srOnly">{t('column.action')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {stations.map((s) => (
            <PendingRow key={s.id} station={s} rejected={rejected ?? false} approve={() => setApproving(s)} />
          ))}
        </tbody>
      </TableFrame>
      {approving && <Approve station={approving} close={() => setApproving(null)} />}
    </>
  );
}

function PendingRow({
  station: s,
  rejected,
  approve,
}: {
  station: StationDetail;
  rejected: boolean;
  approve: () => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const allowed = useAllowed('stations.write');
  const done = () => queries.invalidateQueries({ queryKey: ['stations'] });
  const failed = () => toast({ text: t('pending.failed'), tone: 'bad' });
  const reject = useMutation({
    mutationFn: () =>
      ok(
        api.PATCH('/stations/{station}', {
          params: { path: { station: s.id } },
          body: { onboarding: 'rejected' },
        }),
      ),
    onSuccess: () => toast({ text: t('pending.rejected', { id: s.id }) }),
    onError: failed,
    onSettled: done,
  });
  const forget = useMutation({
    mutationFn: () => ok(api.DELETE('/stations/{station}', { params: { path: { station: s.id } } })),
    onSuccess: () => toast({ text: t('pending.forgotten', { id: s.id }) }),
    onError: failed,
    onSettled: done,
  });
  return (
    <tr>
      <th scope="row" className="mono">
        {s.id}
      </th>
      <td>{[s.vendor, s.model].filter(Boolean).join(' ') || '–'}</td>
      <td className="mono">{s.serial || '–'}</td>
      <td>{s.protocol.replace('ocpp', 'OCPP ')}</td>
      <td className="mono">{s.remoteAddr || '–'}</td>
      <td>
        <Age at={s.lastFrameAt} />
      </td>
      <td className={table.end}>
        {allowed && (
          <span className={styles.rowActs}>
            <Button size="compact-sm" onClick={approve} aria-label={t('pending.approveOne', { id: s.id })}>
              {t('pending.approve')}
            </Button>
            {rejected ? (
              <Button
                size="compact-sm"
                variant="default"
                loading={forget.isPending}
                onClick={() => forget.mutate()}
                aria-label={t('pending.forgetOne', { id: s.id })}
              >
                {t('pending.forget')}
              </Button>
            ) : (
              <Button
                size="compact-sm"
                variant="default"
                loading={reject.isPending}
                onClick={() => reject.mutate()}
                aria-label={t('pending.rejectOne', { id: s.id })}
              >
                {t('pending.reject')}
              </Button>
            )}
          </span>
        )}
      </td>
    </tr>
  );
}

/** Where it stands and what it is made of, before it is let in. */
function Approve({ station: s, close }: { station: StationDetail; close: () => void }) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const toast = useToast();
  const sites = useSites();
  const [site, setSite] = useState<string | null>(s.siteId || null);
  const approve = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/stations/{station}/approve', {
          params: { path: { station: s.id } },
          body: site ? { siteId: site } : {},
        }),
      ),
    onSuccess: () => {
      toast({ text: t('pending.approved', { id: s.id }), tone: 'good' });
      close();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['stations'] }),
  });
  const most = Math.max(0, ...s.evses.map((e) => e.ratedW ?? 0));
  return (
    <Modal
      opened
      onClose={close}
      title={t('pending.approveOne', { id: s.id })}
      size={480}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        className={form.form}
        onSubmit={(e) => {
          e.preventDefault();
          approve.mutate();
        }}
      >
        <Select
          label={t('filter.site')}
          placeholder={t('site.none')}
          data={[...sites.values()].map((x) => ({ value: x.id, label: x.name || x.id }))}
          value={site}
          onChange={setSite}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
        />
        <p className="meta">
          {s.evses.length > 0 && s.layoutSource !== ''
            ? t('pending.layout', { n: s.evses.length, kw: most > 0 ? rated(tag, most) : '–' })
            : t('pending.noLayout')}
        </p>
        <FormFault what={t('pending.failed')} error={approve.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={approve.isPending}>
            {t('pending.approve')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

// The server names the reason in a few words; those we know get a whole sentence with the next step.
const reasons: [RegExp, MessageKey][] = [
  [/^unknown station$/, 'reason.unknownStation'],
  [/^wrong password$/, 'reason.wrongPassword'],
  [/^no password given$/, 'reason.noPassword'],
  [/^the address names no station/, 'reason.badIdentity'],
  [/^a browser is not/, 'reason.browser'],
  [/^stations connect with a WebSocket/, 'reason.notWebSocket'],
  [/^events cannot be stored/, 'reason.notStored'],
  [/^the identity is connected/, 'reason.taken'],
];

export function reasonWords(t: Translate, reason: string): string {
  const known = reasons.find(([pattern]) => pattern.test(reason));
  return known ? t(known[1]) : reason.charAt(0).toUpperCase() + reason.slice(1);
}

/** Attempts that were turned away, with the reason in words: the first thing an installer needs. */
/** Handshakes that were refused; of one identity where it is given. */
export function Refused({ identity }: { identity?: string }) {
  const t = useT();
  const tag = useTag();
  const { data: all, error, refetch } = useQuery(handshakesQuery());
  const data = identity === undefined ? all : all?.filter((h) => h.identity === identity);
  if (error && !data) return <Failed what={t('refused.title')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  if (data.length === 0) return <Empty title={t('refused.none')}>{t('refused.noneText')}</Empty>;
  return (
    <>
      <div className={styles.save}>
        <Export
          saves={[
            {
              name: t('export.csv'),
              run: async () => {
                saveCsv(
                  'refused',
                  ['identity', 'reason', 'words', 'remoteAddr', 'count', 'firstAt', 'lastAt'],
                  data.map((h) => [
                    h.identity,
                    h.reason,
                    reasonWords(t, h.reason),
                    h.remoteAddr,
                    h.count,
                    h.firstAt,
                    h.lastAt,
                  ]),
                );
                return { count: data.length, cut: false };
              },
            },
          ]}
        />
      </div>
      <TableFrame label={t('refused.title')}>
        <thead>
          <tr>
            <th scope="col">{t('refused.identity')}</th>
            <th scope="col">{t('refused.reason')}</th>
            <th scope="col">{t('column.address')}</th>
            <th scope="col" className={table.end}>
              {t('refused.count')}
            </th>
            <th scope="col">{t('refused.last')}</th>
          </tr>
        </thead>
        <tbody>
          {data.map((h) => (
            <tr key={`${h.identity}/${h.remoteAddr}/${h.reason}`}>
              <th scope="row" className="mono">
                {h.identity}
              </th>
              <td className={table.prose}>{reasonWords(t, h.reason)}</td>
              <td className="mono">{h.remoteAddr}</td>
              <td className={`${table.end} num`}>{count(tag, h.count)}</td>
              <td>
                <Age at={h.lastAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </>
  );
}
