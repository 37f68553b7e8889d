import { Button, SegmentedControl, Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { commandsQuery, sessionsOfTimeQuery, statesQuery, telemetryQuery } from '../../api/queries';
import type { Evse, StationDetail } from '../../api/shapes';
import { type Range, rangeText, useRange } from '../../app/view';
import { dayTime } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive, useTopic } from '../../live/hooks';
import type { Status } from '../../live/status';
import { millis } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useZone, ZoneNote } from '../../ui/zone';
import { IncidentLane } from './incident-lane';
import { type Joined, Lanes, type Moment } from './lanes';
import type { Trace } from './plot';
import { envelope, type LivePoint, seriesOf } from './series';
import { TimelineTable } from './timeline-table';
import { type Band, bandsOf, faultSpan, seriesStep, shownOf, stateStep } from './track';

const route = getRouteApi('/inside/stations/$id');
const MAX_LIVE = 4000;

/** Everything that happened at a station over one time, under one cursor. */
export function Timeline({ station }: { station: StationDetail }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { port } = route.useSearch();
  const navigate = route.useNavigate();
  const range = useRange();
  const [asTable, setAsTable] = useState(false);
  const chosen =
    station.evses.find((e) => e.id === port) ?? station.evses.find((e) => e.sessionId) ?? station.evses[0];
  return (
    <Panel
      title={
        range.span
          ? t('timeline.title')
          : t('timeline.fixed', { from: dayTime(tag, range.from, zone), to: dayTime(tag, range.to, zone) })
      }
      flush={asTable}
      aside={
        <>
          <ZoneNote />
          {range.span === null && (
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => void navigate({ search: (s) => ({ ...s, range: undefined }) })}
            >
              {t('timeline.back')}
            </Button>
          )}
          {station.evses.length > 1 && chosen && (
            <SegmentedControl
              size="xs"
              aria-label={t('port.name')}
              value={String(chosen.id)}
              onChange={(v) => void navigate({ search: (s) => ({ ...s, port: Number(v) }), replace: true })}
              data={station.evses.map((e) => ({ value: String(e.id), label: t('port.n', { port: e.id }) }))}
            />
          )}
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
        <Joint
          key={chosen.id}
          station={station}
          evse={chosen}
          range={range}
          asTable={asTable}
          zoom={(from, to) => void navigate({ search: (s) => ({ ...s, range: rangeText(from, to) }) })}
        />
      ) : (
        <Empty title={t('curve.noPorts')} />
      )}
    </Panel>
  );
}

type LiveLines = { power: LivePoint[]; offered: LivePoint[] };

function useLiveLines(station: string, evse: number): { lines: LiveLines; version: number } {
  const { client } = useLive();
  const live = useRef<LiveLines>({ power: [], offered: [] });
  const [version, setVersion] = useState(0);
  useTopic(`station/${station}`, 'station', (frame) => {
    const e = frame.data.evses.find((x) => x.id === evse);
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
  return { lines: live.current, version };
}

const none: LivePoint[] = [];

function useTraces(station: StationDetail, evse: Evse, range: Range) {
  const t = useT();
  const step = seriesStep(range.to - range.from);
  const query = (measurand: string, at = evse.id) => ({
    ...telemetryQuery(station.id, at, measurand, range.from, range.to, step),
    placeholderData: keepPreviousData,
  });
  const power = useQuery(query('Power.Active.Import'));
  const offered = useQuery(query('Power.Offered'));
  const soc = useQuery(query('SoC'));
  const warm = useQuery(query('Temperature'));
  // Many stations measure the cabinet and not the port.
  const cabinet = useQuery({ ...query('Temperature', 0), enabled: warm.data?.points.length === 0 });
  const { lines, version } = useLiveLines(station.id, evse.id);
  const moving = range.span !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: version says that the live points grew
  const traces = useMemo(() => {
    const trace = (
      name: string,
      look: Trace['look'],
      data: typeof power.data,
      tail: LivePoint[],
      scale: number,
    ): Trace => ({
      name,
      look,
      ...seriesOf(data, moving ? tail : none, scale),
      ...(look === 'dashed' ? null : envelope(data, scale)),
    });
    const warmth = warm.data?.points.length ? warm.data : cabinet.data;
    return {
      power: [
        trace(t('curve.power'), 'main', power.data, lines.power, 1e-3),
        trace(t('port.offered'), 'dashed', offered.data, lines.offered, 1e-3),
      ],
      soc: [trace(t('port.soc'), 'second', soc.data, none, 1)],
      temperature: [trace(t('timeline.temperature'), 'second', warmth, none, 1)],
    };
  }, [t, power.data, offered.data, soc.data, warm.data, cabinet.data, version, moving]);
  return { traces, error: power.error && !power.data ? power.error : null, refetch: power.refetch };
}

/** The lanes of a station around one of its ports. */
export function Joint({
  station,
  evse,
  range,
  asTable,
  zoom,
  moments,
  told,
  above,
}: {
  station: StationDetail;
  evse: Evse;
  range: Range;
  asTable: boolean;
  zoom: (from: number, to: number) => void;
  moments?: readonly Moment[];
  told?: { at: number; text: string }[];
  /** Lanes of things that can be followed, in place of the station's incidents. */
  above?: () => React.ReactNode;
}) {
  const t = useT();
  const { client } = useLive();
  const step = stateStep(range.to - range.from);
  const states = useQuery({
    ...statesQuery(station.id, range.from, range.to, step),
    placeholderData: keepPreviousData,
  });
  const sessions = useQuery({
    ...sessionsOfTimeQuery(station.id, range.from, range.to),
    placeholderData: keepPreviousData,
  });
  const commands = useQuery(commandsQuery(station.id));
  const { traces, error: noPower, refetch } = useTraces(station, evse, range);
  const now = useNow(5000) + client.clockOffset;
  const moving = range.span !== null;
  const end = Math.min(range.to, now);

  const bands = useMemo(() => {
    const of = new Map<number, Band[]>();
    for (const lane of states.data?.evses ?? []) {
      const live = station.evses.find((e) => e.id === lane.evse);
      of.set(
        lane.evse,
        bandsOf(
          lane.intervals,
          moving && live
            ? {
                status: live.status as Status,
                online: station.online,
                since: millis(station.online ? live.statusAt : station.disconnectedAt),
                now: end,
              }
            : undefined,
        ),
      );
    }
    return of;
  }, [states.data, station, moving, end]);

  const links = useMemo(
    () =>
      (states.data?.connectivity ?? []).map(
        (i): Band => ({
          from: Date.parse(i.from),
          to: Date.parse(i.to),
          status: null,
          late: false,
          family:
            i.online === null && i.observed
              ? 'unknown'
              : shownOf({ status: 'Available', online: i.online, observed: i.observed, late: false }),
        }),
      ),
    [states.data],
  );

  const joined: Joined | null = useMemo(() => {
    if (!states.data) return null;
    const inTime = (at: string) => Date.parse(at) >= range.from && Date.parse(at) <= range.to;
    return {
      ports: [...bands].map(([id, list]) => ({ id, bands: list })),
      links,
      stepSeconds: states.data.stepSeconds,
      faults: states.data.faults.map((f) => ({ ...f, ...faultSpan(f, end) })),
      faultsFrom: Date.parse(states.data.faultsFrom),
      sessions: (sessions.data ?? [])
        .filter((s) => s.evse === evse.id)
        .map((s) => ({ ...s, from: Date.parse(s.startedAt), to: s.endedAt ? Date.parse(s.endedAt) : end })),
      commands: (commands.data ?? []).filter((c) => inTime(c.requestedAt)),
      ...(told ? { told } : {}),
      ...traces,
    };
  }, [
    states.data,
    bands,
    links,
    sessions.data,
    commands.data,
    traces,
    evse.id,
    range.from,
    range.to,
    end,
    told,
  ]);

  const mayIncidents = useAllowed('incidents.read');
  if (states.error && !states.data) {
    return <Failed what={t('timeline.title')} error={states.error} retry={() => void states.refetch()} />;
  }
  if (!joined) return <Skeleton rows={6} />;
  if (asTable) {
    return <TimelineTable station={station.id} port={evse.id} joined={joined} />;
  }
  return (
    <>
      {noPower !== null && <Failed what={t('curve.title')} error={noPower} retry={() => void refetch()} />}
      <Lanes
        joined={joined}
        port={evse.id}
        rated={evse.ratedW}
        from={range.from}
        to={range.to}
        end={end}
        zoom={zoom}
        {...(moments ? { moments } : {})}
        {...(above ? { above } : {})}
        {...(!moments && mayIncidents
          ? {
              above: (size) => (
                <IncidentLane station={station.id} from={range.from} to={range.to} end={end} {...size} />
              ),
            }
          : {})}
      />
    </>
  );
}
