import { Button, Select, Switch, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { messagesQuery } from '../../api/queries';
import type { Message } from '../../api/shapes';
import { bytes } from '../../format/quantity';
import { exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useTopic } from '../../live/hooks';
import { CopyButton } from '../../ui/copy';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useZone, ZoneNote } from '../../ui/zone';
import { clockMillis, pretty, summarise } from './frame-words';
import { type Answer, answers, mergeMessages } from './merge';
import styles from './messages.module.css';
import { Exports } from './messages-export';
import { quirkWords } from './quirks';

const LIMIT = 8000;

/** The conversation with the station as it went over the wire, newest first. */
export function Messages({ station }: { station: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const [live, setLive] = useState<Message[]>([]);
  const [follow, setFollow] = useState(true);
  const [held, setHeld] = useState<Message[] | null>(null);
  const [text, setText] = useState('');
  const [direction, setDirection] = useState<string | null>(null);
  const [action, setAction] = useState<string | null>(null);
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    messagesQuery(
      station,
      direction === 'in' || direction === 'out' ? direction : undefined,
      action ?? undefined,
    ),
  );
  useTopic(`messages/${station}`, 'messages', (frame) => {
    if (frame.station === station) setLive((before) => mergeMessages(before, frame.items, LIMIT));
  });
  const told = useMemo(() => data?.pages.flatMap((p) => p.items) ?? [], [data]);
  const all = useMemo(() => mergeMessages(told, live, LIMIT), [told, live]);
  // A reader who went back sees what was there, and what they fetched since.
  const newest = held?.[0]?.at ?? '';
  const base = useMemo(
    () => (follow || held === null ? all : all.filter((m) => m.at <= newest)),
    [follow, held, all, newest],
  );
  const waiting = all.length - base.length;
  const answered = useMemo(() => answers(base), [base]);
  const seen = useRef(new Set<string>());
  const actions = useMemo(() => {
    for (const m of all) if (m.action) seen.current.add(m.action);
    return [...seen.current].sort();
  }, [all]);
  const shown = useMemo(() => {
    const q = text.trim().toLowerCase();
    return base.filter(
      (m) =>
        (!direction || m.direction === direction) &&
        (!action || (m.action || answered.get(m)?.action) === action) &&
        (q === '' || m.frame.toLowerCase().includes(q) || m.action.toLowerCase().includes(q)),
    );
  }, [base, answered, text, direction, action]);
  const oldest = base.at(-1)?.at;
  const setFollowing = (on: boolean) => {
    setFollow(on);
    setHeld((was) => (on ? null : (was ?? all)));
  };
  return (
    <Panel
      title={t('messages.title')}
      flush
      aside={
        <>
          <ZoneNote />
          <Switch
            size="xs"
            label={t('messages.follow')}
            checked={follow}
            onChange={(e) => setFollowing(e.currentTarget.checked)}
          />
        </>
      }
    >
      <div className={styles.filters}>
        <TextInput
          data-filter-field
          className={styles.query}
          aria-label={t('messages.query')}
          placeholder={t('messages.query')}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          leftSection={<Icon name="search" size={16} />}
        />
        <Select
          className={styles.select}
          aria-label={t('messages.direction')}
          placeholder={t('messages.both')}
          data={[
            { value: 'in', label: t('messages.in') },
            { value: 'out', label: t('messages.out') },
          ]}
          value={direction}
          onChange={setDirection}
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
        />
        <Select
          className={styles.select}
          aria-label={t('messages.action')}
          placeholder={t('messages.anyAction')}
          data={actions}
          value={action}
          onChange={setAction}
          clearable
          searchable
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
        />
        {waiting > 0 && (
          <Button size="compact-sm" variant="default" onClick={() => setHeld(all)}>
            {t('messages.new', { n: waiting })}
          </Button>
        )}
      </div>
      {error && !data && live.length === 0 ? (
        <Failed what={t('messages.title')} error={error} retry={() => void refetch()} />
      ) : !data && live.length === 0 ? (
        <Skeleton rows={6} />
      ) : shown.length === 0 ? (
        <Empty title={all.length === 0 ? t('messages.none') : t('messages.noMatch')}>
          {all.length === 0 ? t('messages.noneText') : t('messages.noMatchText')}
        </Empty>
      ) : (
        <Log messages={shown} answered={answered} follow={follow} setFollow={setFollowing} />
      )}
      {(hasNextPage || shown.length > 0) && (
        <div className={styles.foot}>
          <span className="meta num" role="status">
            {t('messages.count', { n: shown.length })}
            {oldest !== undefined && (
              <> · {t('messages.since', { at: exact(tag, Date.parse(oldest), zone) })}</>
            )}
          </span>
          {hasNextPage && (
            <Button
              size="compact-sm"
              variant="default"
              loading={isFetchingNextPage}
              onClick={() => {
                setFollowing(false);
                void fetchNextPage();
              }}
            >
              {t('messages.older')}
            </Button>
          )}
          {!hasNextPage && data && <span className="meta">{t('messages.begin')}</span>}
          <Exports station={station} messages={shown} answered={answered} />
        </div>
      )}
    </Panel>
  );
}

const idOf = (m: Message): string => `${m.at}/${m.direction}/${m.type}/${m.messageId}`;

function Log({
  messages,
  answered,
  follow,
  setFollow,
}: {
  messages: Message[];
  answered: Map<Message, Answer>;
  follow: boolean;
  setFollow: (on: boolean) => void;
}) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 32,
    getItemKey: (i) => idOf(messages[i]!),
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: following means: back to the newest whenever one came
  useEffect(() => {
    if (follow && scroller.current) scroller.current.scrollTop = 0;
  }, [messages, follow]);
  return (
    <div
      ref={scroller}
      className={`${styles.log} scroll`}
      role="list"
      aria-label={t('messages.title')}
      // Reading back, by wheel, finger or keys, stops the log from running away.
      onScroll={(e) => follow && e.currentTarget.scrollTop > 8 && setFollow(false)}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const m = messages[item.index]!;
          const id = idOf(m);
          return (
            <div
              key={item.key}
              role="listitem"
              ref={virtual.measureElement}
              data-index={item.index}
              className={styles.item}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Entry
                message={m}
                answer={answered.get(m)}
                open={open === id}
                toggle={() => {
                  if (open !== id && follow) setFollow(false);
                  setOpen(open === id ? null : id);
                }}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Entry({
  message: m,
  answer,
  open,
  toggle,
}: {
  message: Message;
  answer: Answer | undefined;
  open: boolean;
  toggle: () => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const at = Date.parse(m.at);
  const bad = m.type === '' || m.type === 'CALLERROR' || m.type === 'CALLRESULTERROR';
  return (
    <>
      <button type="button" className={styles.line} aria-expanded={open} onClick={toggle} data-bad={bad}>
        <time className={`${styles.time} num`} dateTime={m.at} title={exact(tag, at, zone)}>
          {clockMillis(tag, at, zone)}
        </time>
        <span
          className={styles.direction}
          title={m.direction === 'in' ? t('messages.in') : t('messages.out')}
        >
          <Icon name={m.direction === 'in' ? 'in' : 'out'} size={14} />
          <span className="srOnly">{m.direction === 'in' ? t('messages.in') : t('messages.out')}</span>
        </span>
        <span className={styles.action}>
          {m.action || answer?.action || '–'}
          {m.type !== 'CALL' && (
            <span className={styles.kind}>{t(m.type === '' ? 'frame.unreadable' : `frame.${m.type}`)}</span>
          )}
        </span>
        <span className={`${styles.summary} mono`}>{summarise(m)}</span>
        <span>
          {m.quirks.length > 0 && (
            <span className={styles.quirks}>{t('messages.quirks', { n: m.quirks.length })}</span>
          )}
        </span>
        <span className={`${styles.took} num`}>{answer ? `${answer.ms} ms` : ''}</span>
        <span className={`${styles.bytes} num`}>{bytes(tag, m.bytes)}</span>
      </button>
      {open && (
        <div className={styles.detail}>
          {m.quirks.length > 0 && (
            <ul className={styles.quirkList}>
              {m.quirks.map((q) => (
                <li key={q}>
                  {quirkWords(t, q)} <code className="meta mono">{q}</code>
                </li>
              ))}
            </ul>
          )}
          <div className={styles.copy}>
            <CopyButton value={m.frame} what={t('messages.frame')} />
          </div>
          <pre
            className={`${styles.json} mono scroll`}
            tabIndex={0}
            role="region"
            aria-label={t('messages.frame')}
          >
            {pretty(m.frame)}
          </pre>
          <details className={styles.raw}>
            <summary>{t('messages.raw')}</summary>
            <code className="mono">{m.frame}</code>
          </details>
        </div>
      )}
    </>
  );
}
