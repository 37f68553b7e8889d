import { Button, Popover, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { StationDetail } from '../../api/shapes';
import { day, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { familyOf, type Status, URGENCY } from '../../live/status';
import { CopyButton } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { useSites } from '../../ui/sites';
import { StateLabel } from '../../ui/state';
import { useZone } from '../../ui/zone';
import type { Kind } from './actions';
import { Fault } from './fault';
import styles from './header.module.css';
import { RelayedState, useRelayed } from './relayed';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The word at the top: the station's own trouble, else the state of its port that needs most attention. */
export function leading(s: StationDetail): Status {
  if (s.status === 'Faulted' || s.status === 'Unavailable' || s.evses.length === 0) return s.status;
  return s.evses
    .map((e) => e.status)
    .reduce((a, b) => (URGENCY[familyOf(b, true)] < URGENCY[familyOf(a, true)] ? b : a));
}

/** What drivers see of each port, and the code on its sticker. */
function Public({ station: s }: { station: StationDetail }) {
  const t = useT();
  const shown = useSites().get(s.siteId)?.public ?? false;
  const ids = s.evses.filter((e) => e.publicId !== '');
  if (ids.length === 0) return null;
  return (
    <Popover position="bottom-end" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<Icon name="qr" size={16} />}>
          {t('station.public')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('station.public')}>
        <ul className={styles.public}>
          {ids.map((e) => {
            const id = encodeURIComponent(e.publicId);
            return (
              <li key={e.id}>
                {shown && (
                  <img
                    src={`/status/qr/${id}.svg`}
                    alt={t('station.qr', { id: e.publicId })}
                    width={96}
                    height={96}
                  />
                )}
                <div>
                  <p className="meta">{t('port.n', { port: e.id })}</p>
                  <p className="mono">
                    {e.publicId} <CopyButton value={e.publicId} what={t('station.publicId')} />
                  </p>
                  {shown && (
                    <a href={`/status/p/${id}`} target="_blank" rel="noreferrer">
                      {t('station.publicPage')}
                    </a>
                  )}
                </div>
              </li>
            );
          })}
        </ul>
        {!shown && <p className="meta">{t('station.publicHint')}</p>}
      </Popover.Dropdown>
    </Popover>
  );
}

/** On a phone in front of the station: what one does there, large enough for a thumb. */
function Roadside({ station: s }: { station: StationDetail }) {
  const t = useT();
  const running = s.evses.some((e) => e.sessionId !== null);
  const kinds: Kind[] = ['unlock', running ? 'stop' : 'start', 'reset', 'availability'];
  return (
    <nav className={styles.roadside} aria-label={t('station.command')}>
      {kinds.map((k) => (
        <Button
          key={k}
          component={Link}
          size="lg"
          variant="default"
          to="/stations/$id"
          params={{ id: s.id } as never}
          search={{ tab: 'commands', prepare: k } as never}
        >
          {t(`command.${k}`)}
        </Button>
      ))}
    </nav>
  );
}

export function Header({ station: s }: { station: StationDetail }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayCommand = useAllowed('stations.command');
  const relayed = useRelayed(s.id);
  const site = s.siteName || s.siteId || t('site.none');
  const mono = (v: string) =>
    v ? <span className="mono">{v}</span> : <span className={styles.none}>–</span>;
  const profile = Math.min(3, Math.max(0, s.securityProfile)) as 0 | 1 | 2 | 3;
  return (
    <section className={styles.header}>
      <div className={styles.top}>
        <div className={styles.name}>
          <h1 className={styles.id}>
            <span className="mono">{s.id}</span>
            <CopyButton value={s.id} what={t('column.station')} />
          </h1>
          <p className={styles.sub}>
            {s.label !== s.id && s.label && <span>{s.label}</span>}
            {s.siteId ? (
              <Link to="/stations" search={{ site: s.siteId } as never}>
                {site}
              </Link>
            ) : (
              <span>{site}</span>
            )}
          </p>
        </div>
        <div className={styles.state}>
          {s.simulated && (
            <Tooltip label={t('simulated.station')}>
              <span className={styles.simulated}>{t('simulated.mark')}</span>
            </Tooltip>
          )}
          <span className={styles.status}>
            <StateLabel status={leading(s)} online={s.online} size={20} />
          </span>
          <Public station={s} />
          {mayCommand && (
            <Button
              className={styles.wide}
              component={Link}
              to="/stations/$id"
              params={{ id: s.id } as never}
              search={{ tab: 'commands' } as never}
              variant="default"
            >
              {t('station.command')}
            </Button>
          )}
        </div>
      </div>
      {mayCommand && <Roadside station={s} />}
      {s.fault?.code && <Fault fault={s.fault} where={t('station.whole')} />}
      <dl className={styles.facts}>
        <Fact name={t('station.connection')}>
          {s.online ? (
            <>
              {t('station.heard')} <Age at={s.lastFrameAt} />
              {s.connectedAt && (
                <span className={styles.reason}>
                  {t('station.since')} <Age at={s.connectedAt} />
                </span>
              )}
            </>
          ) : s.lastFrameAt ? (
            <>
              {t('station.lastHeard')} <Age at={s.lastFrameAt} />
              {s.offlineReason && <span className={styles.reason}>{s.offlineReason}</span>}
            </>
          ) : (
            t('age.never')
          )}
        </Fact>
        {relayed && (
          <Fact name={t('station.relayed')}>
            <RelayedState of={relayed} />
          </Fact>
        )}
        <Fact name={t('column.model')}>
          {[s.vendor, s.model].filter(Boolean).join(' ') || <span className={styles.none}>–</span>}
        </Fact>
        <Fact name={t('station.firmware')}>{mono(s.firmware)}</Fact>
        <Fact name={t('station.serial')}>{mono(s.serial)}</Fact>
        <Fact name={t('column.protocol')}>
          {s.protocol ? s.protocol.replace('ocpp', 'OCPP ') : <span className={styles.none}>–</span>}
        </Fact>
        <Fact name={t('station.security')}>{t(`security.${profile}`)}</Fact>
        <Fact name={t('column.address')}>{mono(s.remoteAddr)}</Fact>
        <Fact name={t('station.iccid')}>{mono(s.iccid)}</Fact>
        <Fact name={t('station.commissioned')}>
          {s.commissionedAt ? (
            <time title={exact(tag, Date.parse(s.commissionedAt), zone)}>
              {day(tag, Date.parse(s.commissionedAt), zone)}
            </time>
          ) : (
            <span className={styles.none}>–</span>
          )}
        </Fact>
      </dl>
    </section>
  );
}
