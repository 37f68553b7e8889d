// The incidents of a station above its other lanes, each where it was wrong, as a
// link to it.
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, ok } from '../../api/client';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { SeverityShape } from '../incidents/severity';
import { type Incident, isIncident, whole } from '../incidents/shape';
import { whatText } from '../incidents/words';
import styles from './incident-lane.module.css';

const MOST = 200;
const ROWS = 3;

const incidentsOfTimeQuery = (station: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['incidents', 'station', station, from, to],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/incidents', {
          params: {
            query: {
              subject: `station/${station}`,
              from: new Date(from).toISOString(),
              to: new Date(to).toISOString(),
              children: true,
              limit: MOST,
            },
          },
          signal,
        }),
      ).then((p) => p.items.filter(isIncident).map(whole)),
    staleTime: 30_000,
  });

export type Placed = { incident: Incident; from: number; to: number; row: number };

/** Puts incidents into rows so that none covers another; what finds no room is counted. */
export function rowsOf(
  list: readonly Incident[],
  from: number,
  end: number,
  room: number,
): { placed: Placed[]; left: number } {
  const free: number[] = [];
  const placed: Placed[] = [];
  let left = 0;
  for (const incident of list.toSorted((a, b) => Date.parse(a.openedAt) - Date.parse(b.openedAt))) {
    const begin = Math.max(from, Date.parse(incident.openedAt));
    const over = Date.parse(incident.repairedAt ?? incident.closedAt ?? '');
    const to = Math.min(end, Number.isNaN(over) ? end : over);
    if (to < from || begin > end) continue;
    const row = Array.from({ length: ROWS }, (_, i) => i).find((i) => (free[i] ?? from) <= begin);
    if (row === undefined) {
      left++;
      continue;
    }
    free[row] = Math.max(to, begin + room);
    placed.push({ incident, from: begin, to: Math.max(to, begin), row });
  }
  return { placed, left };
}

export function IncidentLane({
  station,
  from,
  to,
  end,
  left,
  width,
}: {
  station: string;
  from: number;
  to: number;
  end: number;
  left: number;
  width: number;
}) {
  const t = useT();
  const { data } = useQuery({
    ...incidentsOfTimeQuery(station, from, to),
    placeholderData: keepPreviousData,
  });
  // A link is as wide as its shape at least.
  const room = ((to - from) * 18) / Math.max(100, width - left);
  const { placed, left: more } = rowsOf(data ?? [], from, Math.min(end, to), room);
  const rows = placed.reduce((n, p) => Math.max(n, p.row + 1), 1);
  const share = (at: number) => ((at - from) / (to - from)) * 100;
  return (
    <nav className={styles.lane} aria-label={t('timeline.incidents')}>
      <span className={styles.name}>{t('timeline.incidents')}</span>
      <div className={styles.track} style={{ height: rows * 24 }}>
        {data && placed.length === 0 && <span className="meta">{t('timeline.noIncidents')}</span>}
        {placed.map(({ incident: i, from: a, to: b, row }) => {
          const text = t('timeline.incident', {
            severity: i.severity,
            what: whatText(t, i),
            span: span(Math.max(0, b - a)),
          });
          return (
            <Link
              key={i.id}
              to="/incidents/$id"
              params={{ id: i.id }}
              search={{}}
              className={styles.mark}
              data-open={i.repairedAt === null && i.closedAt === null}
              title={text}
              aria-label={text}
              style={{
                left: `min(${share(a)}%, 100% - 18px)`,
                width: `${share(b) - share(a)}%`,
                top: row * 24,
              }}
            >
              <SeverityShape severity={i.severity} size={12} />
            </Link>
          );
        })}
        {more > 0 && (
          <span className={`${styles.more} meta num`}>{t('timeline.moreIncidents', { n: more })}</span>
        )}
      </div>
    </nav>
  );
}
