import { Button, Menu } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { type ReactNode, Suspense, useState } from 'react';
import { DAY, dayTime, hourMinute, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { useZone } from '../../ui/zone';
import { CloseAsked } from '../response/asked';
import { FALSE_REASONS } from '../response/queries';
import { useActor } from './actor';
import { type Act, offers } from './acts';
import { Chips } from './chips';
import { DueText } from './due';
import styles from './header.module.css';
import { useServerNow } from './now';
import { SeverityLabel } from './severity';
import { beganAt, claimed, type Detail, dueOf, fresh, type Incident } from './shape';
import { useMe } from './who';
import { closeKey, whatText, whereText, whoText } from './words';

/** A moment near by its time of day, else with its day. */
export function useMoment(): (at: string | number) => string {
  const tag = useTag();
  const zone = useZone();
  const now = useServerNow(60_000);
  return (at) => {
    const ms = typeof at === 'number' ? at : Date.parse(at);
    return Math.abs(now - ms) < DAY / 2 ? hourMinute(tag, ms, zone) : dayTime(tag, ms, zone);
  };
}

/** What is wrong, where, since when, whose it is, and what can be done about it. */
export function Header({ incident: i }: { incident: Detail }) {
  const t = useT();
  const now = useServerNow();
  const phone = usePhone();
  return (
    <header className={styles.header}>
      <div className={styles.line}>
        <SeverityLabel severity={i.severity} pulse={fresh(i, now)} />
        <Chips incident={i} />
        <span className={`${styles.id} mono`}>{i.id}</span>
      </div>
      <h1 className={styles.title}>{whatText(t, i)}</h1>
      <p className={styles.where}>
        {i.station ? (
          <Link to="/stations/$id" params={{ id: i.station }} search={i.evse ? { port: i.evse } : {}}>
            {whereText(t, i)}
          </Link>
        ) : (
          <span>{whereText(t, i)}</span>
        )}
        {i.station && <span className="mono">{i.station}</span>}
        {i.siteId && i.station && (
          <Link to="/sites/$id" params={{ id: i.siteId }}>
            {i.siteName || i.siteId}
          </Link>
        )}
        <Since incident={i} />
      </p>
      <Labels incident={i} />
      <Notes incident={i} />
      <CloseAsked incident={i} />
      {!phone && <Actions incident={i} />}
      <Facts incident={i} />
    </header>
  );
}

function Since({ incident: i }: { incident: Incident }) {
  const t = useT();
  const moment = useMoment();
  const { client } = useLive();
  const from = beganAt(i);
  const end = i.closedAt ?? i.repairedAt;
  const text = useTicking(() =>
    end
      ? t('incident.lasted', { from: moment(from), to: moment(end), span: span(Date.parse(end) - from) })
      : t('incident.since', { at: moment(from), span: span(Date.now() + client.clockOffset - from) }),
  );
  return <span className="num">{text}</span>;
}

/** Labels that are ours to say: where it is and what stands there, which the page tells in other places. */
const OWN = ['station', 'site', 'vendor', 'model', 'firmware', 'carrier', 'powerClass'];

/** What a rule or another system labelled it with: routes and silences go by that. */
function Labels({ incident: i }: { incident: Incident }) {
  const t = useT();
  const given = Object.entries(i.labels)
    .filter(([name]) => !OWN.includes(name))
    .sort(([a], [b]) => a.localeCompare(b));
  if (given.length === 0) return null;
  return (
    <ul className={styles.labels} aria-label={t('incident.labels')}>
      {given.map(([name, value]) => (
        <li key={name} title={`${name} = ${value}`}>
          <span>{name}</span> {value}
        </li>
      ))}
    </ul>
  );
}

/** What has to be known before anybody acts. */
function Notes({ incident: i }: { incident: Incident }) {
  const t = useT();
  const notes: { key: MessageKey; to?: string | null; strong?: boolean }[] = [];
  if (i.safety && i.state !== 'closed') notes.push({ key: 'incident.safetyNote', strong: true });
  if (i.stoppedReporting && i.state !== 'closed') notes.push({ key: 'incident.silentNote' });
  if (i.inhibitedBy) notes.push({ key: 'incident.inhibitedNote', to: i.inhibitedBy });
  if (i.silencedBy) notes.push({ key: 'incident.mutedNote' });
  if (i.parentId) notes.push({ key: 'incident.parentNote', to: i.parentId });
  if (i.mergedInto) notes.push({ key: 'incident.mergedNote', to: i.mergedInto });
  if (notes.length === 0) return null;
  return (
    <ul className={styles.notes}>
      {notes.map((n) => (
        <li key={n.key} data-strong={n.strong ?? false}>
          <Icon name="warn" size={16} />
          <span>
            {t(n.key)}{' '}
            {n.to && (
              <Link to="/incidents/$id" params={{ id: n.to }} search={true}>
                {t('incident.toParent')}
              </Link>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

const RunPlaybook = later(async () => ({ default: (await import('../playbooks/run')).RunPlaybook }));

const FIRST: readonly Act[] = ['claim', 'release', 'acknowledge', 'close', 'reopen'];
const MORE: readonly Act[] = ['assign', 'snooze', 'escalate', 'dispatch', 'verdict', 'classify', 'merge'];

const keyOf: Partial<Record<Act, string>> = {
  claim: 'c',
  acknowledge: 'a',
  snooze: 's',
  escalate: 'e',
  dispatch: 'd',
  verdict: 'v',
};

export const usePhone = (): boolean =>
  useMediaQuery('(max-width: 767px)', false, { getInitialValueInEffect: false });

export function Actions({ incident: i }: { incident: Detail }) {
  const phone = usePhone();
  const t = useT();
  const { may, act } = useActor();
  const me = useMe();
  const now = useServerNow();
  const mayOrder = useAllowed('workorders.write');
  const [mayCommand, mayRead] = [useAllowed('stations.command'), useAllowed('remedies.read')];
  const [running, setRunning] = useState(false);
  if (!may) return null;
  const can = (a: Act) => offers(a, i, now, me);
  // The next sensible step is the loud one.
  const primary: Act | undefined =
    i.state === 'closed'
      ? undefined
      : i.acknowledgedAt === null
        ? 'acknowledge'
        : claimed(i, now)
          ? 'close'
          : 'claim';
  const first = FIRST.filter(can);
  // A thumb has room for two; the others are in the menu.
  const shown = phone
    ? [...first.filter((a) => a === primary), ...first.filter((a) => a !== primary)].slice(0, 2)
    : first;
  const more = [...first.filter((a) => !shown.includes(a)), ...MORE.filter(can)];
  return (
    <div className={styles.actions} role="group" aria-label={t('incident.actions')}>
      {shown.map((a) => (
        <Button
          key={a}
          variant={a === primary ? 'filled' : 'default'}
          className={styles.action}
          onClick={() => act(a, [i])}
          {...(keyOf[a] ? { 'aria-keyshortcuts': keyOf[a] } : {})}
        >
          {t(`incident.act.${a}`)}
          {keyOf[a] && <span className={styles.kbd} data-key={keyOf[a]} />}
        </Button>
      ))}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" className={styles.action} rightSection={<Icon name="down" size={14} />}>
            {t('incident.act.more')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {more.map((a) => (
            <Menu.Item
              key={a}
              onClick={() => act(a, [i])}
              rightSection={keyOf[a] ? <span className={styles.kbd} data-key={keyOf[a]} /> : null}
            >
              {t(`incident.act.${a}`)}
            </Menu.Item>
          ))}
          {mayOrder && i.state !== 'closed' && !working(i) && (
            <Menu.Item component={Link} {...({ to: '/maintenance', search: { incident: i.id } } as object)}>
              {t('incident.act.order')}
            </Menu.Item>
          )}
          {working(i) && (
            <Menu.Item
              component={Link}
              {...({ to: '/maintenance', search: { order: i.order?.id } } as object)}
            >
              {t('incident.act.showOrder', { number: String(i.order?.number) })}
            </Menu.Item>
          )}
          {mayCommand && mayRead && i.station && i.state !== 'closed' && (
            <Menu.Item onClick={() => setRunning(true)}>{t('incident.act.playbook')}</Menu.Item>
          )}
          {i.station && (
            <Menu.Item
              component={Link}
              {...({
                to: '/stations/$id',
                params: { id: i.station },
                search: i.evse ? { port: i.evse } : {},
              } as object)}
            >
              {t('incident.act.station')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {running && (
        <Suspense>
          <RunPlaybook incident={i.id} close={() => setRunning(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Whether somebody still has an order for it. */
const working = (i: Detail): boolean =>
  !!i.order && i.order.state !== 'done' && i.order.state !== 'cancelled';

function Facts({ incident: i }: { incident: Detail }) {
  const t = useT();
  const me = useMe();
  const now = useServerNow();
  const moment = useMoment();
  const owner: ReactNode = claimed(i, now)
    ? i.claimedUntil
      ? t('incident.claimedUntil', { who: whoText(t, i, i.claimedBy!, me), at: moment(i.claimedUntil) })
      : whoText(t, i, i.claimedBy!, me)
    : i.assignee
      ? t('incident.assigned', { who: whoText(t, i, i.assignee, me) })
      : t('incident.nobody');
  const rows: [MessageKey, ReactNode][] = [['incident.fact.owner', owner]];
  if (i.state !== 'closed' && i.repairedAt === null)
    rows.push([
      'incident.fact.sla',
      dueOf(i, now) ? <DueText key="due" incident={i} /> : t('incident.noPromise'),
    ]);
  if (i.acknowledgedAt)
    rows.push([
      'incident.fact.acknowledged',
      [
        i.acknowledgedBy
          ? t('incident.by', { who: whoText(t, i, i.acknowledgedBy, me), at: moment(i.acknowledgedAt) })
          : moment(i.acknowledgedAt),
        i.acknowledgedUntil && t('incident.until', { at: moment(i.acknowledgedUntil) }),
      ]
        .filter(Boolean)
        .join(', '),
    ]);
  if (i.repairedAt) rows.push(['incident.fact.repaired', moment(i.repairedAt)]);
  if (i.closedAt) rows.push(['incident.fact.closed', `${moment(i.closedAt)}, ${t(closeKey(i.closeReason))}`]);
  if (i.order)
    rows.push([
      'incident.fact.order',
      <Link key="order" to="/maintenance" search={{ order: i.order.id }}>
        {t('incident.order', {
          number: String(i.order.number),
          state: t(`incident.order.${i.order.state}`),
          who: i.order.assigneeName || t('incident.orderNobody'),
        })}
      </Link>,
    ]);
  rows.push(['incident.fact.response', t(responseKey(i.response))]);
  const why = FALSE_REASONS.find((r) => r === i.falseReason);
  rows.push([
    'incident.fact.verdict',
    t(verdictKey(i.verdict)) + (why ? `, ${t(`response.false.${why}`)}` : ''),
  ]);
  if (i.driversFailed !== null) rows.push(['incident.fact.drivers', i.driversFailed]);
  if (i.repeats > 0) rows.push(['incident.fact.repeats', t('incident.times', { n: i.repeats })]);
  return (
    <dl className={styles.facts} aria-label={t('incident.facts')}>
      {rows.map(([key, value]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const RESPONSES = ['none', 'dispatched', 'onSite', 'contained'] as const;
const responseKey = (r: string): MessageKey =>
  `incident.response.${RESPONSES.find((x) => x === r) ?? 'none'}`;

const VERDICTS = ['real', 'false', 'test'] as const;
const verdictKey = (v: string | null): MessageKey =>
  `incident.verdict.${VERDICTS.find((x) => x === v) ?? 'none'}`;
