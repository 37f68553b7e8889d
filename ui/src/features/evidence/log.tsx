import { useQuery } from '@tanstack/react-query';
import type { MessageKey } from '../../i18n/i18n';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Failed, Skeleton } from '../../ui/panel';
import styles from './evidence.module.css';
import { type Logged, logQuery } from './queries';

const ACTS = ['ask', 'take', 'share', 'unshare', 'open', 'passcode', 'hide', 'delete'] as const;

type Detail = { link?: string; from?: string; file?: string; reason?: string };

/** Who did what with a pack: the audit log has the same and more. */
export function Log({ id }: { id: string }) {
  const t = useT();
  const { data, error, refetch } = useQuery(logQuery(id));
  return (
    <section className={styles.part}>
      <h3 className={styles.small}>{t('evidence.log')}</h3>
      {error && !data ? (
        <Failed what={t('evidence.log')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <ul className={styles.list}>
          {data.map((e) => (
            <Line key={e.seq} entry={e} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ entry: e }: { entry: Logged }) {
  const t = useT();
  const act = ACTS.find((a) => `evidence.${a}` === e.action);
  const detail = (e.detail ?? {}) as Detail;
  const guest = e.actor === 'system';
  const who = guest ? t('evidence.guest') : e.actorName || t('evidence.forgotten');
  const more = [
    detail.file,
    detail.reason && (act === 'delete' || act === 'hide') ? detail.reason : undefined,
    guest && detail.from ? t('evidence.fromAddress', { address: detail.from }) : undefined,
  ].filter(Boolean);
  return (
    <li className={styles.item}>
      <div>
        <p className={styles.text}>
          {who}: {act ? t(`evidence.act.${act}` as MessageKey) : e.action}
        </p>
        {more.length > 0 && <p className="meta">{more.join(' · ')}</p>}
      </div>
      <span className="meta">
        <Age at={e.at} />
      </span>
    </li>
  );
}
