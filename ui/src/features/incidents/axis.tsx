// States, power, faults, messages and commands around an incident on one axis of
// time, the same lanes as on the page of the station. A lane of pictures or doors
// is one more row of the same axis, where a site has them.
import { Button, SegmentedControl } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { stationQuery } from '../../api/queries';
import { type Range, rangeText } from '../../app/view';
import { DAY, dayMonth, HOUR, hourMinute, MINUTE } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useZone, ZoneNote } from '../../ui/zone';
import { eventWords, kindWord } from '../events/sentence';
import { ClipLanes, DoorLanes } from '../response/doorlane';
import type { Moment } from '../station/lanes';
import { type Mark, paintMarks } from '../station/paint';
import { Strip } from '../station/strip';
import { Joint } from '../station/timeline';
import { ticksOf } from '../station/track';
import styles from './axis.module.css';
import { useServerNow } from './now';
import { toldQuery } from './queries';
import type { Detail, Incident } from './shape';
import { whereText } from './words';

const BEFORE = 30 * MINUTE;
/** What is longer is first seen by its beginning. */
const LONG = 12 * HOUR;
const START = 90 * MINUTE;
type View = 'start' | 'whole';

/** From half an hour before it began to now, or shortly after its end. */
export function stretchOf(i: Pick<Incident, 'openedAt' | 'closedAt'>, view: View, now: number) {
  const from = Date.parse(i.openedAt) - BEFORE;
  const whole = i.closedAt ? Date.parse(i.closedAt) + 10 * MINUTE : Math.ceil(now / MINUTE) * MINUTE;
  const to = view === 'start' ? Math.min(whole, Date.parse(i.openedAt) + START) : whole;
  return { from, to: Math.max(to, from + HOUR) };
}

export const isLong = (i: Pick<Incident, 'openedAt' | 'closedAt'>, now: number): boolean =>
  (i.closedAt ? Date.parse(i.closedAt) : now) - Date.parse(i.openedAt) > LONG;

export function Axis({ incident: i }: { incident: Detail }) {
  const t = useT();
  const now = useServerNow(MINUTE);
  const [view, setView] = useState<View>(() => (isLong(i, now) ? 'start' : 'whole'));
  const [zoomed, setZoomed] = useState<{ from: number; to: number } | null>(null);
  const { from, to } = zoomed ?? stretchOf(i, view, now);
  const range: Range = useMemo(() => ({ span: null, from, to }), [from, to]);
  const moments = useMoments(i);
  const mayDoors = useAllowed('doors.read');
  const atSite = i.closedByVerdict && i.siteId !== '' && (mayDoors || i.cameraClips.length > 0);
  if (!i.station && i.folded.length === 0 && !atSite) return null;
  // What happens at the site belongs to what people judge.
  const site = atSite ? (
    <>
      <ClipLanes clips={i.cameraClips} from={from} to={to} />
      <DoorLanes site={i.siteId} from={from} to={to} />
    </>
  ) : null;
  return (
    <Panel
      title={t('incident.axis.title')}
      aside={
        <>
          <ZoneNote />
          {zoomed && (
            <Button size="compact-xs" variant="default" onClick={() => setZoomed(null)}>
              {t('incident.axis.back')}
            </Button>
          )}
          {isLong(i, now) && (
            <SegmentedControl
              size="xs"
              aria-label={t('incident.axis.title')}
              value={view}
              onChange={(v) => {
                setView(v as View);
                setZoomed(null);
              }}
              data={(['start', 'whole'] as const).map((v) => ({ value: v, label: t(`incident.axis.${v}`) }))}
            />
          )}
          {i.station && (
            <Link
              to="/stations/$id"
              params={{ id: i.station }}
              search={{ ...(i.evse ? { port: i.evse } : {}), range: rangeText(from, to) } as never}
              className={styles.link}
            >
              {t('incident.axis.toStation')}
            </Link>
          )}
        </>
      }
    >
      {i.station ? (
        <StationAxis
          station={i.station}
          evse={i.evse ?? 0}
          range={range}
          moments={moments}
          zoom={(a, b) => setZoomed({ from: a, to: b })}
          above={site}
        />
      ) : (
        <FoldedAxis rows={i.folded} from={from} to={to} now={now} moments={moments} above={site} />
      )}
    </Panel>
  );
}

function useMoments(i: Incident): Moment[] {
  const t = useT();
  return useMemo(
    () =>
      (
        [
          [i.openedAt, 'incident.axis.opened'],
          [i.reopenedAt, 'incident.axis.reopened'],
          [i.repairedAt, 'incident.axis.repaired'],
          [i.closedAt, 'incident.axis.closed'],
        ] as const
      ).flatMap(([at, key]) => (at ? [{ at: Date.parse(at), name: t(key) }] : [])),
    [i.openedAt, i.reopenedAt, i.repairedAt, i.closedAt, t],
  );
}

/** What the station said in a time, oldest first. */
function useTold(station: string, range: Range) {
  const t = useT();
  const { data } = useQuery({
    ...toldQuery(station, range.from, range.to),
    placeholderData: keepPreviousData,
  });
  return useMemo(
    () =>
      (data ?? []).map((e) => ({
        at: Date.parse(e.at),
        text: [kindWord(t, e.kind), eventWords(t, e)].filter(Boolean).join(': '),
      })),
    [data, t],
  );
}

function StationAxis({
  station: id,
  evse,
  range,
  moments,
  zoom,
  above,
}: {
  station: string;
  evse: number;
  range: Range;
  moments: readonly Moment[];
  zoom: (from: number, to: number) => void;
  above: ReactNode;
}) {
  const t = useT();
  const { data: station, error, refetch } = useQuery(stationQuery(id));
  const told = useTold(id, range);
  if (error && !station)
    return <Failed what={t('incident.axis.failed')} error={error} retry={() => void refetch()} />;
  if (!station) return <Skeleton rows={6} />;
  const port = station.evses.find((e) => e.id === evse) ?? station.evses[0];
  if (!port) return <p className="meta">{t('incident.axis.noPorts')}</p>;
  return (
    <Joint
      key={port.id}
      station={station}
      evse={port}
      range={range}
      asTable={false}
      zoom={zoom}
      moments={moments}
      told={told}
      {...(above ? { above: () => above } : {})}
    />
  );
}

const MOST_LANES = 24;

/** Each incident of a common cause as one lane: when it broke, when it came back. */
function FoldedAxis({
  rows,
  from,
  to,
  now,
  moments,
  above,
}: {
  rows: readonly Incident[];
  from: number;
  to: number;
  now: number;
  moments: readonly Moment[];
  above: ReactNode;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const ticks = useMemo(() => ticksOf(from, to, zone, 5), [from, to, zone]);
  const share = (at: number) => `${((at - from) / (to - from)) * 100}%`;
  const lanes = useMemo(
    () =>
      rows.slice(0, MOST_LANES).map((r) => ({
        id: r.id,
        name: whereText(t, r),
        marks: [
          {
            from: Date.parse(r.openedAt),
            to: Date.parse(r.repairedAt ?? r.closedAt ?? '') || now,
            form: 'fault',
          },
        ] satisfies Mark[],
      })),
    [rows, now, t],
  );
  return (
    <div className={styles.folded}>
      <div className={styles.moments} aria-hidden="true">
        {moments
          .filter((m) => m.at >= from && m.at <= to)
          .map((m) => (
            <span key={m.name} style={{ left: share(m.at) }}>
              {m.name}
            </span>
          ))}
      </div>
      {above}
      {lanes.map((l) => (
        <div key={l.id} className={styles.lane}>
          <span className={styles.name}>{l.name}</span>
          <Strip items={l.marks} from={from} to={to} paint={paintMarks} />
        </div>
      ))}
      <div className={styles.axis} aria-hidden="true">
        {ticks.at.map((x) => (
          <span key={x} style={{ left: share(x) }}>
            {ticks.step >= DAY ? dayMonth(tag, x, zone) : hourMinute(tag, x, zone)}
          </span>
        ))}
      </div>
      {rows.length > MOST_LANES && (
        <p className="meta">{t('incident.axis.more', { n: rows.length - MOST_LANES })}</p>
      )}
    </div>
  );
}
