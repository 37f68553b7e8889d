import { Button, SegmentedControl, Select } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { exact, span as lengthOf } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { useZone, ZoneNote } from '../../ui/zone';
import { ExportLink } from '../evidence/link';
import { AddBookmark, Bookmarks } from './bookmarks';
import { byName, type Camera, type WallSearch } from './camera';
import { Chooser, MOST, Save, TypedTime } from './choose';
import { reviewKeys } from './keys';
import { useLanes } from './lanes';
import { Pane } from './pane';
import { Plates, platesOf } from './plates';
import type { Replay } from './replay';
import styles from './review.module.css';
import { kindsOf } from './seen';
import { SeenFilter } from './seenfilter';
import { useThumbs } from './thumbs';
import { stepOf, Track } from './track';
import {
  chunk,
  followed,
  MINUTE,
  opened,
  panned,
  SPANS,
  step,
  USUAL,
  type Win,
  windowAt,
  zoomed,
} from './window';

const SPEEDS = ['0.25', '0.5', '1', '2', '4', '8', '16'];
/** So much before an event it is gone to, that it is seen to begin. */
const LEAD = 2000;

/** What cameras saw: up to four in step, on one axis with what happened. */
export function Review({
  cameras,
  search,
  change,
}: {
  cameras: readonly Camera[];
  search: WallSearch;
  change: (part: Partial<WallSearch>) => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const siteName = useSiteNames();
  const mayErase = useAllowed('cameras.write');
  const { client } = useLive();
  const serverNow = useCallback(() => Date.now() + client.clockOffset, [client]);
  // What is gone comes last: it is looked for, not come across.
  const sorted = useMemo(
    () => [...cameras].sort((a, b) => Number(!!a.removedAt) - Number(!!b.removedAt) || byName(a, b)),
    [cameras],
  );
  const chosen = useMemo(() => {
    const known = new Map(cameras.map((c) => [c.id, c]));
    const asked = search.cams?.split(',').flatMap((id) => known.get(id) ?? []) ?? [];
    return (asked.length > 0 ? asked : sorted.slice(0, 1)).slice(0, MOST);
  }, [cameras, sorted, search.cams]);
  const minutes = search.span ?? USUAL;
  const [at, setAt] = useState(() => search.at ?? serverNow() - 30_000);
  const [win, setWin] = useState(() => windowAt(at, minutes, serverNow()));
  const [playing, setPlaying] = useState(search.at === undefined);
  const [speed, setSpeed] = useState(1);
  const [scrub, setScrub] = useState<number | null>(null);
  const [open, setOpen] = useState<'mark' | 'marks' | 'plates' | null>(null);
  const clock = useRef(at);
  const thumbs = useThumbs();
  const typed = useRef<HTMLInputElement>(null);
  const asked = useMemo(() => chunk(win, serverNow()), [win, serverNow]);
  const only = useMemo(() => kindsOf(search.seen), [search.seen]);
  const read = useLanes(chosen, asked, only);
  const cut = useMemo(() => ordered(search.in, search.out), [search.in, search.out]);

  const go = useCallback(
    (next: number, done = true) => {
      const bounded = Math.min(next, serverNow() - 2000);
      clock.current = bounded;
      setAt(bounded);
      setScrub(done ? null : bounded);
      if (!done) return;
      setWin((w) => followed(w, bounded, serverNow()));
      change({ at: Math.round(bounded) });
    },
    [change, serverNow],
  );
  const jump = useCallback(
    (direction: 1 | -1) => {
      const now = clock.current;
      const list = read.events.filter((m) =>
        direction > 0 ? m.from - LEAD > now + 500 : m.from - LEAD < now - 500,
      );
      const next = direction > 0 ? list[0] : list.at(-1);
      if (next) go(next.from - LEAD);
    },
    [read.events, go],
  );
  const zoom = useCallback(
    (to: number, around: number) => {
      setWin((w) => zoomed(w, to, around, serverNow()));
      change({ span: to === USUAL ? undefined : to });
    },
    [change, serverNow],
  );
  const mark = useCallback(
    (end: 'in' | 'out') => {
      const here = Math.round(clock.current);
      const other = end === 'in' ? cut.out : cut.in;
      // An end on the wrong side of the other begins anew.
      const keep = other !== undefined && (end === 'in' ? other > here : other < here);
      change({
        in: undefined,
        out: undefined,
        ...(keep ? { [end === 'in' ? 'out' : 'in']: other } : {}),
        [end]: here,
      });
    },
    [change, cut],
  );

  const players = useRef(new Map<string, Replay>());
  const placed = useRef(search.at !== undefined);
  const known = useRef<readonly Win[]>([]);
  useEffect(() => {
    const all = read.recorded;
    known.current = all.includes(undefined) ? [] : all.flatMap((r) => r?.spans ?? []);
    if (search.at !== undefined) placed.current = true;
  });
  useEffect(() => {
    let frame = 0;
    let last = performance.now();
    let shown = 0;
    const beat = (now: number) => {
      const passed = Math.min(250, now - last);
      last = now;
      const all = [...players.current.values()];
      const waits = all.some((p) => p.state === 'loading');
      const limit = serverNow() - 3000;
      if (!placed.current) {
        const begin = opened(clock.current, known.current, limit);
        clock.current = begin.at;
        placed.current = begin.done;
      }
      const runs = playing && !waits && scrub === null;
      if (runs) clock.current = Math.min(limit, clock.current + passed * speed);
      // While somebody drags the small pictures follow: seeking would only hold them up.
      if (scrub === null) for (const p of all) p.follow(clock.current, speed, runs, serverNow());
      if (now - shown > 200) {
        shown = now;
        setAt(clock.current);
        if (runs) setWin((w) => followed(w, clock.current, serverNow()));
      }
      frame = requestAnimationFrame(beat);
    };
    frame = requestAnimationFrame(beat);
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, scrub, serverNow]);

  const [keys] = useState(() => reviewKeys());
  const act = useRef<(e: KeyboardEvent) => void>(() => undefined);
  useEffect(() => {
    act.current = (e) => {
      const a = keys(e);
      if (!a || document.querySelector('[role=dialog][aria-modal=true]')) return;
      e.preventDefault();
      switch (a.act) {
        case 'play':
          return setPlaying((p) => !p);
        case 'move':
          return go(clock.current + a.by);
        case 'frame':
          setPlaying(false);
          return go(clock.current + (a.by * 1000) / (chosen[0]?.fps || 15));
        case 'before':
          return jump(-1);
        case 'after':
          return jump(1);
        case 'closer':
          return zoom(step(minutes, -1), clock.current);
        case 'farther':
          return zoom(step(minutes, 1), clock.current);
        case 'now':
          return go(serverNow() - 3000);
        case 'type':
          return typed.current?.focus();
        case 'mark':
          setPlaying(false);
          return setOpen('mark');
        case 'in':
        case 'out':
          return mark(a.act);
      }
    };
  });
  useEffect(() => {
    const on = (e: KeyboardEvent) => act.current(e);
    document.addEventListener('keydown', on);
    return () => document.removeEventListener('keydown', on);
  }, []);

  const put = (ids: readonly string[]) => change({ cams: ids.join(',') || undefined });
  const first = chosen[0];
  return (
    <div className={styles.review}>
      <div className={styles.bar}>
        <Chooser sorted={sorted} chosen={chosen} put={put} siteName={siteName} />
        <TypedTime ref={typed} at={at} zone={zone} go={go} />
        <ZoneNote />
      </div>
      {read.failed ? <Failed what={t('video.review.track')} error={read.failed} retry={read.retry} /> : null}
      <div className={styles.players} data-count={chosen.length}>
        {chosen.map((c, i) => (
          <Pane
            key={c.id}
            camera={c}
            site={siteName(c.siteId)}
            players={players.current}
            scrub={scrub}
            step={stepOf(win.from, win.to, 1000)}
            thumbs={thumbs}
            recorded={read.recorded[i]}
            at={at}
            head={
              chosen.length > 1 && (
                <button
                  type="button"
                  className={styles.drop}
                  aria-label={t('video.review.drop', { name: c.label || c.id })}
                  onClick={() => put(chosen.filter((x) => x !== c).map((x) => x.id))}
                >
                  <Icon name="close" size={14} />
                </button>
              )
            }
          />
        ))}
      </div>
      <div className={styles.controls}>
        <div className={styles.group}>
          <Key keys="p" label={t('video.review.before')} named run={() => jump(-1)}>
            <Icon name="left" size={16} /> {t('video.review.event')}
          </Key>
          <Key keys="j" label={t('video.review.back.long')} run={() => go(clock.current - 10_000)}>
            {t('video.review.back')}
          </Key>
          <Button
            size="compact-sm"
            onClick={() => setPlaying((p) => !p)}
            title="k"
            leftSection={<Icon name={playing ? 'pause' : 'play'} size={16} />}
          >
            {t(playing ? 'video.review.pause' : 'video.review.play')}
          </Button>
          <Key keys="l" label={t('video.review.forward.long')} run={() => go(clock.current + 10_000)}>
            {t('video.review.forward')}
          </Key>
          <Key keys="n" label={t('video.review.after')} named run={() => jump(1)}>
            {t('video.review.event')} <Icon name="right" size={16} />
          </Key>
          <Select
            size="xs"
            w={76}
            aria-label={t('video.review.speed')}
            value={String(speed)}
            onChange={(v) => v && setSpeed(Number(v))}
            data={SPEEDS.map((s) => ({ value: s, label: `${s}×` }))}
            allowDeselect={false}
          />
        </div>
        <span className={styles.at}>{exact(tag, scrub ?? at, zone)}</span>
        <div className={styles.group}>
          <Key keys="i" label={t('video.cut.in.long')} run={() => mark('in')}>
            {t('video.cut.in')}
          </Key>
          <Key keys="o" label={t('video.cut.out.long')} run={() => mark('out')}>
            {t('video.cut.out')}
          </Key>
          {(cut.in !== undefined || cut.out !== undefined) && (
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              onClick={() => change({ in: undefined, out: undefined })}
            >
              {t('video.cut.drop')}
            </Button>
          )}
          <Save cameras={chosen} at={at} cut={cut} />
          {cut.in !== undefined && cut.out !== undefined && (
            <ExportLink cameras={chosen.map((c) => c.id)} from={cut.in} to={cut.out} />
          )}
          <Key keys="b" label={t('video.mark.add')} named run={() => setOpen('mark')}>
            <Icon name="flag" size={16} /> {t('video.mark')}
          </Key>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setOpen('marks')}>
            {t('video.marks.all')}
          </Button>
        </div>
      </div>
      <div className={styles.timeline}>
        <div className={styles.zoom}>
          {read.earliest === null && <p className="meta">{t('video.review.never')}</p>}
          {typeof read.earliest === 'number' && (
            <p className="meta">{t('video.review.since', { at: exact(tag, read.earliest, zone) })}</p>
          )}
          <SeenFilter
            there={read.seen}
            chosen={only}
            choose={(kinds) => change({ seen: kinds.join(',') || undefined })}
          />
          {read.seen.has('plate') && (
            <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setOpen('plates')}>
              {t('video.plates')}
            </Button>
          )}
          <SegmentedControl
            size="xs"
            className={styles.spans ?? ''}
            aria-label={t('video.review.span')}
            value={String(minutes)}
            onChange={(v) => zoom(Number(v), clock.current)}
            data={SPANS.filter((m) => NAMED.has(m) || m === minutes).map((m) => ({
              value: String(m),
              label: lengthOf(m * MINUTE),
            }))}
          />
        </div>
        <Track
          lanes={read.lanes}
          win={win}
          at={scrub ?? at}
          cut={cut}
          go={go}
          thumbs={thumbs}
          zoom={(direction, around) => zoom(step(minutes, direction), around)}
          pan={(by) => setWin((w) => panned(w, by, serverNow()))}
        />
        <p className={styles.hint}>{t('video.review.keys')}</p>
      </div>
      {open === 'mark' && first && (
        <AddBookmark
          camera={first}
          at={cut.in ?? at}
          until={cut.in !== undefined ? cut.out : undefined}
          close={() => setOpen(null)}
        />
      )}
      {open === 'plates' && (
        <Plates
          plates={platesOf(read.sights)}
          mayErase={mayErase}
          close={() => setOpen(null)}
          go={(at) => {
            setOpen(null);
            go(at - LEAD);
          }}
        />
      )}
      {open === 'marks' && (
        <Bookmarks
          cameras={chosen}
          close={() => setOpen(null)}
          go={(b) => {
            setOpen(null);
            go(Date.parse(b.at));
          }}
        />
      )}
    </div>
  );
}

/** Lengths that have a button; the wheel and + and − know more. */
const NAMED = new Set<number>([2, 10, 60, 360, 1440, 10_080]);

/** A button that says its key. */
function Key({
  keys,
  label,
  named = false,
  run,
  children,
}: {
  keys: string;
  label: string;
  named?: boolean;
  run: () => void;
  children: React.ReactNode;
}) {
  return (
    <Button
      size="compact-sm"
      variant="default"
      onClick={run}
      // What stands on it has to be in its name; else the name is what stands on it.
      aria-label={named ? label : undefined}
      aria-keyshortcuts={keys}
      title={`${label} (${keys})`}
    >
      {children}
    </Button>
  );
}

/** Both ends in order; one alone stays what it is. */
export function ordered(
  a: number | undefined,
  b: number | undefined,
): { in?: number | undefined; out?: number | undefined } {
  if (a !== undefined && b !== undefined && a > b) return { in: b, out: a };
  return { in: a, out: b };
}
