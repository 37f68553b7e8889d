import { MultiSelect, NumberInput, Radio, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { type Airlock, type Area, placeOf } from './areas';
import { type Door, doorName } from './door';

const FORGET = 12;

type Common = {
  sites: readonly Site[] | undefined;
  doors: readonly Door[] | undefined;
  close: () => void;
  changed: () => unknown;
};

const choicesAt = (doors: readonly Door[] | undefined, site: string | null) =>
  (doors ?? [])
    .filter((d) => d.siteId === site && d.controller !== '')
    .map((d) => ({ value: placeOf(d.id), label: doorName(d) }));

/** Whether all doors are at one board, which then can keep a rule by itself. */
function oneBoard(doors: readonly Door[] | undefined, places: readonly string[]): boolean {
  const of = places.map((p) => doors?.find((d) => placeOf(d.id) === p));
  return of.length > 0 && of.every((d) => d?.driver === 'uhppote' && d.controller === of[0]?.controller);
}

/** What is wrong with a list or with one of its entries. */
const listFault = (error: unknown, field: string) =>
  faultAt(error, field) ?? [0, 1, 2, 3, 4, 5].map((i) => faultAt(error, `${field}[${i}]`)).find(Boolean);

/** A part of a site whose doors say who is inside. */
export function AreaForm({ of, sites, doors, close, changed }: Common & { of: Area | undefined }) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [ins, setIns] = useState<string[]>(of?.in ?? []);
  const [outs, setOuts] = useState<string[]>(of?.out ?? []);
  const [mode, setMode] = useState<Area['mode']>(of?.mode ?? 'soft');
  const [board, setBoard] = useState(of?.board ?? false);
  const [forget, setForget] = useState<number | string>(of?.forgetAfterHours || FORGET);
  const mayBoard = mode === 'hard' && outs.length > 0 && oneBoard(doors, [...ins, ...outs]);
  const choices = choicesAt(doors, site);
  const body: Area = {
    name: name.trim(),
    siteId: site ?? '',
    in: ins,
    out: outs,
    mode,
    board: board && mayBoard,
    forgetAfterHours: Number(forget) || FORGET,
  };
  return (
    <FormDialog
      title={of ? t('doors.editTitle', { name: of.name }) : t('doors.area.add')}
      close={close}
      send={() =>
        of?.id
          ? ok(api.PUT('/access/areas/{id}', { params: { path: { id: of.id } }, body }))
          : ok(api.POST('/access/areas', { body }))
      }
      sent={changed}
      action={t(of ? 'doors.save' : 'doors.area.add')}
      failed={t('doors.notSaved')}
      ready={site !== null && name.trim() !== '' && ins.length > 0}
    >
      {(error) => (
        <>
          <TextInput
            label={t('doors.name')}
            placeholder={t('doors.area.example')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={100}
            autoComplete="off"
            required
            data-autofocus
          />
          <Select
            label={t('doors.site')}
            data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={(v) => {
              setSite(v);
              setIns([]);
              setOuts([]);
            }}
            error={faultAt(error, 'siteId')}
            searchable
            required
          />
          <MultiSelect
            label={t('doors.area.in')}
            description={t('doors.area.inHint')}
            data={choices.filter((c) => !outs.includes(c.value))}
            value={ins}
            onChange={setIns}
            error={listFault(error, 'in')}
            disabled={site === null}
            required
          />
          <MultiSelect
            label={t('doors.area.out')}
            description={t('doors.area.outHint')}
            data={choices.filter((c) => !ins.includes(c.value))}
            value={outs}
            onChange={setOuts}
            error={listFault(error, 'out')}
            disabled={site === null}
          />
          <Radio.Group
            label={t('doors.area.mode')}
            value={mode}
            onChange={(v) => setMode(v as Area['mode'])}
            error={faultAt(error, 'mode')}
          >
            <Stack gap={8} mt={4}>
              <Radio value="soft" label={t('doors.area.soft')} description={t('doors.area.softHint')} />
              <Radio value="hard" label={t('doors.area.hard')} description={t('doors.area.hardHint')} />
            </Stack>
          </Radio.Group>
          {mode === 'hard' && (
            <Switch
              label={t('doors.board')}
              description={t(mayBoard ? 'doors.area.boardHint' : 'doors.area.boardNot')}
              checked={board && mayBoard}
              disabled={!mayBoard}
              onChange={(e) => setBoard(e.currentTarget.checked)}
              error={faultAt(error, 'board')}
            />
          )}
          <NumberInput
            label={t('doors.area.forget')}
            description={t('doors.area.forgetHint')}
            value={forget}
            onChange={setForget}
            error={faultAt(error, 'forgetAfterHours')}
            min={1}
            max={168}
            allowDecimal={false}
            suffix=" h"
          />
        </>
      )}
    </FormDialog>
  );
}

/** A group of doors of which only one opens at a time. */
export function AirlockForm({ of, sites, doors, close, changed }: Common & { of: Airlock | undefined }) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [list, setList] = useState<string[]>(of?.doors ?? []);
  const [board, setBoard] = useState(of?.board ?? false);
  const [wayOut, setWayOut] = useState(of?.wayOut ?? false);
  const mayBoard = oneBoard(doors, list);
  const keeps = board && mayBoard;
  const blind = list.filter((p) => doors?.some((d) => placeOf(d.id) === p && !d.contact));
  const body: Airlock = {
    name: name.trim(),
    siteId: site ?? '',
    doors: list,
    board: keeps,
    wayOut: keeps && wayOut,
  };
  return (
    <FormDialog
      title={of ? t('doors.editTitle', { name: of.name }) : t('doors.airlock.add')}
      close={close}
      send={() =>
        of?.id
          ? ok(api.PUT('/access/airlocks/{id}', { params: { path: { id: of.id } }, body }))
          : ok(api.POST('/access/airlocks', { body }))
      }
      sent={changed}
      action={t(of ? 'doors.save' : 'doors.airlock.add')}
      failed={t('doors.notSaved')}
      ready={site !== null && name.trim() !== '' && list.length > 1 && (!keeps || wayOut)}
    >
      {(error) => (
        <>
          <TextInput
            label={t('doors.name')}
            placeholder={t('doors.airlock.example')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={100}
            autoComplete="off"
            required
            data-autofocus
          />
          <Select
            label={t('doors.site')}
            data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={(v) => {
              setSite(v);
              setList([]);
            }}
            error={faultAt(error, 'siteId')}
            searchable
            required
          />
          <MultiSelect
            label={t('doors.airlock.doors')}
            description={t('doors.airlock.doorsHint')}
            data={choicesAt(doors, site)}
            value={list}
            onChange={setList}
            error={listFault(error, 'doors') ?? (blind.length > 0 ? t('doors.airlock.blind') : undefined)}
            disabled={site === null}
            maxValues={4}
            required
          />
          <Switch
            label={t('doors.board')}
            description={t(mayBoard ? 'doors.airlock.boardHint' : 'doors.airlock.boardNot')}
            checked={keeps}
            disabled={!mayBoard}
            onChange={(e) => setBoard(e.currentTarget.checked)}
            error={faultAt(error, 'board')}
          />
          {keeps && (
            <Switch
              label={t('doors.airlock.wayOut')}
              description={t('doors.airlock.wayOutHint')}
              checked={wayOut}
              onChange={(e) => setWayOut(e.currentTarget.checked)}
              error={faultAt(error, 'wayOut')}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
