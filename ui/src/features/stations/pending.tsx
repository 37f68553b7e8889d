import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { handshakesQuery, pendingQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { count } from '../../format/quantity';
import { type MessageKey, type Translate, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';

/** Stations that introduced themselves and wait for a person to say yes. */
export function Pending() {
  const t = useT();
  const { data, error, refetch } = useQuery(pendingQuery());
  if (error && !data) return <Failed what={t('pending.title')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  if (data.length === 0) return <Empty title={t('pending.none')}>{t('pending.noneText')}</Empty>;
  return (
    <TableFrame label={t('pending.title')}>
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
        {data.map((s) => (
          <PendingRow key={s.id} station={s} />
        ))}
      </tbody>
    </TableFrame>
  );
}

function PendingRow({ station: s }: { station: StationDetail }) {
  const t = useT();
  const queries = useQueryClient();
  const allowed = useAllowed('stations.write');
  const approve = useMutation({
    mutationFn: () =>
      ok(api.POST('/stations/{station}/approve', { params: { path: { station: s.id } }, body: {} })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['stations'] }),
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
        {approve.error ? <span className={table.fault}>{t('pending.failed')}</span> : null}
        {allowed && (
          <Button
            size="compact-sm"
            loading={approve.isPending}
            onClick={() => approve.mutate()}
            aria-label={t('pending.approveOne', { id: s.id })}
          >
            {t('pending.approve')}
          </Button>
        )}
      </td>
    </tr>
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
export function Refused() {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(handshakesQuery());
  if (error && !data) return <Failed what={t('refused.title')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  if (data.length === 0) return <Empty title={t('refused.none')}>{t('refused.noneText')}</Empty>;
  return (
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
  );
}
