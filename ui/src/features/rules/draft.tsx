import { Button, Select } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { DAY, exact } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { type DetectorPast, type Draft, SEVERITIES } from './queries';
import styles from './rules.module.css';

const DAYS = ['7', '30', '90'] as const;

/** Tries thresholds of a rule of security on the past before they are saved. */
export function DraftTrial({ id, draft }: { id: string; draft: Draft }) {
  const t = useT();
  const [days, setDays] = useState<string>('30');
  const run = useMutation({
    mutationFn: () => {
      const to = new Date();
      return ok(
        api.POST('/detectors/{id}/backtest', {
          params: { path: { id } },
          body: {
            ...draft,
            from: new Date(to.getTime() - Number(days) * DAY).toISOString(),
            to: to.toISOString(),
          },
        }),
      );
    },
  });
  return (
    <section className={styles.draft} aria-label={t('rules.past')}>
      <h3 className={styles.draftTitle}>{t('rules.past')}</h3>
      <div className={styles.run}>
        <Select
          aria-label={t('rules.pastSpan')}
          allowDeselect={false}
          data={DAYS.map((d) => ({ value: d, label: t('rules.lastDays', { n: Number(d) }) }))}
          value={days}
          onChange={(d) => d && setDays(d)}
        />
        <Button
          variant="default"
          leftSection={<Icon name="play" size={14} />}
          loading={run.isPending}
          onClick={() => run.mutate()}
        >
          {t('rules.try')}
        </Button>
      </div>
      <FormFault what={t('rules.notTried')} error={run.error} />
      {run.data ? <Compared past={run.data} /> : !run.error && <p className="meta">{t('rules.triedText')}</p>}
    </section>
  );
}

function Compared({ past }: { past: DetectorPast }) {
  const t = useT();
  const tag = useTag();
  const rate = new Intl.NumberFormat(tag, { maximumSignificantDigits: 2 });
  const most = Math.max(1, ...past.now.slots, ...past.then.slots);
  const missed = past.judged.filter((j) => j.verdict === 'real' && !j.then);
  const spared = past.judged.filter((j) => j.verdict === 'false' && j.now && !j.then);
  return (
    <div className={styles.result} aria-live="polite">
      <div className={styles.compared}>
        {(['now', 'then'] as const).map((k) => (
          <div key={k}>
            <p className="meta">{t(k === 'now' ? 'rules.toldNow' : 'rules.toldThen')}</p>
            <p className={styles.fired}>
              <span className="num">{count(tag, past[k].told)}</span>{' '}
              <span className="meta">{t('rules.perDay', { n: rate.format(past[k].perDay) })}</span>
            </p>
            <p className="meta num">
              {SEVERITIES.filter((s) => past[k].bySeverity[s])
                .map((s) => `${s}: ${count(tag, past[k].bySeverity[s]!)}`)
                .join(' · ') || '–'}
            </p>
            <svg
              className={styles.bars}
              viewBox="0 0 60 20"
              preserveAspectRatio="none"
              role="img"
              aria-label={t('rules.chart')}
            >
              {past[k].slots.map((n, i) => (
                <rect key={i} x={i + 0.1} width={0.8} y={20 - (n / most) * 19} height={(n / most) * 19} />
              ))}
            </svg>
          </div>
        ))}
      </div>
      <p className="meta">
        {t('rules.covered', {
          from: exact(tag, Date.parse(past.period.from)),
          to: exact(tag, Date.parse(past.period.to)),
          events: count(tag, past.events),
          ms: count(tag, past.tookMs),
        })}
      </p>
      {past.partial.map((why) => (
        <p key={why} className={styles.off}>
          <Icon name="warn" size={14} /> {t(`rules.partial.${why}` as MessageKey)}
        </p>
      ))}
      <h4 className={styles.sub}>{t('rules.judged')}</h4>
      {past.judged.length === 0 ? (
        <p className="meta">{t('rules.judgedNone')}</p>
      ) : (
        <>
          <p className={missed.length > 0 ? styles.off : undefined}>
            {missed.length > 0 && <Icon name="warn" size={14} />} {t('rules.missed', { n: missed.length })}
          </p>
          {missed.length > 0 && (
            <ul className={styles.firings}>
              {missed.slice(0, 10).map((i) => (
                <li key={i.id}>
                  <a href={`/incidents/${i.id}`}>{i.title}</a>
                  <span className="meta">{exact(tag, Date.parse(i.openedAt))}</span>
                </li>
              ))}
            </ul>
          )}
          {spared.length > 0 && <p>{t('rules.spared', { n: spared.length })}</p>}
        </>
      )}
    </div>
  );
}
