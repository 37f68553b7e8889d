import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Panel } from '../../ui/panel';
import { SeverityShape } from '../incidents/severity';
import { Due } from './due';
import styles from './maintenance.module.css';
import { away, type Place, usePlace } from './near';
import { isOver, type Order, STATES } from './queries';

const rank: Record<string, number> = { onSite: 0, assigned: 1, open: 2, waitingForParts: 3 };

/** The most urgent first: what hurts most, then what is due first. */
const urgent = (a: Order, b: Order): number =>
  a.severity.localeCompare(b.severity) ||
  (a.dueAt ?? '9').localeCompare(b.dueAt ?? '9') ||
  b.number - a.number;

export function Board({
  orders,
  closed,
  mine,
  open,
  all,
}: {
  orders: readonly Order[];
  closed: readonly Order[];
  mine: boolean;
  open: (id: string) => void;
  all: () => void;
}) {
  const t = useT();
  const tag = useTag();
  const mayScan = useAllowed('stations.read');
  const { here, refused, ask } = usePlace();
  const shown = useMemo(() => orders.filter((o) => !mine || o.mine), [orders, mine]);
  const over = useMemo(() => closed.filter((o) => !mine || o.mine), [closed, mine]);
  if (shown.length === 0 && over.length === 0)
    return (
      <Panel>
        <Empty
          title={mine ? t('maintenance.noneMine') : t('maintenance.none')}
          action={
            mine && orders.length > 0 ? (
              <Button variant="default" onClick={all}>
                {t('maintenance.showAll', { n: orders.length })}
              </Button>
            ) : undefined
          }
        >
          {mine ? t('maintenance.noneMineText') : t('maintenance.noneText')}
        </Empty>
      </Panel>
    );
  return (
    <>
      <div className={styles.near}>
        {mayScan && (
          <Button
            component={Link}
            to="/scan"
            variant="default"
            className={styles.onPhone}
            leftSection={<Icon name="scan" size={16} />}
          >
            {t('maintenance.scan')}
          </Button>
        )}
        {ask && mine && (
          <Button variant="default" onClick={ask} leftSection={<Icon name="map" size={16} />}>
            {t('maintenance.nearest')}
          </Button>
        )}
        {refused && (
          <span className="meta" role="status">
            {t('maintenance.noPlace')}
          </span>
        )}
      </div>
      {mine ? (
        <Jobs orders={shown} over={over} here={here} open={open} />
      ) : (
        <div className={styles.board}>
          {STATES.map((s) => {
            const list = shown.filter((o) => o.state === s).sort(urgent);
            return (
              <Column key={s} title={t(`maintenance.state.${s}`)} n={count(tag, list.length)}>
                {list.map((o) => (
                  <Card key={o.id} order={o} here={here} open={open} />
                ))}
              </Column>
            );
          })}
          <Column title={t('maintenance.closed')} n={count(tag, over.length)}>
            {over.map((o) => (
              <Card key={o.id} order={o} here={here} open={open} />
            ))}
          </Column>
        </div>
      )}
    </>
  );
}

/** One's own, in the order in which they are best done: where one stands, what is near, then site by site. */
function Jobs({
  orders,
  over,
  here,
  open,
}: {
  orders: readonly Order[];
  over: readonly Order[];
  here: Place | null;
  open: (id: string) => void;
}) {
  const t = useT();
  const list = useMemo(
    () =>
      [...orders].sort(
        (a, b) =>
          Number(b.state === 'onSite') - Number(a.state === 'onSite') ||
          (away(a, here) ?? 1e9) - (away(b, here) ?? 1e9) ||
          (here ? 0 : a.siteName.localeCompare(b.siteName)) ||
          (rank[a.state] ?? 9) - (rank[b.state] ?? 9) ||
          urgent(a, b),
      ),
    [orders, here],
  );
  return (
    <div className={styles.jobs}>
      <ul className={styles.cards} aria-label={t('maintenance.jobs')}>
        {list.map((o) => (
          <Card key={o.id} order={o} here={here} open={open} stated />
        ))}
      </ul>
      {over.length > 0 && (
        <>
          <h2 className={styles.columnTitle}>{t('maintenance.closed')}</h2>
          <ul className={styles.cards}>
            {over.map((o) => (
              <Card key={o.id} order={o} here={null} open={open} stated />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Column({ title, n, children }: { title: string; n: string; children: React.ReactNode[] }) {
  const t = useT();
  return (
    <section className={styles.column} aria-label={title} data-empty={children.length === 0}>
      <h2 className={styles.columnTitle}>
        {title} <span className="num meta">{n}</span>
      </h2>
      {children.length > 0 ? (
        <ul className={styles.cards}>{children}</ul>
      ) : (
        <p className={styles.columnEmpty}>{t('maintenance.columnEmpty')}</p>
      )}
    </section>
  );
}

function Card({
  order: o,
  here,
  open,
  stated = false,
}: {
  order: Order;
  here: Place | null;
  open: (id: string) => void;
  stated?: boolean;
}) {
  const t = useT();
  const tag = useTag();
  const km = away(o, here);
  return (
    <li>
      <button type="button" className={styles.card} data-order={o.id} onClick={() => open(o.id)}>
        <span className={styles.cardTop}>
          <SeverityShape severity={o.severity} size={14} />
          <span className="num">{t('maintenance.number', { number: String(o.number) })}</span>
          {(stated || isOver(o)) && <span className={styles.state}>{t(`maintenance.state.${o.state}`)}</span>}
          <span className={styles.cardEnd}>
            {km !== undefined ? (
              <span className="num">{t('maintenance.away', { km: count(tag, Math.round(km)) })}</span>
            ) : isOver(o) ? (
              <Age at={o.closedAt} />
            ) : (
              <Age at={o.createdAt} />
            )}
          </span>
        </span>
        <span className={styles.cardTitle}>{o.title}</span>
        <span className={styles.cardPlace}>
          {[
            o.siteName,
            o.stationLabel || o.station,
            o.evse > 0 ? t('maintenance.port', { port: o.evse }) : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
        <span className={styles.cardFoot}>
          <span>{o.assigneeName || (o.assignee ? t('maintenance.somebody') : t('maintenance.nobody'))}</span>
          {o.checks > 0 && (
            <span className={`${styles.due} num`}>
              <Icon name="check" size={12} /> {t('maintenance.checks', { done: o.checksDone, n: o.checks })}
            </span>
          )}
          {o.photos > 0 && <span className="num">{t('maintenance.photo.count', { n: o.photos })}</span>}
          {!isOver(o) && <Due at={o.dueAt} />}
        </span>
      </button>
    </li>
  );
}
