// What happened at the doors of the site, on the time axis of an incident: a lane for
// each door, each moment to be opened with the picture of the camera that sees it.
import { Popover } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { exact, hourMinute } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { useZone } from '../../ui/zone';
import { conditionOf, doorName } from '../doors/door';
import { doorsQuery } from '../doors/feed';
import { alarmKey, codeKey } from '../doors/log';
import { Moment } from '../doors/moment';
import type { Detail } from '../incidents/shape';
import styles from './doorlane.module.css';
import { type DoorMoment, doorMomentsQuery } from './queries';

type Clip = Detail['cameraClips'][number];

/** What is kept of which camera, on the same axis. */
export function ClipLanes({ clips, from, to }: { clips: readonly Clip[]; from: number; to: number }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayReview = useAllowed('video.review');
  const share = (at: number) => ((Math.min(to, Math.max(from, at)) - from) / (to - from)) * 100;
  return clips.slice(0, MOST).map((c) => {
    const [a, b] = [Date.parse(c.from), Date.parse(c.to)];
    if (b < from || a > to) return null;
    const text = t('response.clip', {
      camera: c.label,
      from: hourMinute(tag, a, zone),
      to: hourMinute(tag, b, zone),
    });
    const style = { left: `min(${share(a)}%, 100% - 6px)`, width: `${share(b) - share(a)}%` };
    return (
      <div key={c.cameraId} className={styles.lane}>
        <span className={styles.name} title={c.label}>
          {c.label}
        </span>
        <div className={styles.track}>
          {mayReview ? (
            <Link
              to="/cameras"
              search={{ view: 'review', cams: c.cameraId, at: a }}
              className={styles.bar}
              style={style}
              title={text}
              aria-label={text}
            />
          ) : (
            <span role="img" className={styles.bar} style={style} title={text} aria-label={text} />
          )}
        </div>
      </div>
    );
  });
}

/** Doors that have a lane at most; those at which something happened come first. */
const MOST = 8;
/** Marks of one lane at most: what is grave stays. */
const MARKS = 120;

const COMMANDS = ['unlock', 'unlockAsked', 'unlockDeclined', 'lockdown', 'release'] as const;

/** A door that is shut again says nothing on its own. */
const tells = (m: DoorMoment): boolean => m.what !== 'state' || m.state !== 'locked';

const grave = (m: DoorMoment): boolean =>
  m.what === 'alarm' ? m.active : m.what === 'denied' || m.state === 'forced' || m.state === 'held';

export function momentText(t: Translate, m: DoorMoment): string {
  const because = m.code ? codeKey(m.code) : null;
  const who = m.name || (m.what === 'granted' || m.what === 'denied' ? t('response.door.somebody') : '');
  switch (m.what) {
    case 'granted':
      return t(m.out ? 'response.door.left' : 'response.door.granted', { who });
    case 'denied':
      return t('response.door.denied', { who, why: because ? t(because) : m.reason || '–' });
    case 'alarm':
      return t(m.active ? 'response.door.alarm' : 'response.door.alarmOver', {
        what: t(alarmKey(m.alarm)),
      });
    case 'command': {
      const command = COMMANDS.find((c) => c === m.command);
      return command ? t(`response.door.command.${command}`) : m.command;
    }
  }
  return t(`doors.state.${conditionOf(m.state)}`);
}

const shape = (m: DoorMoment): string =>
  m.what === 'state' ? m.state : m.what === 'alarm' ? (m.active ? 'alarm' : 'over') : m.what;

export function DoorLanes({ site, from, to }: { site: string; from: number; to: number }) {
  const t = useT();
  const may = useAllowed('doors.read');
  const { data: doors } = useQuery({ ...doorsQuery(), enabled: may });
  const { data } = useQuery({
    ...doorMomentsQuery(site, from, to),
    enabled: may && site !== '',
    placeholderData: keepPreviousData,
  });
  const lanes = useMemo(() => {
    const of = new Map<string, DoorMoment[]>();
    for (const m of (data ?? []).filter(tells)) of.set(m.doorId, [...(of.get(m.doorId) ?? []), m]);
    return (doors ?? [])
      .filter((d) => d.siteId === site)
      .map((d) => ({ door: d, moments: of.get(d.id) ?? [] }))
      .sort((a, b) => Number(b.moments.length > 0) - Number(a.moments.length > 0))
      .slice(0, MOST);
  }, [data, doors, site]);
  if (!may || lanes.length === 0) return null;
  return (
    <div className={styles.lanes} role="group" aria-label={t('response.door.lanes')}>
      {lanes.map((l) => {
        const kept =
          l.moments.length <= MARKS
            ? l.moments
            : [...l.moments.filter(grave), ...l.moments.filter((m) => !grave(m))].slice(0, MARKS);
        return (
          <div key={l.door.id} className={styles.lane} data-door-lane={l.door.id}>
            <span className={styles.name} title={doorName(l.door)}>
              {doorName(l.door)}
            </span>
            <div className={styles.track}>
              {l.moments.length === 0 && data && <span className="meta">{t('response.door.nothing')}</span>}
              {kept.map((m) => (
                <Mark
                  key={m.seq}
                  moment={m}
                  door={doorName(l.door)}
                  left={((Date.parse(m.at) - from) / (to - from)) * 100}
                />
              ))}
            </div>
          </div>
        );
      })}
    </div>
  );
}

function Mark({ moment: m, door, left }: { moment: DoorMoment; door: string; left: number }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayReview = useAllowed('video.review');
  const [open, setOpen] = useState(false);
  const at = Date.parse(m.at);
  const text = `${hourMinute(tag, at, zone)} ${door}: ${momentText(t, m)}`;
  return (
    <Popover opened={open} onChange={setOpen} position="top" withinPortal shadow="md" trapFocus={false}>
      <Popover.Target>
        <button
          type="button"
          className={styles.mark}
          data-shape={shape(m)}
          data-grave={grave(m)}
          style={{ left: `clamp(0px, ${left}% - 7px, 100% - 14px)` }}
          aria-label={text}
          title={text}
          onClick={() => setOpen((o) => !o)}
        />
      </Popover.Target>
      <Popover.Dropdown className={styles.card}>
        {m.cameraId && mayReview && (
          <Moment camera={m.cameraId} at={at} received={at} label={momentText(t, m)} />
        )}
        <p>{momentText(t, m)}</p>
        <p className="meta">
          {door}, {exact(tag, at, zone)}
        </p>
        {m.reason && m.what === 'command' && <p className="meta">{m.reason}</p>}
      </Popover.Dropdown>
    </Popover>
  );
}
