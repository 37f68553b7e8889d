import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { configurationQuery } from '../../api/queries';
import type { Setting, StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { Comparison, PeerSelect } from './compare';
import styles from './configuration.module.css';
import { EditSetting } from './edit-setting';
import { FetchSettings } from './fetch-settings';
import { componentOf, type Group, grouped, isVendors, keyOf, nameOf, searched } from './settings';

const route = getRouteApi('/inside/stations/$id');
/** So many rows need no folding. */
const OPEN = 150;

/** The settings of a station as it last told them: keys of 1.6, or the device model of 2.x. */
export function Configuration({ station }: { station: StationDetail }) {
  const t = useT();
  const { compare } = route.useSearch();
  const navigate = route.useNavigate();
  const mayCommand = useAllowed('stations.command');
  const { data, error, refetch } = useQuery(configurationQuery(station.id));
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const [editing, setEditing] = useState<Setting | null>(null);
  const found = useMemo(() => searched(data ?? [], wanted), [data, wanted]);
  const title = station.protocol.startsWith('ocpp2') ? t('settings2.title') : t('settings16.title');
  const newest = useMemo(() => data?.reduce((a, s) => (s.at > a ? s.at : a), '') ?? '', [data]);
  return (
    <Panel
      title={title}
      flush
      aside={
        <>
          {newest && (
            <span className="meta">
              {t('settings2.told')} <Age at={newest} />
            </span>
          )}
          {data && data.length > 0 && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() =>
                saveCsv(
                  `${station.id}-settings`,
                  ['component', 'name', 'value', 'mutability', 'at'],
                  data.map((s) => [componentOf(s), nameOf(s), s.value, s.mutability, s.at]),
                )
              }
            >
              {t('export.csv')}
            </Button>
          )}
          {mayCommand && data && data.length > 0 && <FetchSettings station={station} />}
        </>
      }
    >
      {error && !data ? (
        <Failed what={title} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={8} />
      ) : data.length === 0 ? (
        <Empty
          title={t('settings2.none')}
          action={mayCommand ? <FetchSettings station={station} primary /> : undefined}
        >
          {mayCommand ? t('settings2.noneText') : t('settings2.noneAsk')}
        </Empty>
      ) : (
        <>
          <div className={styles.filters}>
            <TextInput
              data-filter-field
              className={styles.query}
              aria-label={t('settings2.search')}
              placeholder={t('settings2.search')}
              value={text}
              onChange={(e) => setText(e.currentTarget.value)}
              leftSection={<Icon name="search" size={16} />}
            />
            <PeerSelect
              station={station}
              value={compare}
              onChange={(id) => void navigate({ search: (s) => ({ ...s, compare: id }), replace: true })}
            />
            <span className="meta num" role="status">
              {t('settings2.count', { n: found.length, of: data.length })}
            </span>
          </div>
          {compare ? (
            <Comparison station={station.id} other={compare} here={found} text={wanted} />
          ) : found.length === 0 ? (
            <Empty title={t('settings2.noMatch')}>{t('messages.noMatchText')}</Empty>
          ) : (
            <Table
              title={title}
              groups={grouped(found)}
              open={found.length <= OPEN || wanted !== ''}
              edit={mayCommand ? setEditing : undefined}
            />
          )}
        </>
      )}
      {editing && <EditSetting station={station} setting={editing} close={() => setEditing(null)} />}
    </Panel>
  );
}

function Table({
  title,
  groups,
  open,
  edit,
}: {
  title: string;
  groups: Group[];
  open: boolean;
  edit: ((s: Setting) => void) | undefined;
}) {
  const t = useT();
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const shown = (g: Group) => open !== turned.has(g.key);
  const turn = (key: string) =>
    setTurned((was) => {
      const next = new Set(was);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const tree = groups.length > 1 || groups[0]?.key !== '';
  return (
    <TableFrame label={title} className={`${styles.table} scroll`}>
      <thead>
        <tr>
          <th scope="col">{tree ? t('settings2.variable') : t('settings16.key')}</th>
          <th scope="col">{t('settings2.value')}</th>
          <th scope="col">{t('settings2.access')}</th>
          <th scope="col">{t('settings2.told')}</th>
          {edit && (
            <th scope="col">
              <span className="srOnly">{t('settings2.change')}</span>
            </th>
          )}
        </tr>
      </thead>
      {groups.map((g) => (
        <tbody key={g.key}>
          {tree && (
            <tr className={styles.group}>
              <th scope="rowgroup" colSpan={edit ? 5 : 4}>
                <button type="button" aria-expanded={shown(g)} onClick={() => turn(g.key)}>
                  <Icon name={shown(g) ? 'down' : 'right'} size={12} />
                  <span className="mono">{g.name || t('settings2.noComponent')}</span>
                  <span className="meta num">{g.settings.length}</span>
                </button>
              </th>
            </tr>
          )}
          {(!tree || shown(g)) &&
            g.settings.map((s) => <Row key={keyOf(s)} setting={s} tree={tree} edit={edit} />)}
        </tbody>
      ))}
    </TableFrame>
  );
}

function Row({
  setting: s,
  tree,
  edit,
}: {
  setting: Setting;
  tree: boolean;
  edit: ((s: Setting) => void) | undefined;
}) {
  const t = useT();
  return (
    <tr>
      <th scope="row" className={tree ? styles.leaf : undefined}>
        <span className="mono">{nameOf(s)}</span>
        {isVendors(s) && <span className={styles.vendor}>{t('settings16.vendor')}</span>}
      </th>
      <td className={styles.value}>
        {s.value === null ? (
          <span className="meta">{t('settings2.hidden')}</span>
        ) : s.value === '' ? (
          <span className="meta">{t('settings2.empty')}</span>
        ) : (
          <span className="mono">{s.value}</span>
        )}
      </td>
      <td>{s.mutability === '' ? '–' : t(`access.${s.mutability}`)}</td>
      <td>
        <Age at={s.at} />
      </td>
      {edit && (
        <td>
          {s.mutability !== 'ReadOnly' && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t('settings2.changeOne', { name: nameOf(s) })}
              onClick={() => edit(s)}
            >
              <Icon name="edit" size={14} />
            </ActionIcon>
          )}
        </td>
      )}
    </tr>
  );
}
