import { Button, Select } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { count } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { SeverityShape } from '../incidents/severity';
import styles from './channels.module.css';
import { channelsQuery, type Delivery, deliveriesQuery } from './queries';
import { type ChannelsSearch, DELIVERY_STATES, type DeliveryState } from './search';

const route = getRouteApi('/inside/channels');

const changes: Record<string, MessageKey> = {
  opened: 'channels.change.opened',
  escalated: 'channels.change.escalated',
  reminder: 'channels.change.reminder',
  acknowledged: 'channels.change.acknowledged',
  repaired: 'channels.change.repaired',
  closed: 'channels.change.closed',
  reopened: 'channels.change.reopened',
  flapping: 'channels.change.flapping',
  calm: 'channels.change.calm',
  slaWarning: 'channels.change.slaWarning',
};

/** What was told to whom, newest first. */
export default function Deliveries() {
  const t = useT();
  const { channel, state } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    deliveriesQuery(channel, state),
  );
  const { data: channels } = useQuery(channelsQuery());
  const names = new Map(channels?.map((c) => [c.id, c.name]));
  const rows = data?.pages.flatMap((p) => p.items);
  const change = (part: Partial<ChannelsSearch>) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const narrowed = channel !== undefined || state !== undefined;
  return (
    <Panel
      title={t('channels.tab.deliveries')}
      flush
      aside={
        <>
          <Select
            size="xs"
            aria-label={t('channels.byChannel')}
            placeholder={t('channels.allChannels')}
            data={[
              ...(channels ?? []).map((c) => ({ value: c.id, label: c.name })),
              ...(channel && channels && !names.has(channel) ? [{ value: channel, label: channel }] : []),
            ]}
            value={channel ?? null}
            onChange={(v) => change({ channel: v ?? undefined })}
            clearable
            clearButtonProps={{ 'aria-label': t('channels.allChannels') }}
          />
          <Select
            size="xs"
            aria-label={t('channels.byState')}
            placeholder={t('channels.allStates')}
            data={DELIVERY_STATES.map((s) => ({ value: s, label: t(`channels.delivery.${s}`) }))}
            value={state ?? null}
            onChange={(v) => change({ state: DELIVERY_STATES.find((x) => x === v) })}
            clearable
            clearButtonProps={{ 'aria-label': t('channels.allStates') }}
          />
        </>
      }
    >
      {error && !data ? (
        <Failed what={t('channels.tab.deliveries')} error={error} retry={() => void refetch()} />
      ) : !rows ? (
        <Skeleton rows={8} />
      ) : rows.length === 0 ? (
        narrowed ? (
          <Empty
            title={t('channels.noMatch')}
            action={
              <Button variant="default" onClick={() => change({ channel: undefined, state: undefined })}>
                {t('channels.showAll')}
              </Button>
            }
          />
        ) : (
          <Empty title={t('channels.noDeliveries')}>
            <p className={styles.teach}>{t('channels.noDeliveriesText')}</p>
          </Empty>
        )
      ) : (
        <TableFrame label={t('channels.tab.deliveries')}>
          <thead>
            <tr>
              <th scope="col">{t('channels.col.at')}</th>
              <th scope="col">{t('channels.col.state')}</th>
              <th scope="col">{t('channels.col.channel')}</th>
              <th scope="col">{t('channels.col.incident')}</th>
              <th scope="col">{t('channels.col.change')}</th>
              <th scope="col" className={table.end}>
                {t('channels.col.attempts')}
              </th>
              <th scope="col">{t('channels.col.reason')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((d) => (
              <Row key={d.id} delivery={d} channel={names.get(d.channel) ?? t('channels.gone')} />
            ))}
          </tbody>
        </TableFrame>
      )}
      {hasNextPage && (
        <div className={styles.more}>
          <Button
            variant="subtle"
            color="gray"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t('channels.more')}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Row({ delivery: d, channel }: { delivery: Delivery; channel: string }) {
  const t = useT();
  const tag = useTag();
  const change = changes[d.change];
  return (
    <tr>
      <td>
        <Age at={d.sentAt ?? d.createdAt} />
      </td>
      <td>
        <DeliveryMark state={d.state} />
      </td>
      <td>{channel}</td>
      <th scope="row" className={styles.title} title={d.title}>
        <span className={styles.incident}>
          <SeverityShape severity={d.severity} size={14} />
          <span className="num">{d.severity}</span>
          <Link to="/incidents/$id" params={{ id: d.incident }}>
            {d.title || d.incident}
          </Link>
        </span>
      </th>
      <td>{change ? t(change) : d.change}</td>
      <td className={`${table.end} num`}>{count(tag, d.attempts)}</td>
      <td className={table.prose}>
        {d.reason || '–'}
        {d.maybeDuplicate > 0 && (
          <span className={styles.twice}>
            <Icon name="copy" size={14} />
            {t('channels.maybeTwice', { n: d.maybeDuplicate })}
          </span>
        )}
        {d.state === 'waiting' && Date.parse(d.dueAt) > Date.parse(d.createdAt) && d.attempts > 0 && (
          <span className="meta"> {t('channels.again')}</span>
        )}
      </td>
    </tr>
  );
}

function DeliveryMark({ state }: { state: DeliveryState }) {
  const t = useT();
  return (
    <span
      className={`${styles.mark} ${state === 'failed' ? styles.bad : state === 'sent' ? '' : styles.off}`}
    >
      {state === 'failed' ? (
        <StateShape family="faulted" size={14} />
      ) : (
        <Icon
          name={
            state === 'sent'
              ? 'check'
              : state === 'skipped'
                ? 'close'
                : state === 'waiting'
                  ? 'clock'
                  : 'upload'
          }
          size={14}
        />
      )}
      {t(`channels.delivery.${state}`)}
    </span>
  );
}
