import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { SeverityShape } from '../incidents/severity';
import { plain } from '../incidents/words';
import styles from './maintenance.module.css';
import { inspectQuery, type Score, scoresQuery, type Warning } from './queries';

/** Early warnings: what to look at before drivers notice. */
export function Inspect({
  site,
  create,
}: {
  site: string | undefined;
  create: ((incident: string) => void) | undefined;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(inspectQuery(site));
  if (error && !data)
    return (
      <Panel>
        <Failed what={t('maintenance.tab.inspect')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel>
        <Skeleton rows={6} />
      </Panel>
    );
  if (data.items.length === 0)
    return (
      <Panel>
        <Empty title={t('maintenance.nothingToInspect')}>{t('maintenance.nothingToInspectText')}</Empty>
      </Panel>
    );
  return (
    <ul className={styles.warnings}>
      {data.items.map((w) => (
        <li key={`${w.incident} ${w.detector} ${w.station} ${w.evse}`}>
          <Warned warning={w} create={create} />
        </li>
      ))}
    </ul>
  );
}

function Warned({
  warning: w,
  create,
}: {
  warning: Warning;
  create: ((incident: string) => void) | undefined;
}) {
  const t = useT();
  const tag = useTag();
  return (
    <Panel>
      <div className={styles.warning}>
        <div>
          <p className={styles.cardTop}>
            <SeverityShape severity={w.severity} size={14} />
            <Link to="/stations/$id" params={{ id: w.station }} search={{ port: w.evse || undefined }}>
              {w.stationLabel || w.station}
              {w.evse > 0 && `, ${t('maintenance.port', { port: w.evse })}`}
            </Link>
            <span className="meta">{w.siteName}</span>
          </p>
          <p className={styles.cardTitle}>{w.text}</p>
          <p className="meta">
            {t('maintenance.since')} <Age at={w.since} /> · {w.detector}
          </p>
        </div>
        <dl className={styles.evidence}>
          {w.evidence
            .filter((e) => e.value !== undefined || e.text)
            .map((e) => (
              <div key={e.name}>
                <dt>{plain(e.name)}</dt>
                <dd className="num">
                  {e.value !== undefined ? (
                    <>
                      {new Intl.NumberFormat(
                        tag,
                        Math.abs(e.value) >= 100
                          ? { maximumFractionDigits: 1 }
                          : { maximumSignificantDigits: 3 },
                      ).format(e.value)}
                      <span className={styles.unit}> {e.unit === 'Percent' ? '%' : e.unit}</span>
                    </>
                  ) : (
                    e.text
                  )}
                </dd>
              </div>
            ))}
        </dl>
        <div className={styles.warningActs}>
          {create && (
            <Button variant="default" onClick={() => create(w.incident)}>
              {t('maintenance.create')}
            </Button>
          )}
          <Link to="/incidents/$id" params={{ id: w.incident }} search={{}}>
            {t('maintenance.incident')}
          </Link>
        </div>
      </div>
    </Panel>
  );
}

/** How well each station is, and what takes from it. */
export function Scores({ site }: { site: string | undefined }) {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(scoresQuery(site));
  if (error && !data)
    return (
      <Panel>
        <Failed what={t('maintenance.tab.scores')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel>
        <Skeleton rows={8} />
      </Panel>
    );
  const sick = data.items.filter((s) => s.score < 100);
  const well = data.items.length - sick.length;
  return (
    <>
      <p className={styles.explain}>{t('maintenance.scoreText')}</p>
      {sick.length === 0 && (
        <Panel>
          <Empty title={t('maintenance.allWell')}>{t('maintenance.allWellText')}</Empty>
        </Panel>
      )}
      <ul className={styles.warnings}>
        {sick.map((s) => (
          <li key={s.station}>
            <Scored score={s} />
          </li>
        ))}
      </ul>
      {sick.length > 0 && (
        <p className="meta">
          {data.nextCursor
            ? t('maintenance.worst', { n: count(tag, data.items.length) })
            : t('maintenance.well', { n: well })}
        </p>
      )}
    </>
  );
}

function Scored({ score: s }: { score: Score }) {
  const t = useT();
  const tag = useTag();
  return (
    <Panel>
      <div className={styles.scored}>
        <p className={`${styles.figure} num`}>
          <span className="srOnly">{t('maintenance.score')} </span>
          {count(tag, s.score)}
        </p>
        <div className={styles.scoredBody}>
          <p className={styles.cardTop}>
            <Link to="/stations/$id" params={{ id: s.station }} search={{}}>
              {s.stationLabel || s.station}
            </Link>
            <span className="meta">{s.siteName}</span>
          </p>
          {s.ports
            .filter((p) => p.penalties.length > 0)
            .map((p) => (
              <div key={p.evse}>
                <p className={styles.portScore}>
                  {p.evse > 0 ? t('maintenance.port', { port: p.evse }) : t('maintenance.whole')}{' '}
                  <span className="num">{count(tag, p.score)}</span>
                </p>
                <ul className={styles.penalties}>
                  {p.penalties.map((x) => (
                    <li key={x.incident}>
                      <span className={`${styles.points} num`}>
                        {t('maintenance.minus', {
                          n: new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(x.points),
                        })}
                      </span>
                      <SeverityShape severity={x.severity} size={12} />
                      <Link to="/incidents/$id" params={{ id: x.incident }} search={{}}>
                        {x.title}
                      </Link>
                      <span className="meta">
                        {t(`maintenance.penalty.${x.state}`)} <Age at={x.recoveredAt ?? x.since} />
                      </span>
                    </li>
                  ))}
                </ul>
              </div>
            ))}
        </div>
      </div>
    </Panel>
  );
}
