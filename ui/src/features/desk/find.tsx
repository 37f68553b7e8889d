import { CloseButton, Loader, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import type { Found } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { FAMILIES } from '../../live/status';
import { Icon, type IconName } from '../../ui/icons';
import { Failed } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { StateShape } from '../../ui/state';
import styles from './desk.module.css';
import { findQuery } from './queries';

const PAUSE = 150;

/** One field for whatever a caller reads out. Arrows choose, Enter opens. */
export function Find({
  initial,
  keep,
  choose,
  autoFocus,
  label,
  small,
}: {
  initial: string;
  keep: (text: string) => void;
  choose: (f: Found) => void;
  autoFocus: boolean;
  label?: string;
  small?: boolean;
}) {
  const t = useT();
  const name = label ?? t('desk.find');
  const list = useId();
  const [text, setText] = useState(initial);
  const [asked, setAsked] = useState(initial.trim());
  const [open, setOpen] = useState(initial !== '');
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const enough = asked.length >= 2;
  const { data, error, isFetching, refetch } = useQuery({
    ...findQuery(asked),
    enabled: enough,
    placeholderData: keepPreviousData,
  });
  const found = enough ? (data ?? []) : [];
  const shown = open && text.trim() !== '';
  const current = Math.min(at, found.length - 1);
  const pick = (f: Found | undefined) => {
    if (!f) return;
    setOpen(false);
    setText('');
    setAsked('');
    choose(f);
  };
  const onKey = (e: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (by !== undefined && found.length > 0) {
      e.preventDefault();
      setAt((current + by + found.length) % found.length);
    } else if (e.key === 'Enter') {
      e.preventDefault();
      // What is on screen must be what was typed.
      if (asked === text.trim() && !isFetching) pick(found[current]);
      else setAsked(text.trim());
    } else if (e.key === 'Escape') {
      setOpen(false);
    }
  };
  return (
    <div className={styles.find} role="search">
      <TextInput
        size={small ? 'sm' : 'md'}
        data-filter-field
        autoFocus={autoFocus}
        aria-label={name}
        placeholder={name}
        role="combobox"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && found[current] ? `${list}-${current}` : undefined}
        value={text}
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
          setOpen(true);
        }}
        onKeyDown={onKey}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          keep(text.trim());
          setOpen(false);
        }}
        leftSection={isFetching && enough ? <Loader size={14} /> : <Icon name="search" size={18} />}
        rightSection={
          text ? <CloseButton aria-label={t('filter.clear')} onClick={() => setText('')} /> : null
        }
      />
      {shown && (
        <div className={styles.hits}>
          {error && !data ? (
            <Failed what={t('desk.find')} error={error} retry={() => void refetch()} />
          ) : (
            <div id={list} role="listbox" aria-label={t('desk.hits')} tabIndex={-1}>
              {found.map((f, i) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
                <div
                  key={`${f.kind}/${f.id}`}
                  id={`${list}-${i}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={i === current}
                  className={styles.hit}
                  onPointerDown={(e) => e.preventDefault()}
                  onClick={() => pick(f)}
                >
                  <Hit found={f} />
                </div>
              ))}
            </div>
          )}
          {found.length === 0 && !error && (
            <p className={styles.hint} role="status">
              {!enough ? t('desk.more') : isFetching ? t('loading') : t('desk.nothing')}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

const icons: Record<Found['kind'], IconName> = {
  station: 'stations',
  evse: 'stations',
  site: 'site',
  token: 'key',
  session: 'session',
};
const kindKey: Record<Found['kind'], MessageKey> = {
  station: 'found.station',
  evse: 'found.evse',
  site: 'found.site',
  token: 'found.token',
  session: 'found.session',
};

function Hit({ found: f }: { found: Found }) {
  const t = useT();
  const { store } = useLive();
  const siteName = useSiteNames();
  const index = f.kind === 'evse' ? store.indexOf(f.id) : -1;
  return (
    <>
      {index >= 0 ? (
        <StateShape family={FAMILIES[store.family[index]!]!} />
      ) : (
        <Icon name={icons[f.kind]} size={16} />
      )}
      <span className={`${styles.hitId} mono`}>{f.match || f.id}</span>
      <span className={styles.hitName}>
        {f.kind === 'evse' || f.by === 'serial'
          ? f.station
          : f.kind === 'station' && f.by !== 'id'
            ? f.id
            : f.label !== f.match
              ? f.label
              : ''}
      </span>
      <span className="meta">
        {t(kindKey[f.kind])}
        {f.kind !== 'site' && f.site && ` · ${siteName(f.site)}`}
      </span>
    </>
  );
}
