// For who sets out now: how likely a free port is on arrival.
import { useQuery } from '@tanstack/react-query';
import { hourMinute } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useZone } from '../../ui/zone';
import styles from './forecast.module.css';
import { freeQuery } from './queries';
import { chanceOf, percent } from './units';

export function NextHour({ site }: { site: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { data, error, refetch } = useQuery(freeQuery(site));
  const title = t('forecast.free');
  if (error && !data)
    return (
      <Panel title={title}>
        <Failed what={title} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel title={title}>
        <Skeleton rows={2} />
      </Panel>
    );
  if (data.ports === 0) return null;
  const now = (
    <span className={styles.aside}>
      {t('forecast.free.now', { busy: data.busy, ports: data.ports })}
      {data.out > 0 && ` · ${t('forecast.free.out', { n: data.out })}`}
    </span>
  );
  return (
    <Panel title={title} aside={now}>
      {data.enough ? (
        <ol className={styles.odds}>
          {data.odds.map((o) => (
            <li key={o.minutes}>
              <p className="meta">
                {t('forecast.free.at', { n: o.minutes, at: hourMinute(tag, Date.parse(o.at), zone) })}
              </p>
              <p className={`${styles.figure} num`}>{percent(tag, o.free)}</p>
              <p className={styles.word}>{t(`forecast.chance.${chanceOf(o.free)}`)}</p>
              <p className="meta">{t('forecast.free.usual', { p: percent(tag, o.usual) })}</p>
            </li>
          ))}
        </ol>
      ) : (
        <p className="meta">{t('forecast.free.needs')}</p>
      )}
    </Panel>
  );
}
