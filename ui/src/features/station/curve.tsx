import { SegmentedControl, Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { telemetryQuery } from '../../api/queries';
import type { Evse, StationDetail } from '../../api/shapes';
import { useView } from '../../app/view';
import { kilowatts } from '../../format/quantity';
import { clock, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive, useTopic } from '../../live/hooks';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import { Chart } from './chart';
import styles from './curve.module.css';
import { isRange, type LivePoint, RANGES, seriesOf } from './series';

const route = getRouteApi('/inside/stations/$id');
const MAX_LIVE = 4000;

/** Power, offer and state of charge of one port, up to this moment. */
export function Curve({ station }: { station: StationDetail }) {
  const t = useT();
  const { port } = route.useSearch();
  const { range } = useView();
  const navigate = route.useNavigate();
  const [asTable, setAsTable] = useState(false);
  const chosen =
    station.evses.find((e) => e.id === port) ?? station.evses.find((e) => e.sessionId) ?? station.evses[0];
  const name = isRange(range) ? range : '24h';
  return (
    <Panel
      title={t('curve.title')}
      aside={
        <>
          <ZoneNote />
          {station.evses.length > 1 && chosen && (
            <SegmentedControl
              size="xs"
              aria-label={t('port.name')}
              value={String(chosen.id)}
              onChange={(v) => void navigate({ search: (s) => ({ ...s, port: Number(v) }), replace: true })}
              data={station.evses.map((e) => ({ value: String(e.id), label: t('port.n', { port: e.id }) }))}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label={t('curve.range')}
            value={name}
            onChange={(v) =>
              void navigate({ search: (s) => ({ ...s, range: v === '24h' ? undefined : v }), replace: true })
            }
            data={Object.keys(RANGES).map((r) => ({ value: r, label: r.replace('h', ' h') }))}
          />
          <Switch
            size="xs"
            label={t('curve.table')}
            checked={asTable}
            onChange={(e) => setAsTable(e.currentTarget.checked)}
          />
        </>
      }
    >
      {chosen ? (
        <Series key={`${chosen.id}/${name}`} station={station} evse={chosen} range={name} asTable={asTable} />
      ) : (
        <Empty title={t('curve.noPorts')} />
      )}
    </Panel>
  );
}

type LiveLines = { power: LivePoint[]; offered: LivePoint[] };

function Series({
  station,
  evse,
  range,
  asTable,
}: {
  station: StationDetail;
  evse: Evse;
  range: keyof typeof RANGES;
  asTable: boolean;
}) {
  const t = useT();
  const { client } = useLive();
  const { ms, step } = RANGES[range];
  // History is asked again each minute; between, the feed appends.
  const to = useNow(60_000) + 60_000;
  const from = to - ms;
  const query = (measurand: string) => ({
    ...telemetryQuery(station.id, evse.id, measurand, from, to, step),
    placeholderData: keepPreviousData,
  });
  const power = useQuery(query('Power.Active.Import'));
  const offered = useQuery(query('Power.Offered'));
  const soc = useQuery(query('SoC'));
  const live = useRef<LiveLines>({ power: [], offered: [] });
  const [version, setVersion] = useState(0);
  useTopic(`station/${station.id}`, 'station', (frame) => {
    const e = frame.data.evses.find((x) => x.id === evse.id);
    if (!e) return;
    const at = (Date.now() + client.clockOffset) / 1000;
    const push = (list: LivePoint[], value: number | null) => {
      list.push({ at, value: frame.data.online ? value : null });
      if (list.length > MAX_LIVE) list.splice(0, list.length - MAX_LIVE);
    };
    push(live.current.power, e.powerW);
    push(live.current.offered, e.offeredW || null);
    setVersion((v) => v + 1);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: version says that the live points grew
  const lines = useMemo(
    () => [
      seriesOf(power.data, live.current.power, 1e-3),
      seriesOf(offered.data, live.current.offered, 1e-3),
      seriesOf(soc.data, [], 1),
    ],
    [power.data, offered.data, soc.data, version],
  );
  const now = useNow(range === '1h' ? 1000 : 10_000) + client.clockOffset;

  if (power.error && !power.data) {
    return <Failed what={t('curve.title')} error={power.error} retry={() => void power.refetch()} />;
  }
  if (!power.data) return <Skeleton rows={5} />;
  const measured = lines.some((l) => l.value.some((v) => v !== null && v > 0));
  if (!measured && evse.status !== 'Charging') {
    return <Empty title={t('curve.idle', { port: evse.id })}>{t('curve.idleText')}</Empty>;
  }
  if (!measured) {
    return (
      <Empty title={t('curve.none')}>
        {t('curve.noneText', {
          setting:
            station.protocol === 'ocpp1.6'
              ? 'MeterValuesSampledData'
              : 'SampledDataCtrlr.TxUpdatedMeasurands',
        })}
      </Empty>
    );
  }
  if (asTable) return <Table lines={lines} />;
  return <Chart lines={lines} from={(now - ms) / 1000} to={now / 1000} rated={evse.ratedW} />;
}

function Table({ lines }: { lines: ReturnType<typeof seriesOf>[] }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const times = [...new Set(lines.flatMap((l) => l.at.filter((_, i) => l.value[i] !== null)))].sort(
    (a, b) => b - a,
  );
  const at = lines.map((l) => new Map(l.at.map((x, i) => [x, l.value[i]])));
  const cell = (k: number, x: number, scale: number) => {
    const v = at[k]!.get(x);
    return v === null || v === undefined ? '–' : kilowatts(tag, v * scale);
  };
  return (
    <TableFrame label={t('curve.title')} className={`${styles.table} scroll`}>
      <thead>
        <tr>
          <th scope="col">{t('curve.time')}</th>
          <th scope="col" className={table.end}>{`${t('curve.power')} kW`}</th>
          <th scope="col" className={table.end}>{`${t('port.offered')} kW`}</th>
          <th scope="col" className={table.end}>{`${t('port.soc')} %`}</th>
        </tr>
      </thead>
      <tbody>
        {times.slice(0, 500).map((x) => (
          <tr key={x}>
            <td className="num" title={exact(tag, x * 1000, zone)}>
              {clock(tag, x * 1000, zone)}
            </td>
            <td className={`${table.end} num`}>{cell(0, x, 1000)}</td>
            <td className={`${table.end} num`}>{cell(1, x, 1000)}</td>
            <td className={`${table.end} num`}>{cell(2, x, 1000)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
