import { Button, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { StationDetail } from '../../api/shapes';
import { day, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { familyOf, type Status, URGENCY } from '../../live/status';
import { CopyButton } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { StateLabel } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { Fault } from './fault';
import styles from './header.module.css';

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

export function Header({ station: s }: { station: StationDetail }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayCommand = useAllowed('stations.command');
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
            {[s.label !== s.id && s.label, !s.label.startsWith(site) && site].filter(Boolean).join(' · ')}
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
          {mayCommand && (
            <Button
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
      {s.fault?.code && <Fault fault={s.fault} where={t('station.whole')} />}
      <dl className={styles.facts}>
        <Fact name={t('station.connection')}>
          {s.online ? (
            <>
              {t('station.heard')} <Age at={s.lastFrameAt} />
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
