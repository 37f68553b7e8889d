import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import { whereText } from '../incidents/words';
import { openIncidentsQuery, playbooksQuery, type Remedies, remediesQuery } from './queries';
import { doText, nameText, OWED_STATES, reasonText } from './words';
import styles from './work.module.css';

const MOST = 30;

/** What the machine is doing, what it owes, what it used up and what it would not do. */
export function AtWork() {
  const t = useT();
  const { data, error, refetch } = useQuery(remediesQuery());
  if (!data)
    return (
      <Panel flush>
        {error ? (
          <Failed what={t('playbooks.work.part')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={6} />
        )}
      </Panel>
    );
  return (
    <div className={styles.work}>
      <Owed rows={data.owed} />
      <Running rows={data.running} />
      <div className={styles.pair}>
        <Refusals />
        <Used rows={data.budgets} />
      </div>
    </div>
  );
}

/** The label people know a station by, and its port. */
function Place({ station, evse }: { station: string; evse: number }) {
  const t = useT();
  const { store } = useLive();
  const label = store.station(station)?.label;
  return (
    <>
      <Link to="/stations/$id" params={{ id: station }} search={true}>
        {label || station}
      </Link>
      {evse > 0 && <span className={styles.port}>{t('playbooks.work.port', { n: evse })}</span>}
    </>
  );
}

function IncidentLink({ id, where }: { id: string; where: string }) {
  const t = useT();
  if (!id) return <span className="meta">–</span>;
  return (
    <Link
      to="/incidents/$id"
      params={{ id }}
      search={true}
      aria-label={t('playbooks.work.openOf', { where })}
    >
      {t('playbooks.work.open')}
    </Link>
  );
}

/** The names of playbooks by id, in the reader's language. */
function useNames(): (id: string, otherwise?: string) => string {
  const t = useT();
  const { data } = useQuery(playbooksQuery());
  return (id, otherwise) => {
    const p = data?.find((x) => x.id === id);
    return p ? nameText(t, p) : otherwise || id || '–';
  };
}

function Owed({ rows }: { rows: Remedies['owed'] }) {
  const t = useT();
  const names = useNames();
  if (rows.length === 0)
    return (
      <Panel title={t('playbooks.work.owed')}>
        <p className={styles.fine}>
          <Icon name="check" size={16} />
          {t('playbooks.work.owedNone')}
        </p>
      </Panel>
    );
  return (
    <Panel title={t('playbooks.work.owed')} className={styles.loud!} flush>
      <div className={styles.alarm} role="alert">
        <Icon name="warn" size={18} />
        <div>
          <strong>{t('playbooks.work.owedLoud', { n: rows.length })}</strong>
          <p>{t('playbooks.work.owedText')}</p>
        </div>
      </div>
      <TableFrame label={t('playbooks.work.owed')}>
        <thead>
          <tr>
            <th scope="col">{t('playbooks.work.where')}</th>
            <th scope="col">{t('playbooks.work.state')}</th>
            <th scope="col">{t('playbooks.work.since')}</th>
            <th scope="col">{t('playbooks.work.tried')}</th>
            <th scope="col">{t('playbooks.work.next')}</th>
            <th scope="col">{t('playbooks.work.playbook')}</th>
            <th scope="col">{t('playbooks.work.incident')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((o) => {
            const state = OWED_STATES.find((s) => s === o.state);
            return (
              <tr key={`${o.station} ${o.evse} ${o.since}`}>
                <th scope="row">
                  <Place station={o.station} evse={o.evse} />
                </th>
                <td>{state ? t(`playbooks.work.state.${state}`) : o.state}</td>
                <td>
                  <Age at={o.since} />
                </td>
                <td title={o.last || undefined}>{t('playbooks.work.attempts', { n: o.attempts })}</td>
                <td>
                  {o.held ? (
                    t('playbooks.work.held')
                  ) : o.nextAt ? (
                    <Due at={o.nextAt} />
                  ) : (
                    t('playbooks.work.atConnect')
                  )}
                </td>
                <td>{names(o.playbook)}</td>
                <td>
                  <IncidentLink id={o.incident} where={o.station} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </TableFrame>
    </Panel>
  );
}

/** A time to come, to the second. */
function Due({ at }: { at: string }) {
  const tag = useTag();
  const zone = useZone();
  return (
    <time className="num" dateTime={at}>
      {new Intl.DateTimeFormat(tag, { timeStyle: 'medium', timeZone: zone }).format(Date.parse(at))}
    </time>
  );
}

function Running({ rows }: { rows: Remedies['running'] }) {
  const t = useT();
  const names = useNames();
  return (
    <Panel title={t('playbooks.work.running')} flush>
      {rows.length === 0 ? (
        <Empty title={t('playbooks.work.runningNone')} />
      ) : (
        <TableFrame label={t('playbooks.work.running')}>
          <thead>
            <tr>
              <th scope="col">{t('playbooks.work.playbook')}</th>
              <th scope="col">{t('playbooks.work.where')}</th>
              <th scope="col">{t('playbooks.work.at')}</th>
              <th scope="col">{t('playbooks.work.by')}</th>
              <th scope="col">{t('playbooks.work.started')}</th>
              <th scope="col">{t('playbooks.work.incident')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.id}>
                <th scope="row">
                  {names(r.playbook, r.name)}
                  {r.dryRun && <span className={styles.port}>{t('playbooks.dry')}</span>}
                </th>
                <td>
                  <Place station={r.station} evse={r.evse} />
                </td>
                <td className={table.prose}>
                  {r.step < r.steps.length
                    ? t('playbooks.work.stepOf', {
                        n: r.step + 1,
                        of: r.steps.length,
                        what: doText(t, r.steps[r.step]!),
                      })
                    : t('playbooks.work.finishing')}
                  {r.waits && (
                    <span className={styles.waits}>
                      <Icon name="pause" size={12} />
                      {t('playbooks.work.waits', { why: reasonText(t, r.waits) })}
                    </span>
                  )}
                </td>
                <td>{t(r.by ? 'playbooks.work.byPerson' : 'playbooks.work.byItself')}</td>
                <td>
                  <Age at={r.startedAt} />
                </td>
                <td>
                  <IncidentLink id={r.incident} where={r.station} />
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
    </Panel>
  );
}

function Refusals() {
  const t = useT();
  const names = useNames();
  const { data, error, refetch } = useQuery(openIncidentsQuery());
  const rows = (data ?? [])
    .flatMap((i) =>
      (i.remedies ?? [])
        .filter((r) => r.outcome === 'refused')
        .map((r) => ({ ...r, of: i, key: `${i.id} ${r.at} ${r.step}` })),
    )
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MOST);
  return (
    <Panel title={t('playbooks.work.refusals')} flush>
      {error && !data ? (
        <Failed what={t('playbooks.work.refusalsPart')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : rows.length === 0 ? (
        <Empty title={t('playbooks.work.refusalsNone')} />
      ) : (
        <ul className={styles.refusals}>
          {rows.map((r) => (
            <li key={r.key} className={styles.refusal}>
              <span>{reasonText(t, r.reason ?? '')}</span>
              <span className={styles.age}>
                <Age at={r.at} />
              </span>
              <span className="meta">
                {doText(t, r.action)}, {names(r.playbook)}
                {': '}
                <Link to="/incidents/$id" params={{ id: r.of.id }} search={true}>
                  {whereText(t, r.of)}
                </Link>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Used({ rows }: { rows: Remedies['budgets'] }) {
  const t = useT();
  const tag = useTag();
  return (
    <Panel title={t('playbooks.work.budgets')} flush>
      {rows.length === 0 ? (
        <Empty title={t('playbooks.work.budgetsNone')} />
      ) : (
        <TableFrame label={t('playbooks.work.budgets')}>
          <thead>
            <tr>
              <th scope="col">{t('playbooks.work.station')}</th>
              <th scope="col" className={table.end}>
                {t('playbooks.work.soft')}
              </th>
              <th scope="col" className={table.end}>
                {t('playbooks.work.hard')}
              </th>
              <th scope="col" className={table.end}>
                {t('playbooks.work.cycles')}
              </th>
              <th scope="col" className={table.end}>
                {t('playbooks.work.unlocks')}
              </th>
              <th scope="col">{t('playbooks.work.last')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((b) => (
              <tr key={b.station}>
                <th scope="row">
                  <Place station={b.station} evse={0} />
                </th>
                {[b.softResets, b.hardResets, b.cycles, b.unlocks].map((n, i) => (
                  <td key={i} className={`${table.end} num`}>
                    {count(tag, n)}
                  </td>
                ))}
                <td>
                  <Age at={b.lastAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
    </Panel>
  );
}
