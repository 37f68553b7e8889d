import { Drawer, SegmentedControl, Select, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { stationQuery, stationsQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { whatText, whereText } from '../incidents/words';
import { Outcome } from './outcome';
import styles from './preview.module.css';
import { openIncidentsQuery, playbooksQuery, type Where } from './queries';
import type { PlaybooksSearch } from './search';
import { nameText } from './words';

const route = getRouteApi('/inside/playbooks');

/** What a playbook would do now, at a place that is chosen. */
export function Preview({ id }: { id: string }) {
  const t = useT();
  const navigate = route.useNavigate();
  const { station, evse, incident, alone } = route.useSearch();
  const { data: all, error, refetch } = useQuery(playbooksQuery());
  const one = all?.find((p) => p.id === id);
  const change = (part: PlaybooksSearch) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const [kind, setKind] = useState<'station' | 'incident'>(incident ? 'incident' : 'station');
  const at: Where = {
    ...(incident ? { incident } : {}),
    ...(station && !incident ? { station, evse: evse ?? 0 } : {}),
    alone: alone === 1,
  };
  return (
    <Drawer
      opened
      onClose={() =>
        change({ try: undefined, station: undefined, evse: undefined, incident: undefined, alone: undefined })
      }
      position="right"
      size={560}
      title={t('playbooks.previewOf', { name: one ? nameText(t, one) : id })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {!all ? (
        error ? (
          <Failed what={t('playbooks.part')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={4} />
        )
      ) : !one ? (
        <Empty title={t('playbooks.editor.gone')}>{t('playbooks.editor.goneText')}</Empty>
      ) : (
        <div className={styles.preview}>
          <p className={styles.lead}>{t('playbooks.try.lead')}</p>
          <SegmentedControl
            aria-label={t('playbooks.try.at')}
            value={kind}
            onChange={(v) => {
              setKind(v as 'station' | 'incident');
              change({ station: undefined, evse: undefined, incident: undefined });
            }}
            data={(['station', 'incident'] as const).map((v) => ({
              value: v,
              label: t(`playbooks.try.${v}`),
            }))}
          />
          {kind === 'station' ? (
            <PickStation station={station} evse={evse} change={change} />
          ) : (
            <PickIncident incident={incident} change={change} />
          )}
          <Switch
            label={t('playbooks.try.byItself')}
            description={t('playbooks.try.byItselfHint')}
            checked={alone === 1}
            onChange={(e) => change({ alone: e.currentTarget.checked ? 1 : undefined })}
          />
          {at.incident || at.station ? (
            <Outcome of={one} at={at} />
          ) : (
            <Empty title={t('playbooks.try.choose')}>{t('playbooks.try.chooseText')}</Empty>
          )}
        </div>
      )}
    </Drawer>
  );
}

type Change = (part: PlaybooksSearch) => void;

function PickStation({
  station,
  evse,
  change,
}: {
  station: string | undefined;
  evse: number | undefined;
  change: Change;
}) {
  const t = useT();
  const { data } = useQuery(stationsQuery());
  const { data: one } = useQuery({ ...stationQuery(station ?? ''), enabled: station !== undefined });
  return (
    <div className={styles.pair}>
      <Select
        label={t('playbooks.try.pickStation')}
        data={(data ?? []).map((s) => ({
          value: s.id,
          label: s.label && s.label !== s.id ? `${s.label} (${s.id})` : s.id,
        }))}
        value={station ?? null}
        onChange={(v) => change({ station: v ?? undefined, evse: undefined, incident: undefined })}
        searchable
        limit={50}
        nothingFoundMessage={t('playbooks.try.none')}
        data-autofocus
      />
      <Select
        label={t('playbooks.try.port')}
        data={[
          { value: '0', label: t('playbooks.try.whole') },
          ...(one?.evses ?? []).map((e) => ({
            value: String(e.id),
            label: t('playbooks.try.portN', { n: e.id }),
          })),
        ]}
        value={String(evse ?? 0)}
        onChange={(v) => change({ evse: Number(v) || undefined })}
        allowDeselect={false}
        disabled={station === undefined}
      />
    </div>
  );
}

function PickIncident({ incident, change }: { incident: string | undefined; change: Change }) {
  const t = useT();
  const { data } = useQuery(openIncidentsQuery());
  return (
    <Select
      label={t('playbooks.try.pickIncident')}
      data={(data ?? [])
        .filter((i) => i.station)
        .map((i) => ({ value: i.id, label: `${i.severity} ${whatText(t, i)}, ${whereText(t, i)}` }))}
      value={incident ?? null}
      onChange={(v) => change({ incident: v ?? undefined, station: undefined, evse: undefined })}
      searchable
      limit={50}
      nothingFoundMessage={t('playbooks.try.none')}
      data-autofocus
    />
  );
}
