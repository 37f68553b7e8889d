// Who comes again, without knowing who it is; and what did not become a session.
import { percent } from '../../format/lasting';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { BarRows } from './barrows';
import styles from './patterns.module.css';
import type { Kpis } from './shapes';
import { percentOf, told } from './tiles';

export function Visits({ of: { tokens: k, failed } }: { of: Kpis }) {
  const t = useT();
  const tag = useTag();
  const title = t('analytics.visits');
  const rows = k
    ? [
        { key: 'once', tokens: k.once, sessions: k.onceSessions },
        { key: 'few', tokens: k.few, sessions: k.fewSessions },
        { key: 'many', tokens: k.many, sessions: k.manySessions },
      ].map((r) => ({ ...r, name: t(`analytics.visits.${r.key as 'once'}`) }))
    : [];
  const share = (n: number) => (k && k.known > 0 ? n / k.known : null);
  const sum = (name: string, n: number) => (
    <div>
      <dt>{name}</dt>
      <dd className="num">{count(tag, n)}</dd>
    </div>
  );
  return (
    <ChartPanel
      title={title}
      note={t('analytics.visits.note')}
      twin={{
        file: 'visits',
        rows,
        columns: [
          {
            name: t('analytics.visits.came'),
            csv: 'came',
            words: true,
            value: (r) => r.key,
            show: (r) => r.name,
          },
          {
            name: t('analytics.col.tokens'),
            csv: 'tokens',
            value: (r) => r.tokens,
            show: (r) => count(tag, r.tokens),
          },
          {
            name: t('analytics.col.sessions'),
            csv: 'sessions',
            value: (r) => r.sessions,
            show: (r) => count(tag, r.sessions),
          },
          {
            name: t('analytics.col.share'),
            csv: 'sessions_share',
            value: (r) => share(r.sessions),
            show: (r) => told(percentOf(tag, share(r.sessions))),
          },
        ],
      }}
    >
      {!k || k.tokens === 0 ? (
        <p className={styles.notes}>{t('analytics.visits.none')}</p>
      ) : (
        <>
          {k.topTenthShare !== null && (
            <p className={styles.prime}>
              {t('analytics.visits.topTenth', { share: told(percent(tag, k.topTenthShare)) })}
            </p>
          )}
          <BarRows
            label={title}
            rows={rows.map((r) => ({
              key: r.key,
              name: r.name,
              share: share(r.sessions),
              value: told(percentOf(tag, share(r.sessions))),
              note: t('analytics.visits.of', {
                tokens: count(tag, r.tokens),
                n: r.tokens,
                sessions: count(tag, r.sessions),
              }),
            }))}
          />
        </>
      )}
      <h3 className={styles.sub}>{t('analytics.failed')}</h3>
      {failed ? (
        <>
          <dl className={styles.sums}>
            {sum(t('analytics.failed.attempts'), failed.attempts)}
            {sum(t('analytics.failed.failed'), failed.failed)}
            {sum(t('analytics.failed.gaveUp'), failed.gaveUp)}
            {sum(t('analytics.failed.without'), failed.withoutSession)}
          </dl>
          <p className={styles.notes}>{t('analytics.failed.note')}</p>
        </>
      ) : (
        <p className={styles.notes}>{t('analytics.failed.unknown')}</p>
      )}
    </ChartPanel>
  );
}
