import { ActionIcon, Button, Chip, Group, Select, TextInput } from '@mantine/core';
import type { Problem } from '../../api/problem';
import { type Translate, useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { faultUnder } from './fields';
import styles from './routing.module.css';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Times of the week; without a zone they follow the clock of what they are part of. */
export type Times = { days?: string[]; from: string; to: string; timeZone?: string };

export const zones = (): string[] => Intl.supportedValuesOf('timeZone');

/** "Mon, Tue 22:00–06:00", every day without days. */
export function timesText(t: Translate, h: Times): string {
  const days = DAYS.filter((d) => h.days?.includes(d));
  const which =
    days.length === 0 || days.length === 7
      ? t('channels.day.all')
      : days.map((d) => t(`channels.day.${d}`)).join(', ');
  const when = h.from === h.to ? t('channels.day.whole') : `${h.from}–${h.to}`;
  return `${which} ${when}`;
}

/** Times of the week to be filled in, each with its days. */
export function TimesFields<T extends Times>({
  label,
  hint,
  add,
  items,
  change,
  fresh,
  at,
  error,
}: {
  label: string;
  hint: string;
  add: string;
  items: readonly T[];
  change: (next: T[]) => void;
  fresh: () => T;
  /** Where the server says what is wrong with them. */
  at: string;
  error: Problem | null;
}) {
  const t = useT();
  const set = (i: number, part: Partial<Times>) =>
    change(items.map((h, n) => (n === i ? { ...h, ...part } : h)));
  return (
    <fieldset className={styles.group}>
      <legend>{label}</legend>
      <p className="meta">{hint}</p>
      {items.map((h, i) => (
        <div key={i} className={styles.box}>
          <Chip.Group multiple value={h.days ?? []} onChange={(days) => set(i, { days })}>
            <Group gap={4} role="group" aria-label={t('channels.days')}>
              {DAYS.map((d) => (
                <Chip key={d} value={d} size="xs" radius="sm" variant="outline" color="gray">
                  {t(`channels.day.${d}`)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <ActionIcon
            className={styles.drop}
            variant="subtle"
            color="gray"
            size={28}
            aria-label={t('channels.timesRemove', { n: i + 1 })}
            onClick={() => change(items.filter((_, n) => n !== i))}
          >
            <Icon name="trash" size={16} />
          </ActionIcon>
          <div className={styles.times}>
            <TextInput
              type="time"
              label={t('channels.timesFrom')}
              value={h.from}
              onChange={(e) => set(i, { from: e.currentTarget.value })}
              error={faultUnder(error, `${at}[${i}].from`)}
              required
            />
            <TextInput
              type="time"
              label={t('channels.timesTo')}
              value={h.to}
              onChange={(e) => set(i, { to: e.currentTarget.value })}
              error={faultUnder(error, `${at}[${i}].to`)}
              required
            />
            {h.timeZone !== undefined && (
              <Select
                label={t('channels.timeZone')}
                data={zones()}
                value={h.timeZone}
                onChange={(v) => v && set(i, { timeZone: v })}
                searchable
                limit={60}
                allowDeselect={false}
                error={faultUnder(error, `${at}[${i}].timeZone`)}
              />
            )}
          </div>
        </div>
      ))}
      {items.length < 20 && (
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => change([...items, fresh()])}
        >
          {add}
        </Button>
      )}
    </fieldset>
  );
}
