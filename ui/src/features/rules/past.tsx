import { Button, Select } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { DAY, dayTime, exact, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import type { Past, RuleBody } from './queries';
import styles from './rules.module.css';

const DAYS = ['1', '7', '30', '90'] as const;

/** Tries the rule on the past before it is saved. */
export function PastPanel({ body }: { body: RuleBody }) {
  const t = useT();
  const [days, setDays] = useState<string>('7');
  const run = useMutation({
    mutationFn: () => {
      const to = new Date();
      return ok(
        api.POST('/rules/backtest', {
          body: {
            rule: { ...body, name: body.name || '-', title: body.title || '-' },
            from: new Date(to.getTime() - Number(days) * DAY).toISOString(),
            to: to.toISOString(),
          },
        }),
      );
    },
  });
  return (
    <Panel title={t('rules.past')}>
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
      {run.data ? <Result past={run.data} /> : !run.error && <p className="meta">{t('rules.pastText')}</p>}
    </Panel>
  );
}

function Result({ past }: { past: Past }) {
  const t = useT();
  const tag = useTag();
  const most = Math.max(1, ...past.slots);
  const from = Date.parse(past.period.from);
  const to = Date.parse(past.period.to);
  return (
    <div className={styles.result} aria-live="polite">
      <p className={styles.fired}>{t('rules.wouldFire', { n: past.fired, places: past.subjects })}</p>
      <p className="meta">
        {t('rules.covered', {
          from: exact(tag, from),
          to: exact(tag, to),
          events: count(tag, past.events),
          ms: count(tag, past.tookMs),
        })}
      </p>
      {past.partial.map((why) => (
        <p key={why} className={styles.off}>
          <Icon name="warn" size={14} /> {t(`rules.partial.${why}` as MessageKey)}{' '}
          {why === 'switchOff' && past.off}
        </p>
      ))}
      {past.fired > 0 && (
        <svg
          className={styles.bars}
          viewBox="0 0 60 20"
          preserveAspectRatio="none"
          role="img"
          aria-label={t('rules.chart')}
        >
          {past.slots.map((n, i) => (
            <rect key={i} x={i + 0.1} width={0.8} y={20 - (n / most) * 19} height={(n / most) * 19} />
          ))}
        </svg>
      )}
      {past.incidents.length > 0 && (
        <>
          <h3 className={styles.sub}>{t('rules.onIncidents', { n: past.incidents.length })}</h3>
          <ul className={styles.firings}>
            {past.incidents.slice(0, 10).map((i) => (
              <li key={i.id}>
                <a href={`/incidents/${i.id}`}>{i.title}</a> <span className="meta">{i.severity}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {past.firings.length > 0 && (
        <>
          <h3 className={styles.sub}>{t('rules.firings')}</h3>
          <section className={styles.scroll} aria-label={t('rules.firings')} tabIndex={0}>
            <ol className={styles.firings}>
              {past.firings.slice(0, 50).map((f) => (
                <li key={`${f.subject}${f.at}`}>
                  <time className="num" dateTime={f.at} title={exact(tag, Date.parse(f.at))}>
                    {dayTime(tag, Date.parse(f.at))}
                  </time>
                  <span className="mono">{f.subject.replace(/^station\//, '')}</span>
                  <span className="meta">
                    {f.clearedAt
                      ? span(Math.max(0, Date.parse(f.clearedAt) - Date.parse(f.at)))
                      : t('rules.stillOpen')}
                  </span>
                </li>
              ))}
            </ol>
          </section>
          {past.fired > Math.min(past.firings.length, 50) && (
            <p className="meta">{t('rules.firstOnly', { n: Math.min(past.firings.length, 50) })}</p>
          )}
        </>
      )}
    </div>
  );
}
