import { CloseButton, Select, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { type MessageKey, useT } from '../../i18n/i18n';
import { FAMILIES, type Family } from '../../live/status';
import chip from '../../ui/chip.module.css';
import { Icon } from '../../ui/icons';
import { familyKey, StateShape } from '../../ui/state';
import { parseStates, type StationSearch } from './filter';
import styles from './filters.module.css';
import { useTags } from './tags';

type Props = {
  filter: StationSearch;
  change: (part: Partial<StationSearch>) => void;
  children?: ReactNode;
};

export function Filters({ filter, change, children }: Props) {
  const t = useT();
  const tags = useTags();
  const states = new Set(parseStates(filter.state));
  const toggle = (f: Family) => {
    const next = FAMILIES.filter((x) => (x === f ? !states.has(x) : states.has(x)));
    change({ state: next.join(',') || undefined });
  };
  const sorts: [string, MessageKey][] = [
    ['id', 'sort.id'],
    ['state', 'sort.state'],
    ['power', 'sort.power'],
    ['since', 'sort.since'],
  ];
  return (
    <div className={styles.bar}>
      <QueryField value={filter.q ?? ''} onChange={(q) => change({ q: q || undefined })} />
      <Select
        className={styles.select}
        aria-label={t('sort.label')}
        data={sorts.map(([value, key]) => ({ value, label: t(key) }))}
        value={filter.sort ?? 'id'}
        allowDeselect={false}
        onChange={(v) =>
          change({ sort: v === 'id' || v === null ? undefined : (v as StationSearch['sort']) })
        }
      />
      {(tags.length > 0 || filter.tag) && (
        <Select
          className={styles.select}
          aria-label={t('filter.tag')}
          placeholder={t('filter.tag')}
          data={[...new Set([...tags, ...(filter.tag ? [filter.tag] : [])])]}
          value={filter.tag ?? null}
          onChange={(v) => change({ tag: v ?? undefined })}
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
          searchable
          limit={100}
        />
      )}
      <div className={styles.acts}>{children}</div>
      <fieldset className={styles.states}>
        <legend className="srOnly">{t('filter.state')}</legend>
        {FAMILIES.map((f) => (
          <button
            key={f}
            type="button"
            className={chip.chip}
            aria-pressed={states.has(f)}
            onClick={() => toggle(f)}
          >
            <StateShape family={f} size={14} />
            {t(familyKey(f))}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

/** Typing is answered at once; the address bar follows when the hand rests. */
function QueryField({ value, onChange }: { value: string; onChange: (q: string) => void }) {
  const t = useT();
  const [text, setText] = useState(value);
  const [sent, setSent] = useState(value);
  if (value !== sent) {
    setSent(value);
    setText(value);
  }
  useEffect(() => {
    if (text === sent) return;
    const timer = setTimeout(() => {
      setSent(text);
      onChange(text);
    }, 200);
    return () => clearTimeout(timer);
  }, [text, sent, onChange]);
  return (
    <TextInput
      className={styles.query}
      data-filter-field
      aria-label={t('filter.query')}
      placeholder={t('filter.query')}
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Escape') {
          setText('');
          e.currentTarget.blur();
        }
      }}
      leftSection={<Icon name="search" size={16} />}
      rightSection={
        text ? <CloseButton size="sm" aria-label={t('filter.clear')} onClick={() => setText('')} /> : null
      }
    />
  );
}
