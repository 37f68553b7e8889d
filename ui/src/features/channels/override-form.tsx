import { Chip, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { HOUR } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { FormDialog } from '../settings/dialog';
import { faultUnder } from './fields';
import type { Member, Schedule } from './queries';
import routing from './routing.module.css';
import { MemberFields } from './schedule-form';
import { peopleOf } from './schedules';

/** Somebody stands in for whoever would be on call. */
export function OverrideForm({
  of,
  close,
  changed,
}: {
  of: Schedule;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [member, setMember] = useState<Member>({ name: '', channels: [] });
  const [from, setFrom] = useState(() => toClock(Date.now(), of.timeZone));
  const [to, setTo] = useState(() => toClock(Date.now() + 8 * HOUR, of.timeZone));
  const begin = fromClock(from, of.timeZone);
  const end = fromClock(to, of.timeZone);
  const people = peopleOf(of);
  const known = of.overrides ?? [];
  const at = `overrides[${known.length}]`;
  return (
    <FormDialog
      title={t('channels.overrideTitle', { name: of.name })}
      close={close}
      send={() =>
        ok(
          api.PATCH('/oncall/{id}', {
            params: { path: { id: of.id ?? '' } },
            body: {
              overrides: [
                ...known,
                {
                  from: new Date(begin).toISOString(),
                  to: new Date(end).toISOString(),
                  member: { ...member, name: member.name.trim() },
                },
              ],
            },
          }),
        )
      }
      sent={changed}
      action={t('channels.overrideAdd')}
      failed={t('channels.scheduleNotSaved')}
      ready={member.name.trim() !== '' && !Number.isNaN(begin) && !Number.isNaN(end)}
    >
      {(failure) => {
        const error = failure instanceof Problem ? failure : null;
        return (
          <>
            {people.length > 0 && (
              <div>
                <p className={form.label}>{t('channels.overrideWho')}</p>
                <Chip.Group
                  value={people.find((m) => m.name === member.name)?.name ?? ''}
                  onChange={(name) => {
                    const known = people.find((m) => m.name === name);
                    if (known) setMember(known);
                  }}
                >
                  <Group gap={6} role="group" aria-label={t('channels.overrideWho')}>
                    {people.map((m) => (
                      <Chip key={m.name} value={m.name} size="xs" radius="sm" variant="outline" color="gray">
                        {m.name}
                      </Chip>
                    ))}
                  </Group>
                </Chip.Group>
              </div>
            )}
            <MemberFields
              member={member}
              change={(part) => setMember((m) => ({ ...m, ...part }))}
              at={`${at}.member`}
              error={error}
            />
            <div className={routing.pair}>
              <TextInput
                type="datetime-local"
                label={t('channels.timesFrom')}
                value={from}
                onChange={(e) => setFrom(e.currentTarget.value)}
                error={faultUnder(error, `${at}.from`)}
                required
              />
              <TextInput
                type="datetime-local"
                label={t('channels.timesTo')}
                value={to}
                onChange={(e) => setTo(e.currentTarget.value)}
                error={faultUnder(error, `${at}.to`)}
                required
              />
            </div>
            <p className="meta">{t('channels.overrideZone', { zone: of.timeZone })}</p>
          </>
        );
      }}
    </FormDialog>
  );
}
