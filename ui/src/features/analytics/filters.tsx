// Whose use is shown, of which days, and beside what.
import { Button, MultiSelect, Popover, SegmentedControl, Select, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useScope } from '../../app/view';
import { dayMonth, day as dayName } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { Icon } from '../../ui/icons';
import { useSites } from '../../ui/sites';
import { useZone } from '../../ui/zone';
import styles from './filters.module.css';
import {
  BEFORE,
  DEFAULT,
  dateAt,
  daysOf,
  type PatternsSearch,
  PERIOD_NAMES,
  type Period,
  type Stretch,
  useSetSearch,
} from './search';

/** The days of a stretch, the year once. */
export function daysText(tag: string, s: { first: string; last: string }): string {
  const at = (date: string) => Date.parse(`${date}T12:00Z`);
  if (s.first === s.last) return dayName(tag, at(s.first), 'UTC');
  const begins =
    s.first.slice(0, 4) === s.last.slice(0, 4)
      ? dayMonth(tag, at(s.first), 'UTC')
      : dayName(tag, at(s.first), 'UTC');
  return `${begins} – ${dayName(tag, at(s.last), 'UTC')}`;
}

export function Filters({
  search,
  stretch,
  aside,
}: {
  search: PatternsSearch;
  stretch: Stretch;
  aside?: ReactNode;
}) {
  const t = useT();
  const sites = useSites();
  const scope = useScope();
  const set = useSetSearch<PatternsSearch>();
  const chosen = scope !== undefined ? [scope] : (search.sites?.split(',') ?? []);
  const names = [...sites.values()]
    .map((s) => ({ value: s.id, label: s.name || s.id }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const choose = (ids: string[]) =>
    set({
      site: ids.length === 1 ? ids[0] : undefined,
      sites: ids.length > 1 ? ids.join(',') : undefined,
      with: search.with !== undefined && ids.includes(search.with) ? undefined : search.with,
    });
  return (
    <div className={styles.bar}>
      {sites.size > 1 && (
        <MultiSelect
          size="xs"
          className={styles.sites}
          aria-label={t('analytics.sites')}
          placeholder={chosen.length === 0 ? t('analytics.allSites', { n: sites.size }) : undefined}
          data={names}
          value={chosen}
          onChange={choose}
          searchable
          clearable
          classNames={{ pillsList: styles.pills ?? '', inputField: styles.field ?? '' }}
          renderPill={({ value }) =>
            value === chosen[0] ? (
              <span className={styles.chosen}>
                {chosen.length > 1
                  ? t('analytics.someSites', { n: chosen.length })
                  : (sites.get(chosen[0])?.name ?? chosen[0])}
              </span>
            ) : null
          }
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
          nothingFoundMessage={t('analytics.noSite')}
          maxDropdownHeight={320}
        />
      )}
      <SegmentedControl
        size="xs"
        aria-label={t('analytics.period')}
        value={stretch.period ?? ''}
        onChange={(v) =>
          set({ period: v === DEFAULT ? undefined : (v as Exclude<Period, '8w'>), days: undefined })
        }
        data={PERIOD_NAMES.map((p) => ({ value: p, label: t(`analytics.period.${p}`) }))}
      />
      <Days key={search.days ?? stretch.first} stretch={stretch} set={(days) => set({ days })} />
      <Select
        size="xs"
        className={styles.with}
        aria-label={t('analytics.with')}
        placeholder={t('analytics.with')}
        data={[
          { value: BEFORE, label: t('analytics.with.before') },
          ...names.filter((s) => !chosen.includes(s.value)),
        ]}
        value={search.with ?? null}
        onChange={(v) => set({ with: v ?? undefined })}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': t('analytics.with.none') }}
        nothingFoundMessage={t('analytics.noSite')}
      />
      {aside && <div className={styles.aside}>{aside}</div>}
    </div>
  );
}

function Days({ stretch, set }: { stretch: Stretch; set: (days: string) => void }) {
  const t = useT();
  const tag = useTag();
  const [open, setOpen] = useState(false);
  const [first, setFirst] = useState(stretch.first);
  const [last, setLast] = useState(stretch.last);
  const [fault, setFault] = useState('');
  const own = stretch.period === null;
  const today = dateAt(useNow(60_000), useZone());
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const days = `${first}..${last}`;
    if (!daysOf(days)) {
      setFault(t('analytics.days.order'));
      return;
    }
    setOpen(false);
    set(days);
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={320} trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          className={`num ${styles.days}`}
          data-own={own}
          aria-haspopup="dialog"
          aria-expanded={open}
          aria-label={t('analytics.days.now', { days: daysText(tag, stretch) })}
          onClick={() => setOpen((o) => !o)}
          rightSection={<Icon name="down" size={12} />}
        >
          {daysText(tag, stretch)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('analytics.days')}>
        <form onSubmit={submit} className={styles.form}>
          <TextInput
            type="date"
            label={t('analytics.days.first')}
            value={first}
            max={today}
            onChange={(e) => setFirst(e.currentTarget.value)}
            required
          />
          <TextInput
            type="date"
            label={t('analytics.days.last')}
            value={last}
            max={today}
            onChange={(e) => setLast(e.currentTarget.value)}
            error={fault}
            required
          />
          <Button type="submit">{t('analytics.days.show')}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
