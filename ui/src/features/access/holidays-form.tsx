import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import type { Holidays } from './queries';

type Day = { date: string; name: string };

/** Days on which schedules are not as usual. */
export function HolidaysForm({
  of,
  close,
  changed,
}: {
  of?: Holidays | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [days, setDays] = useState<Day[]>(() =>
    of
      ? Object.entries(of.days)
          .map(([date, called]) => ({ date, name: called }))
          .sort((a, b) => a.date.localeCompare(b.date))
      : [{ date: '', name: '' }],
  );
  const set = (i: number, part: Partial<Day>) =>
    setDays(days.map((d, k) => (k === i ? { ...d, ...part } : d)));
  const filled = days.filter((d) => d.date !== '' || d.name.trim() !== '');
  const body = {
    name: name.trim(),
    days: Object.fromEntries(filled.map((d) => [d.date, d.name.trim()])),
  };
  const twice = new Set(filled.map((d) => d.date)).size < filled.length;
  return (
    <FormDialog
      title={of ? t('access.editTitle', { name: of.name }) : t('access.addHolidays')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/access/holidays/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/access/holidays', { body }))
      }
      sent={changed}
      action={of ? t('access.save') : t('access.addHolidays')}
      failed={t('access.notSaved')}
      ready={name.trim() !== '' && !twice && filled.every((d) => d.date && d.name.trim())}
    >
      {(error) => (
        <>
          <TextInput
            label={t('access.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={100}
            required
            data-autofocus
            autoComplete="off"
          />
          <div className={styles.lines}>
            <p className={form.label}>{t('access.daysOff')}</p>
            {days.map((d, i) => (
              <div key={i} className={styles.two}>
                <TextInput
                  type="date"
                  aria-label={t('access.dayDate', { n: i + 1 })}
                  value={d.date}
                  onChange={(e) => set(i, { date: e.currentTarget.value })}
                />
                <TextInput
                  aria-label={t('access.dayName', { n: i + 1 })}
                  placeholder={t('access.dayNameShort')}
                  value={d.name}
                  onChange={(e) => set(i, { name: e.currentTarget.value })}
                  maxLength={100}
                  error={faultAt(error, `days.${d.date}`)}
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size={28}
                  aria-label={t('access.dayRemove', { n: i + 1 })}
                  onClick={() => setDays(days.filter((_, k) => k !== i))}
                >
                  <Icon name="trash" size={16} />
                </ActionIcon>
              </div>
            ))}
            {twice && <p className={styles.bad}>{t('access.dayTwice')}</p>}
            <div>
              <Button
                variant="default"
                leftSection={<Icon name="plus" size={14} />}
                onClick={() => setDays([...days, { date: '', name: '' }])}
              >
                {t('access.dayAdd')}
              </Button>
            </div>
          </div>
        </>
      )}
    </FormDialog>
  );
}
