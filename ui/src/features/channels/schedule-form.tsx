import { ActionIcon, Button, MultiSelect, NumberInput, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { ownZone } from '../../ui/zone';
import { FormDialog } from '../settings/dialog';
import { faultUnder } from './fields';
import { TimesFields, zones } from './hours';
import styles from './oncall.module.css';
import { channelsQuery, type Member, type Schedule } from './queries';
import routing from './routing.module.css';
import { freshLayer, type LayerDraft, layerDraft, layerOf } from './schedules';

/** Adds a schedule, or changes one: layers of people who take turns. */
export function ScheduleForm({
  of,
  close,
  changed,
}: {
  of?: Schedule;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [zone, setZone] = useState(of?.timeZone ?? ownZone());
  const [layers, setLayers] = useState<LayerDraft[]>(
    () => of?.layers?.map(layerDraft) ?? [freshLayer(Date.now())],
  );
  const body = { name: name.trim(), timeZone: zone, layers: layers.map(layerOf) };
  return (
    <FormDialog
      title={of ? t('channels.editTitle', { name: of.name }) : t('channels.scheduleAdd')}
      close={close}
      send={() =>
        of
          ? ok(api.PATCH('/oncall/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/oncall', { body }))
      }
      sent={changed}
      action={of ? t('channels.save') : t('channels.scheduleAdd')}
      failed={t('channels.scheduleNotSaved')}
      ready={name.trim() !== '' && layers.every((l) => l.members.every((m) => m.name.trim() !== ''))}
    >
      {(failure) => {
        const error = failure instanceof Problem ? failure : null;
        return (
          <>
            <div className={routing.pair}>
              <TextInput
                label={t('channels.name')}
                value={name}
                onChange={(e) => setName(e.currentTarget.value)}
                error={faultUnder(error, 'name')}
                required
                maxLength={64}
                autoComplete="off"
                data-autofocus
              />
              <Select
                label={t('channels.timeZone')}
                data={zones()}
                value={zone}
                onChange={(v) => v && setZone(v)}
                searchable
                limit={60}
                allowDeselect={false}
                error={faultUnder(error, 'timeZone')}
              />
            </div>
            {layers.map((l, i) => (
              <LayerFields
                key={i}
                layer={l}
                n={i}
                many={layers.length > 1}
                change={(part) => setLayers(layers.map((x, k) => (k === i ? { ...x, ...part } : x)))}
                drop={() => setLayers(layers.filter((_, k) => k !== i))}
                error={error}
              />
            ))}
            {layers.length < 10 && (
              <div>
                <Button
                  variant="default"
                  leftSection={<Icon name="plus" size={14} />}
                  onClick={() => setLayers([...layers, freshLayer(Date.now())])}
                >
                  {t('channels.layerAdd')}
                </Button>
                <p className="meta">{t('channels.layerHint')}</p>
              </div>
            )}
          </>
        );
      }}
    </FormDialog>
  );
}

function LayerFields({
  layer: l,
  n,
  many,
  change,
  drop,
  error,
}: {
  layer: LayerDraft;
  n: number;
  many: boolean;
  change: (part: Partial<LayerDraft>) => void;
  drop: () => void;
  error: Problem | null;
}) {
  const t = useT();
  const at = `layers[${n}]`;
  const set = (i: number, part: Partial<Member>) =>
    change({ members: l.members.map((m, k) => (k === i ? { ...m, ...part } : m)) });
  return (
    <fieldset className={styles.layer}>
      <legend className="srOnly">{t('channels.layer', { n: n + 1 })}</legend>
      {many && (
        <div className={styles.layerHead}>
          <p className={form.label}>{t('channels.layer', { n: n + 1 })}</p>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label={t('channels.layerRemove', { n: n + 1 })}
            onClick={drop}
          >
            <Icon name="trash" size={16} />
          </ActionIcon>
        </div>
      )}
      {l.members.map((m, i) => (
        <MemberFields
          key={i}
          n={i + 1}
          member={m}
          change={(part) => set(i, part)}
          {...(l.members.length > 1
            ? { drop: () => change({ members: l.members.filter((_, k) => k !== i) }) }
            : {})}
          at={`${at}.members[${i}]`}
          error={error}
        />
      ))}
      <div>
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => change({ members: [...l.members, { name: '', channels: [] }] })}
        >
          {t('channels.memberAdd')}
        </Button>
      </div>
      <div className={routing.three}>
        <NumberInput
          label={t('channels.rotation')}
          suffix=" d"
          value={l.rotationDays}
          onChange={(v) => change({ rotationDays: v })}
          min={1}
          max={366}
          allowDecimal={false}
          error={faultUnder(error, `${at}.rotationDays`)}
        />
        <TextInput
          type="date"
          label={t('channels.start')}
          value={l.start}
          onChange={(e) => change({ start: e.currentTarget.value })}
          error={faultUnder(error, `${at}.start`)}
          required
        />
        <TextInput
          type="time"
          label={t('channels.handover')}
          value={l.handover}
          onChange={(e) => change({ handover: e.currentTarget.value })}
          error={faultUnder(error, `${at}.handover`)}
          required
        />
      </div>
      <TimesFields
        label={t('channels.layerHours')}
        hint={t('channels.layerHoursHint')}
        add={t('channels.layerHoursAdd')}
        items={l.hours}
        change={(hours) => change({ hours })}
        fresh={() => ({ days: [] as string[], from: '22:00', to: '06:00' })}
        at={`${at}.hours`}
        error={error}
      />
    </fieldset>
  );
}

/** Somebody, and the channels that reach them. */
export function MemberFields({
  n,
  member: m,
  change,
  drop,
  at,
  error,
}: {
  n?: number;
  member: Member;
  change: (part: Partial<Member>) => void;
  drop?: () => void;
  at: string;
  error: Problem | null;
}) {
  const t = useT();
  const { data: channels } = useQuery(channelsQuery());
  return (
    <div className={styles.member}>
      <TextInput
        label={n === undefined ? t('channels.person') : t('channels.member', { n })}
        value={m.name}
        onChange={(e) => change({ name: e.currentTarget.value })}
        error={faultUnder(error, `${at}.name`)}
        required
        maxLength={64}
        autoComplete="off"
      />
      <MultiSelect
        label={n === undefined ? t('channels.reachedBy') : t('channels.reachedByOf', { n })}
        data={(channels ?? []).map((c) => ({ value: c.id, label: c.name }))}
        value={m.channels}
        onChange={(v) => change({ channels: v })}
        nothingFoundMessage={t('channels.noneYet')}
        error={faultUnder(error, `${at}.channels`)}
      />
      {drop && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={28}
          aria-label={t('channels.memberRemove', { n: n ?? 1 })}
          onClick={drop}
        >
          <Icon name="trash" size={16} />
        </ActionIcon>
      )}
    </div>
  );
}
