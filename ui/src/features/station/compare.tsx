import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { configurationQuery, peersQuery } from '../../api/queries';
import type { Setting, StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import styles from './configuration.module.css';
import { differences, searched } from './settings';

/** Another station of the same model, which is most likely meant to be set alike. */
export function PeerSelect({
  station,
  value,
  onChange,
}: {
  station: StationDetail;
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}) {
  const t = useT();
  const { data } = useQuery({ ...peersQuery(station.vendor, station.model), enabled: station.model !== '' });
  const peers = data?.filter((s) => s.id !== station.id) ?? [];
  if (peers.length === 0 && !value) return null;
  const ids = new Set(peers.map((s) => s.id));
  return (
    <Select
      className={styles.peer}
      aria-label={t('compare.label')}
      placeholder={t('compare.label')}
      data={[
        ...peers.map((s) => ({
          value: s.id,
          label: s.label && s.label !== s.id ? `${s.id} ${s.label}` : s.id,
        })),
        ...(value && !ids.has(value) ? [{ value, label: value }] : []),
      ]}
      value={value ?? null}
      onChange={(v) => onChange(v ?? undefined)}
      searchable
      clearable
      limit={50}
      nothingFoundMessage={t('compare.noPeer')}
      clearButtonProps={{ 'aria-label': t('filter.clear') }}
    />
  );
}

/** What is set here in another way than there. */
export function Comparison({
  station,
  other,
  here,
  text,
}: {
  station: string;
  other: string;
  here: Setting[];
  text: string;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(configurationQuery(other));
  if (error && !data)
    return <Failed what={t('compare.of', { id: other })} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={4} />;
  if (data.length === 0) {
    return <Empty title={t('compare.untold', { id: other })}>{t('compare.untoldText')}</Empty>;
  }
  const found = differences(here, searched(data, text));
  if (found.length === 0)
    return <Empty title={t('compare.same', { id: other })}>{t('compare.sameText')}</Empty>;
  const cell = (s: Setting | null) =>
    s === null ? (
      <span className="meta">{t('compare.absent')}</span>
    ) : s.value === null ? (
      <span className="meta">{t('settings2.hidden')}</span>
    ) : (
      <span className="mono">{s.value || '""'}</span>
    );
  return (
    <TableFrame label={t('compare.of', { id: other })} className={`${styles.table} scroll`}>
      <thead>
        <tr>
          <th scope="col">{t('compare.differs', { n: found.length })}</th>
          <th scope="col" className="mono">
            {station}
          </th>
          <th scope="col" className="mono">
            {other}
          </th>
        </tr>
      </thead>
      <tbody>
        {found.map((d) => (
          <tr key={d.key}>
            <th scope="row" className="mono">
              {d.key.replace(/^\//, '').replace('/', ' · ')}
            </th>
            <td className={styles.value}>{cell(d.here)}</td>
            <td className={styles.value}>{cell(d.there)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
