import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useView } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useListKeys } from '../../ui/listkeys';
import { useAllowed } from '../../ui/me';
import { useSiteNames } from '../../ui/sites';
import type { Camera } from '../video/camera';
import { useCameras } from '../video/feed';
import { Tile } from '../video/tile';
import { ActDialog, type Command } from './act';
import { bySite, DECIDES, type Door, doorName, isAmiss, kindOf, reasonKey } from './door';
import styles from './doors.module.css';
import { KindIcon } from './kind';
import { Asked } from './second';
import { DoorState } from './state';

/** The doors of each site. Keys: j and k go through them, u, l and e do what the buttons do. */
export function DoorCards({
  doors,
  chosen,
  choose,
}: {
  doors: readonly Door[];
  /** The door whose log is shown. */
  chosen: string | undefined;
  choose: ((door: string | undefined) => void) | undefined;
}) {
  const t = useT();
  const siteName = useSiteNames();
  const { kiosk } = useView();
  const mayCommand = useAllowed('doors.command') && !kiosk;
  const [asked, setAsked] = useState<{ command: Command; of: Door } | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const cursor = useRef(-1);
  const sites = bySite(doors, siteName);
  const order = sites.flatMap((s) => s.doors);
  const ask = (command: Command) => (at: number) => {
    const of = order[at];
    if (of && mayCommand) setAsked({ command, of });
  };
  useListKeys(
    {
      count: order.length,
      at: () => cursor.current,
      move: (next) => {
        cursor.current = next;
        list.current?.querySelector<HTMLElement>(`[data-door="${CSS.escape(order[next]!.id)}"]`)?.focus();
      },
      acts: {
        u: ask('unlock'),
        l: ask('lockdown'),
        e: ask('release'),
      },
    },
    () => list.current,
  );
  return (
    <div ref={list} className={styles.sites}>
      {sites.map((s) => (
        <section key={s.site} aria-label={siteName(s.site)}>
          <h2 className={styles.site}>{siteName(s.site)}</h2>
          <ul className={styles.cards}>
            {s.doors.map((d) => (
              <DoorCard
                key={d.id}
                door={d}
                picked={chosen === d.id}
                focused={() => {
                  cursor.current = order.indexOf(d);
                }}
                pick={choose && (() => choose(chosen === d.id ? undefined : d.id))}
                act={mayCommand ? (command) => setAsked({ command, of: d }) : undefined}
              />
            ))}
          </ul>
        </section>
      ))}
      {!kiosk && <p className={styles.hint}>{t(mayCommand ? 'doors.keys' : 'doors.keysRead')}</p>}
      {asked && <ActDialog command={asked.command} of={asked.of} close={() => setAsked(null)} />}
    </div>
  );
}

function DoorCard({
  door: d,
  picked,
  focused,
  pick,
  act,
}: {
  door: Door;
  picked: boolean;
  focused: () => void;
  pick: (() => void) | undefined;
  act: ((command: Command) => void) | undefined;
}) {
  const t = useT();
  const name = doorName(d);
  const why = reasonKey(d);
  const driven = d.controller !== '';
  const { kiosk } = useView();
  return (
    <li
      className={styles.card}
      data-door={d.id}
      data-amiss={isAmiss(d)}
      data-picked={picked}
      tabIndex={-1}
      onFocus={focused}
    >
      <DoorPicture door={d} />
      <div className={styles.body}>
        <h3 className={styles.name}>
          <KindIcon kind={d.kind} />
          <span>{name}</span>
          {d.simulated && <span className={styles.chip}>{t('doors.simulated')}</span>}
        </h3>
        <p className={styles.now}>
          <DoorState state={d.state} />
          {d.stateSince && (
            <span className="meta">
              <Age at={d.stateSince} />
            </span>
          )}
        </p>
        <p className={`meta ${styles.rule}`}>
          {why && <span>{t(why)}</span>}
          <span>{t(driven ? DECIDES[d.whenOffline] : 'doors.undriven')}</span>
          {d.twoPerson && <span>{t('doors.twoPerson.short')}</span>}
          {driven && !d.contact && <span>{t('doors.noContact')}</span>}
        </p>
        {d.request && !kiosk && <Asked of={d} request={d.request} />}
        <div className={styles.acts}>
          {act && driven && (
            <>
              <Button size="compact-sm" variant="default" onClick={() => act('unlock')}>
                {t(`doors.unlock.${kindOf(d.kind)}`)}
              </Button>
              {d.state === 'lockdown' ? (
                <Button size="compact-sm" variant="default" onClick={() => act('release')}>
                  {t('doors.release')}
                </Button>
              ) : (
                <Button size="compact-sm" variant="default" onClick={() => act('lockdown')}>
                  {t('doors.lockdown')}
                </Button>
              )}
            </>
          )}
          {pick && (
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              aria-pressed={picked}
              onClick={pick}
              leftSection={<Icon name="list" size={14} />}
            >
              {t('doors.itsLog')}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

/** What the nearest camera sees of it now. */
function DoorPicture({ door: d }: { door: Door }) {
  const t = useT();
  const may = useAllowed('video.live');
  return may && d.cameraId ? (
    <Seen camera={d.cameraId} />
  ) : (
    <div className={styles.unseen}>
      <KindIcon kind={d.kind} size={28} />
      <span className="meta">{t(d.cameraId ? 'doors.notYours' : 'doors.noCamera')}</span>
    </div>
  );
}

function Seen({ camera: id }: { camera: string }) {
  const navigate = useNavigate();
  const { data } = useCameras();
  const camera: Camera | undefined = data?.find((c) => c.id === id);
  if (!camera) return <div className={styles.unseen} />;
  return (
    <Tile
      camera={camera}
      stream={camera.sub ? 'sub' : 'main'}
      onOpen={(focus) => void navigate({ to: '/cameras', search: { focus } })}
    />
  );
}
