import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { telemetryQuery } from '../../api/queries';
import type { Evse, Session } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { measuredSince } from './pace';
import styles from './ports.module.css';
import { withGaps } from './series';

const WIDTH = 300;
const HEIGHT = 36;

/** The power of a running session, its last hour, on the scale of the port. The timeline below has the figures. */
export function Spark({ station, evse: e, session }: { station: string; evse: Evse; session: Session }) {
  const t = useT();
  const { client } = useLive();
  const { from, to } = measuredSince(session, useNow(60_000) + client.clockOffset);
  const { data } = useQuery({
    ...telemetryQuery(station, e.id, 'Power.Active.Import', from, to, 30),
    placeholderData: keepPreviousData,
  });
  const points: [number, number][] = (data?.points ?? []).flatMap(([at, , mean]) =>
    typeof mean === 'number' ? [[Date.parse(String(at)), mean] as [number, number]] : [],
  );
  const now = Date.now() + client.clockOffset;
  if (e.powerW !== null) points.push([now, e.powerW]);
  if (points.length < 3) return null;
  const line = withGaps(
    points.map(([at, w]): [number, number] => [at / 1000, w]),
    data?.stepSeconds ?? 30,
  );
  const top = Math.max(e.ratedW ?? 0, ...points.map(([, w]) => w)) * 1.05;
  let d = '';
  let pen = false;
  line.at.forEach((at, i) => {
    const value = line.value[i];
    if (value === null || value === undefined) {
      pen = false;
      return;
    }
    const x = ((at * 1000 - from) / (to - from)) * WIDTH;
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    d += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  });
  return (
    <svg
      className={styles.spark}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t('port.spark')}
    >
      <path d={d} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
