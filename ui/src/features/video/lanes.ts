// What the timeline of the review page has lanes for, read for one stretch of time.
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { sessionsOfTimeQuery, statesQuery } from '../../api/queries';
import type { Session } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { doorName } from '../doors/door';
import { doorsQuery } from '../doors/feed';
import { type Coming, comingsQuery, type DoorSpan, doorStatesQuery } from '../doors/past';
import { type Band, bandsOf, stateStep } from '../station/track';
import type { Camera } from './camera';
import {
  type Bookmark,
  bookmarkMark,
  bookmarksQuery,
  type Condition,
  conditionsQuery,
  type Gap,
  incidentsQuery,
  type Mark,
  portsOf,
  recordedQuery,
  type Span,
  scenesQuery,
} from './past';
import { type Seen, type SeenKind, seenQuery } from './seen';
import type { Win } from './window';

export type Charge = { from: number; to: number; energyWh: number };

export type Lane = { key: string; name: string } & (
  | {
      kind: 'camera';
      camera: string;
      spans: readonly Span[] | undefined;
      gaps: readonly Gap[];
      conditions: readonly Condition[];
      marks: readonly Mark[];
      seen: readonly Seen[];
    }
  | { kind: 'port'; bands: readonly Band[]; charges: readonly Charge[] }
  | { kind: 'door'; spans: readonly DoorSpan[]; comings: readonly Coming[] }
  | { kind: 'marks'; marks: readonly Mark[] }
);

/** Ports that have a lane at most; a camera watches a few bays. */
const MOST_PORTS = 8;

/** Doors that have a lane at most; a camera sees one or two. */
const MOST_DOORS = 4;

const none: readonly never[] = [];

/** A change of window keeps what is shown of the same thing until the answer is there. */
const keep =
  (index: number) =>
  <T>(before: T | undefined, query: { queryKey: readonly unknown[] } | undefined, key: readonly unknown[]) =>
    query?.queryKey[index] === key[index] ? before : undefined;

const doorMark = (door: string, from: number, to: number, what: string): Mark => ({
  from,
  to,
  what,
  kind: 'door',
  id: `${door} ${what} ${from}`,
});

export type Read = {
  lanes: Lane[];
  /** What next and previous go to, in order of time. */
  events: readonly Mark[];
  bookmarks: readonly Bookmark[];
  /** All that was seen in this time, whatever is shown of it. */
  sights: readonly Seen[];
  /** Kinds of it. */
  seen: ReadonlySet<SeenKind>;
  recorded: readonly ({ spans: readonly Span[]; gaps: readonly Gap[] } | undefined)[];
  /** The oldest picture of any of the cameras; null: nothing was ever recorded. */
  earliest: number | null | undefined;
  failed: unknown;
  retry: () => void;
};

export function useLanes(chosen: readonly Camera[], asked: Win, only: readonly SeenKind[]): Read {
  const t = useT();
  const { from, to } = asked;
  const mayPorts = useAllowed('stations.read');
  const maySessions = useAllowed('sessions.read');
  const mayEvents = useAllowed('events.read');
  const mayPeople = useAllowed('people.read');
  const mayIncidents = useAllowed('incidents.read');
  const held = keep(1);
  const withBefore = <Q extends { queryKey: readonly unknown[] }>(q: Q) => ({
    ...q,
    // biome-ignore lint/suspicious/noExplicitAny: each query's own data
    placeholderData: (before: any, query: any) => held(before, query, q.queryKey),
  });
  const recorded = useQueries({ queries: chosen.map((c) => withBefore(recordedQuery(c.id, from, to))) });
  const scenes = useQueries({ queries: chosen.map((c) => withBefore(scenesQuery(c.id, from, to))) });
  const labels = useQueries({ queries: chosen.map((c) => withBefore(seenQuery(c.id, from, to))) });
  const conditions = useQueries({ queries: chosen.map((c) => withBefore(conditionsQuery(c.id, from, to))) });
  const sites = useMemo(() => [...new Set(chosen.map((c) => c.siteId))], [chosen]);
  const incidents = useQueries({
    queries: sites.map((s) => ({
      ...incidentsQuery(s, from, to),
      enabled: mayIncidents && s !== '',
      placeholderData: (before: Mark[] | undefined) => before,
    })),
  });
  const ids = chosen.map((c) => c.id);
  const marked = useQuery({ ...bookmarksQuery(ids, from, to), placeholderData: (before) => before });
  const ports = useMemo(() => portsOf(chosen).slice(0, MOST_PORTS), [chosen]);
  const stations = useMemo(() => [...new Set(ports.map((p) => p.station))], [ports]);
  const states = useQueries({
    queries: stations.map((s) => ({
      ...withBefore(statesQuery(s, from, to, stateStep(to - from))),
      enabled: mayPorts,
      refetchInterval: to > Date.now() - 60_000 ? 15_000 : (false as const),
    })),
  });
  const sessions = useQueries({
    queries: stations.map((s) => ({
      ...withBefore(sessionsOfTimeQuery(s, from, to)),
      enabled: maySessions,
      refetchInterval: to > Date.now() - 60_000 ? 15_000 : (false as const),
    })),
  });

  const mayDoors = useAllowed('doors.read') && mayEvents;
  const { data: everyDoor } = useQuery({ ...doorsQuery(), enabled: mayDoors });
  const doors = useMemo(
    () => (everyDoor ?? []).filter((d) => chosen.some((c) => c.id === d.cameraId)).slice(0, MOST_DOORS),
    [everyDoor, chosen],
  );
  const doorStates = useQueries({ queries: doors.map((d) => withBefore(doorStatesQuery(d.id, from, to))) });
  const comings = useQueries({
    queries: doors.map((d) => ({ ...withBefore(comingsQuery(d.id, from, to)), enabled: mayPeople })),
  });

  const bookmarks = marked.data ?? (none as readonly Bookmark[]);
  const shown = (i: number) =>
    (labels[i]?.data ?? (none as readonly Seen[])).filter((s) => only.length === 0 || only.includes(s.what));
  const lanes: Lane[] = chosen.map((c, i) => ({
    kind: 'camera',
    key: c.id,
    name: c.label || c.id,
    camera: c.id,
    spans: recorded[i]?.data?.spans,
    gaps: recorded[i]?.data?.gaps ?? none,
    conditions: conditions[i]?.data ?? none,
    marks: scenes[i]?.data ?? none,
    seen: shown(i),
  }));
  for (const p of ports) {
    const i = stations.indexOf(p.station);
    const told = states[i]?.data?.evses.find((e) => e.evse === p.evse);
    if (!told) continue;
    lanes.push({
      kind: 'port',
      key: `${p.station}/${p.evse}`,
      name: `${p.station} · ${t('port.n', { port: p.evse })}`,
      bands: bandsOf(told.intervals),
      charges: (sessions[i]?.data ?? (none as readonly Session[]))
        .filter((s) => s.evse === p.evse)
        .map((s) => ({
          from: Date.parse(s.startedAt),
          to: s.endedAt ? Date.parse(s.endedAt) : Math.min(to, Date.now()),
          energyWh: s.energyWh,
        })),
    });
  }
  for (const [i, d] of doors.entries()) {
    lanes.push({
      kind: 'door',
      key: `door/${d.id}`,
      name: doorName(d),
      spans: doorStates[i]?.data ?? none,
      comings: comings[i]?.data ?? none,
    });
  }
  const happened = incidents.flatMap((q) => q.data ?? []).sort((a, b) => a.from - b.from);
  if (mayIncidents)
    lanes.push({ kind: 'marks', key: 'incidents', name: t('nav.incidents'), marks: happened });
  if (bookmarks.length > 0) {
    lanes.push({
      kind: 'marks',
      key: 'bookmarks',
      name: t('video.marks'),
      marks: bookmarks.map(bookmarkMark),
    });
  }
  const sights = chosen.flatMap((c, i) =>
    shown(i).map(
      (s): Mark => ({
        from: s.from,
        to: s.to,
        what: s.what,
        kind: 'seen',
        id: `${c.id} ${s.what} ${s.from}`,
      }),
    ),
  );
  const atDoors = doors.flatMap((d, i): Mark[] => [
    ...(comings[i]?.data ?? (none as readonly Coming[])).map((c) =>
      doorMark(d.id, c.at, c.at, c.allowed ? 'granted' : 'denied'),
    ),
    ...(doorStates[i]?.data ?? (none as readonly DoorSpan[]))
      .filter((s) => s.state === 'forced' || s.state === 'held')
      .map((s) => doorMark(d.id, s.from, s.to, s.state)),
  ]);
  // Who asks for persons goes from person to person.
  const events = (
    only.length > 0
      ? sights
      : [
          ...scenes.flatMap((s) => s.data ?? []),
          ...sights,
          ...atDoors,
          ...happened,
          ...bookmarks.map(bookmarkMark),
        ]
  )
    .filter((m) => m.from >= from)
    .sort((a, b) => a.from - b.from);
  const broken = recorded.find((q) => q.isError && !q.data);
  const known = recorded.every((q) => q.data !== undefined);
  const first = recorded.flatMap((q) => q.data?.earliest ?? []);
  return {
    lanes,
    events,
    bookmarks,
    sights: labels.flatMap((q) => q.data ?? (none as readonly Seen[])),
    seen: new Set(labels.flatMap((q) => q.data?.map((s) => s.what) ?? [])),
    recorded: recorded.map((q) => q.data),
    earliest: known ? (first.length > 0 ? Math.min(...first) : null) : undefined,
    failed: broken?.error,
    retry: () => {
      for (const q of recorded) if (q.isError) void q.refetch();
    },
  };
}
