import { ActionIcon, Button, MultiSelect, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { useT, useTag } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import { cellOf, daysText, hoursText, paint, WEEK } from './hours';
import { type Hours, holidaysQuery, type Schedule } from './queries';

const HOLIDAYS = ['closed', 'sunday', 'usual'] as const;

/** A week drawn by hand, and the same week in lines for what is finer than an hour. */
export function ScheduleForm({
  of,
  close,
  changed,
}: {
  of?: Schedule | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const { data: calendars } = useQuery(holidaysQuery());
  const [name, setName] = useState(of?.name ?? '');
  const [open, setOpen] = useState<Hours[]>(of?.open ?? []);
  const [calendar, setCalendar] = useState<string | null>(of?.calendar || null);
  const [onHoliday, setOnHoliday] = useState<(typeof HOLIDAYS)[number]>(
    HOLIDAYS.find((h) => h === of?.onHoliday) ?? 'closed',
  );
  const body = { name: name.trim(), open, ...(calendar ? { calendar } : {}), onHoliday };
  const set = (i: number, part: Partial<Hours>) =>
    setOpen(open.map((h, k) => (k === i ? { ...h, ...part } : h)));
  return (
    <FormDialog
      title={of ? t('access.editTitle', { name: of.name }) : t('access.addSchedule')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/access/schedules/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/access/schedules', { body }))
      }
      sent={changed}
      action={of ? t('access.save') : t('access.addSchedule')}
      failed={t('access.notSaved')}
      wide
      ready={name.trim() !== '' && open.every((h) => h.days.length > 0 && h.from && h.to)}
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
          <Grid open={open} change={setOpen} />
          <p className="meta" role="status">
            {hoursText(tag, open) || t('access.never')}. {t('access.siteClock')}
          </p>
          <div className={styles.lines}>
            <p className={form.label}>{t('access.lines')}</p>
            {open.map((h, i) => (
              <div key={i} className={styles.line}>
                <MultiSelect
                  aria-label={t('access.lineDays', { n: i + 1 })}
                  data={WEEK.map((d) => ({ value: String(d), label: daysText(tag, [d]) }))}
                  value={h.days.map(String)}
                  onChange={(days) => set(i, { days: days.map(Number) })}
                  error={faultAt(error, `open[${i}]`)}
                />
                <TextInput
                  type="time"
                  aria-label={t('access.lineFrom', { n: i + 1 })}
                  value={h.from}
                  onChange={(e) => set(i, { from: e.currentTarget.value })}
                />
                <TextInput
                  type="time"
                  aria-label={t('access.lineTo', { n: i + 1 })}
                  value={h.to === '24:00' ? '00:00' : h.to}
                  onChange={(e) =>
                    set(i, { to: e.currentTarget.value === '00:00' ? '24:00' : e.currentTarget.value })
                  }
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size={28}
                  aria-label={t('access.lineRemove', { n: i + 1 })}
                  onClick={() => setOpen(open.filter((_, k) => k !== i))}
                >
                  <Icon name="trash" size={16} />
                </ActionIcon>
              </div>
            ))}
            <div>
              <Button
                variant="default"
                leftSection={<Icon name="plus" size={14} />}
                onClick={() => setOpen([...open, { days: [1, 2, 3, 4, 5], from: '22:00', to: '06:00' }])}
              >
                {t('access.lineAdd')}
              </Button>
              <p className="meta">{t('access.lineHint')}</p>
            </div>
          </div>
          <div className={styles.pair}>
            <Select
              label={t('access.holidays')}
              placeholder={t('access.noCalendar')}
              data={(calendars ?? []).map((c) => ({ value: c.id ?? '', label: c.name }))}
              value={calendar}
              onChange={setCalendar}
              clearable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
              error={faultAt(error, 'calendar')}
            />
            {calendar && (
              <Select
                label={t('access.thatDay')}
                data={HOLIDAYS.map((h) => ({ value: h, label: t(`access.holiday.${h}`) }))}
                value={onHoliday}
                onChange={(v) => setOnHoliday(HOLIDAYS.find((h) => h === v) ?? 'closed')}
                allowDeselect={false}
              />
            )}
          </div>
        </>
      )}
    </FormDialog>
  );
}

const HOURS = Array.from({ length: 24 }, (_, h) => h);

/** Hours of the week, opened and closed by drawing over them or with arrows and space. */
function Grid({ open, change }: { open: Hours[]; change: (next: (was: Hours[]) => Hours[]) => void }) {
  const t = useT();
  const tag = useTag();
  const [focus, setFocus] = useState<[row: number, hour: number]>([0, 8]);
  const drawing = useRef<boolean | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const put = (row: number, hour: number, on: boolean) => {
    if (cellOf(open, WEEK[row]!, hour) !== 'night') change((was) => paint(was, [[WEEK[row]!, hour]], on));
  };
  const key = (e: KeyboardEvent, row: number, hour: number) => {
    const by = {
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    }[e.key];
    if (!by) return;
    e.preventDefault();
    const next: [number, number] = [(row + by[0]! + 7) % 7, (hour + by[1]! + 24) % 24];
    if (e.shiftKey) put(next[0], next[1], cellOf(open, WEEK[row]!, hour) === 'on');
    setFocus(next);
    body.current?.querySelector<HTMLButtonElement>(`[data-at="${next[0]}-${next[1]}"]`)?.focus();
  };
  return (
    <div className={styles.gridWrap} role="region" aria-label={t('access.grid')} tabIndex={0}>
      <table
        className={styles.grid}
        onPointerUp={() => {
          drawing.current = null;
        }}
        onPointerLeave={() => {
          drawing.current = null;
        }}
      >
        <thead>
          <tr>
            <td />
            {[0, 6, 12, 18].map((h) => (
              <th key={h} colSpan={6} scope="colgroup">
                {String(h).padStart(2, '0')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {WEEK.map((d, row) => (
            <tr key={d}>
              <th scope="row">{daysText(tag, [d])}</th>
              {HOURS.map((h) => {
                const state = cellOf(open, d, h);
                return (
                  <td key={h}>
                    <button
                      type="button"
                      className={styles.cell}
                      data-state={state}
                      data-at={`${row}-${h}`}
                      tabIndex={focus[0] === row && focus[1] === h ? 0 : -1}
                      aria-pressed={state === 'part' ? 'mixed' : state !== 'off'}
                      aria-disabled={state === 'night' || undefined}
                      aria-label={`${daysText(tag, [d])} ${String(h).padStart(2, '0')}:00`}
                      onKeyDown={(e) => key(e, row, h)}
                      onFocus={() => setFocus([row, h])}
                      onPointerDown={(e) => {
                        e.currentTarget.releasePointerCapture(e.pointerId);
                        drawing.current = state !== 'on';
                      }}
                      onPointerEnter={(e) => {
                        if (drawing.current !== null && e.buttons === 1) put(row, h, drawing.current);
                      }}
                      onPointerOut={(e) => {
                        // The first cell of a stroke is part of it.
                        if (drawing.current !== null && e.buttons === 1) put(row, h, drawing.current);
                      }}
                      onClick={() => put(row, h, state !== 'on')}
                    />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
