import { useState } from 'react';
import { text as quantityText, sessionEnergy } from '../../format/quantity';
import { span } from '../../format/time';
import { type MessageKey, type Translate, useT, useTag } from '../../i18n/i18n';
import styles from './evidence.module.css';
import { useMoment } from './header';
import type { Detail } from './shape';
import { plain } from './words';

const FEW = 8;

const NAMED = [
  'errorCode',
  'vendorErrorCode',
  'vendor',
  'info',
  'status',
  'lastedSeconds',
  'lastHeard',
  'awayMinutes',
  'connectionEnded',
  'attempts',
  'failures',
  'failedAt',
  'drivers',
  'tokens',
  'vehicles',
  'sessions',
  'energyWh',
  'trips',
  'clearedBy',
  'edges',
  'percentOfUsual',
  'usualPercent',
  'unanswered',
  'lastStatus',
] as const;

const nameOf = (t: Translate, name: string): string => {
  const known = NAMED.find((n) => n === name);
  return known ? t(`incident.fact.name.${known}` satisfies MessageKey) : plain(name);
};

const SECONDS: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400 };
const UNITS: Record<string, string> = { Celsius: '°C', Percent: '%', percent: '%' };

type Fact = Detail['evidence'][number];

function valueText(tag: string, f: Fact, moment: (at: string) => string): string {
  if (f.text) return f.text;
  if (f.value !== undefined) {
    const seconds = SECONDS[f.unit ?? ''];
    if (seconds) return span(f.value * seconds * 1000);
    if (f.unit === 'Wh') return quantityText(sessionEnergy(tag, f.value));
    const number = new Intl.NumberFormat(tag, { maximumSignificantDigits: 4 }).format(f.value);
    return f.unit ? `${number} ${UNITS[f.unit] ?? f.unit}` : number;
  }
  return f.at ? moment(f.at) : '–';
}

/** The facts that the finding stands on. What a station said is shown as it said it. */
export function Evidence({ incident: i }: { incident: Detail }) {
  const t = useT();
  const tag = useTag();
  const moment = useMoment();
  const [all, setAll] = useState(false);
  // Which entry explained it is told by the explanation.
  const facts = i.evidence.filter((f) => f.name !== 'knowledge');
  const shown = all ? facts : facts.slice(0, FEW);
  const several = new Set(facts.map((e) => e.subject)).size > 1;
  return (
    <section className={styles.evidence} aria-label={t('incident.evidence')}>
      <h3 className={styles.title}>{t('incident.evidence')}</h3>
      {facts.length === 0 ? (
        <p className="meta">{t('incident.noEvidence')}</p>
      ) : (
        <dl className={styles.facts}>
          {shown.map((f, k) => (
            <div key={k}>
              <dt>{nameOf(t, f.name)}</dt>
              <dd className="num">
                {valueText(tag, f, moment)}
                {several && (
                  <span className={`${styles.subject} mono`}>{f.subject.replace(/^station\//, '')}</span>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {facts.length > FEW && (
        <button type="button" className={styles.more} onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t('incident.fewer') : t('incident.moreEvidence', { n: facts.length - FEW })}
        </button>
      )}
      {i.findings.length > 1 && (
        <>
          <h3 className={styles.title}>{t('incident.findings', { n: i.findings.length })}</h3>
          <ul className={styles.findings}>
            {i.findings.map((f) => (
              <li key={`${f.subject} ${f.code}`}>
                <span className={styles.told}>{f.text || f.code}</span>
                <span className="meta">
                  {[
                    moment(f.since),
                    f.count > 1 && t('incident.finding.count', { n: f.count }),
                    f.until
                      ? t('incident.finding.over', { at: moment(f.until) })
                      : !f.moment && t('incident.finding.lasts'),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
