import type { Command, PastFault, Session } from '../../api/shapes';
import { kilowatts, sessionEnergy, text } from '../../format/quantity';
import { dayTime, exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { familyKey, StateShape, statusKey } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { faultKey } from './fault-words';
import type { Joined } from './lanes';
import type { Line } from './series';
import styles from './timeline.module.css';
import { type Band, bandAt, nearest } from './track';

/** What each lane says at one moment. */
export type Parts = {
  at: number;
  ports: { id: number; band: Band | undefined }[];
  link: Band | undefined;
  kw: number | null;
  offered: number | null;
  soc: number | null;
  celsius: number | null;
  faults: PastFault[];
  session: Session | undefined;
  commands: Command[];
  told: string[];
};

function valueAt(line: Line | undefined, at: number, reach: number): number | null {
  if (!line) return null;
  const i = nearest(line.at, at / 1000, reach / 1000);
  return i < 0 ? null : (line.value[i] ?? null);
}

/** Null without a cursor. A pixel is how far from a mark still counts as at it. */
export function partsAt(joined: Joined, at: number | null, pixel: number): Parts | null {
  if (at === null) return null;
  // Half a sample's wait to each side: further away a value says nothing of this moment.
  const reach = Math.max(5 * pixel, 150_000);
  return {
    at,
    ports: joined.ports.map((p) => ({ id: p.id, band: bandAt(p.bands, at) })),
    link: bandAt(joined.links, at),
    kw: valueAt(joined.power[0], at, reach),
    offered: valueAt(joined.power[1], at, reach),
    soc: valueAt(joined.soc[0], at, reach),
    celsius: valueAt(joined.temperature[0], at, reach),
    faults: joined.faults.filter((f) => f.from <= at + 4 * pixel && f.to >= at - 4 * pixel),
    session: joined.sessions.find((s) => s.from <= at && s.to >= at),
    commands: joined.commands.filter((c) => Math.abs(Date.parse(c.requestedAt) - at) <= 5 * pixel),
    told: (joined.told ?? []).filter((e) => Math.abs(e.at - at) <= 5 * pixel).map((e) => e.text),
  };
}

export function useShownWord(): (b: Pick<Band, 'family' | 'status'>) => string {
  const t = useT();
  return (b) =>
    b.family === 'unseen'
      ? t('timeline.unseen')
      : b.status && b.family !== 'offline'
        ? t(statusKey(b.status))
        : t(familyKey(b.family));
}

function Shape({ band }: { band: Band }) {
  return band.family === 'unseen' ? (
    <span className={styles.unseen} aria-hidden="true" />
  ) : (
    <StateShape family={band.family} size={14} />
  );
}

/** The line above the lanes; it stays where it is, so that nothing moves under the pointer. */
export function Readout({ parts }: { parts: Parts | null }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const word = useShownWord();
  if (!parts) return <p className={styles.readout}>{t('timeline.point')}</p>;
  return (
    <div className={styles.readout}>
      <time className={`${styles.at} num`} title={exact(tag, parts.at, zone)}>
        {dayTime(tag, parts.at, zone)}
      </time>
      {parts.ports.map((p) => (
        <span key={p.id} className={styles.part}>
          {t('port.n', { port: p.id })}
          {p.band ? (
            <>
              <Shape band={p.band} />
              <strong>{word(p.band)}</strong>
              <span className="num">{span(p.band.to - p.band.from)}</span>
              {p.band.late && <em>{t('timeline.late')}</em>}
            </>
          ) : (
            '–'
          )}
        </span>
      ))}
      {parts.link?.family === 'offline' && (
        <span className={styles.part}>
          <Shape band={parts.link} />
          {t('family.offline')}
        </span>
      )}
      {parts.kw !== null && (
        <span className={`${styles.part} num`}>
          <strong>{kilowatts(tag, parts.kw * 1000)} kW</strong>
          {parts.offered !== null && t('timeline.offered', { kw: kilowatts(tag, parts.offered * 1000) })}
        </span>
      )}
      {parts.soc !== null && (
        <span className={`${styles.part} num`}>
          {t('port.soc')} {Math.round(parts.soc)} %
        </span>
      )}
      {parts.celsius !== null && <span className={`${styles.part} num`}>{Math.round(parts.celsius)} °C</span>}
      {parts.session && (
        <span className={`${styles.part} num`}>
          {t('timeline.session')} {text(sessionEnergy(tag, parts.session.energyWh))},{' '}
          {span((parts.session as Session & { to: number }).to - Date.parse(parts.session.startedAt))}
        </span>
      )}
      {parts.faults.slice(0, 3).map((f) => {
        const known = faultKey(f.code);
        return (
          <span key={f.seq || f.at} className={styles.part}>
            <StateShape family="faulted" size={14} />
            {f.evse > 0 ? t('port.n', { port: f.evse }) : t('station.whole')}
            <strong>{known ? t(known) : f.code || f.vendorCode || t('fault.unknown')}</strong>
            {f.info}
          </span>
        );
      })}
      {parts.commands.slice(0, 2).map((c) => (
        <span key={c.id} className={styles.part}>
          {t('timeline.command')} <strong>{c.action}</strong> {t(`outcome.short.${c.status}`)}
        </span>
      ))}
      {parts.told.slice(0, 2).map((text, k) => (
        <span key={`${k} ${text}`} className={styles.part}>
          {text}
        </span>
      ))}
    </div>
  );
}
