import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Attempt } from '../../api/shapes';
import { sessionEnergy, text } from '../../format/quantity';
import { span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { ZoneNote } from '../../ui/zone';
import styles from './desk.module.css';
import { attemptsQuery } from './queries';

/** The last tries at a port. */
export function Tries({ station, evse }: { station: string; evse: number }) {
  const t = useT();
  return (
    <Panel title={t('tries.title')} flush aside={<ZoneNote />}>
      <List ask={{ station, evse }} none={t('tries.noneText')} />
    </Panel>
  );
}

/** The last tries with a card, wherever they were. */
export function TokenTries({ token }: { token: string }) {
  const t = useT();
  return (
    <Panel title={t('tries.ofToken')} flush aside={<ZoneNote />}>
      <List ask={{ token }} none={t('tries.noneOfToken')} places />
    </Panel>
  );
}

function List({
  ask,
  none,
  places,
}: {
  ask: Parameters<typeof attemptsQuery>[0];
  none: string;
  places?: boolean;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(attemptsQuery(ask));
  if (error && !data) return <Failed what={t('tries.title')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={5} />;
  if (data.length === 0) return <Empty title={t('tries.none')}>{none}</Empty>;
  return (
    <ol className={styles.tries}>
      {data.map((a) => (
        <Try key={`${a.station}/${a.evse}/${a.at}`} attempt={a} place={places ?? false} />
      ))}
    </ol>
  );
}

const STAGES = ['plugged', 'authorised', 'locked', 'energy'] as const;

function Try({ attempt: a, place }: { attempt: Attempt; place: boolean }) {
  const t = useT();
  const tag = useTag();
  const running = a.endedAt === null;
  const reached = STAGES.indexOf(a.stage as (typeof STAGES)[number]);
  const said =
    a.reason !== ''
      ? t(`attempt.${a.reason}`, { detail: a.detail || '–' })
      : running
        ? t(a.stage === 'energy' ? 'attempt.running' : 'attempt.waiting')
        : t('attempt.worked');
  return (
    <li className={styles.try} data-result={a.failed ? 'failed' : running ? 'running' : 'worked'}>
      <span className={styles.tryMark}>
        <Icon name={a.failed ? 'warn' : running ? 'clock' : 'check'} size={16} />
      </span>
      <div className={styles.tryBody}>
        <p className={styles.tryWords}>
          {said}
          {a.tries > 1 && <span className="meta"> {t('attempt.tries', { n: a.tries })}</span>}
        </p>
        <p className={styles.tryMeta}>
          {place && a.evse > 0 && (
            <Link to="/desk" search={{ evse: `${a.station}/${a.evse}` }} className="mono">
              {a.station}/{a.evse}
            </Link>
          )}
          {place && a.evse === 0 && <span className="mono">{a.station}</span>}
          <Age at={a.at} />
          {a.idToken && <span className="mono">{a.idToken}</span>}
          {a.remote && <span>{t('attempt.remote')}</span>}
          {a.evse === 0 && <span>{t('attempt.noPort')}</span>}
          {a.endedAt && a.stage === 'energy' && (
            <span className="num">{span(Date.parse(a.endedAt) - Date.parse(a.at))}</span>
          )}
          {a.energyWh !== null && a.energyWh > 0 && (
            <span className="num">{text(sessionEnergy(tag, a.energyWh))}</span>
          )}
        </p>
      </div>
      <span
        className={styles.stages}
        role="img"
        aria-label={t('attempt.reached', { stage: t(`stage.${a.stage}`) })}
      >
        {STAGES.map((s, i) => (
          <span key={s} data-on={i <= reached} />
        ))}
        <span className={styles.stageWord} aria-hidden="true">
          {t(`stage.${a.stage}`)}
        </span>
      </span>
    </li>
  );
}
