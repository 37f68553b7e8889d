import { clock, day as dayOf, dayTime, exact } from '../../format/time';
import { useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { useZone } from '../../ui/zone';

/** The time of day for today, the date with it before. */
export function When({ at }: { at: number }) {
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const now = useNow(60_000) + client.clockOffset;
  return (
    <time className="num" dateTime={new Date(at).toISOString()} title={exact(tag, at, zone)}>
      {dayOf(tag, at, zone) === dayOf(tag, now, zone) ? clock(tag, at, zone) : dayTime(tag, at, zone)}
    </time>
  );
}
