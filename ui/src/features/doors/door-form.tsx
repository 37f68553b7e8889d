import { MultiSelect, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { portsQuery } from '../cameras/queries';
import { FormDialog, faultAt } from '../settings/dialog';
import type { Camera } from '../video/camera';
import { type Door, doorName, KINDS, type Kind } from './door';
import styles from './part.module.css';
import { type Controller, controllerName, type Driver } from './setup';
import { isWired, NO_WIRING, type Wiring, WiringFields, wiringOf } from './wiring';

const HELD = 60;
const KEYPADS = ['policy', 'on', 'off'] as const;

/** A door is added or changed: what it is, what moves it, who sees it, what is behind it. */
export function DoorForm({
  of,
  sites,
  controllers,
  cameras,
  close,
  changed,
}: {
  of: Door | undefined;
  sites: readonly Site[] | undefined;
  controllers: readonly Controller[] | undefined;
  cameras: readonly Camera[] | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [label, setLabel] = useState(of?.label ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [kind, setKind] = useState<Kind>(of?.kind ?? 'door');
  const [controller, setController] = useState<string | null>(of?.controller || null);
  const [number, setNumber] = useState<number | string>(of?.number || 1);
  const [keypad, setKeypad] = useState<Door['keypad']>(of?.keypad ?? 'policy');
  const [twoPerson, setTwoPerson] = useState(of?.twoPerson ?? false);
  const [camera, setCamera] = useState<string | null>(of?.cameraId ?? null);
  const [evses, setEvses] = useState<string[]>(of?.evses ?? []);
  const [held, setHeld] = useState<number | string>(of?.heldAfterSeconds ?? HELD);
  const [wiring, setWiring] = useState<Wiring>(of?.wiring ?? NO_WIRING);
  const driver: Driver = controllers?.find((c) => c.id === controller)?.driver ?? 'uhppote';
  const ports = useQuery({ ...portsQuery(site ?? ''), enabled: site !== null });
  const move = (next: string | null) => {
    setSite(next);
    if (next === site) return;
    // What belongs to another site cannot be chosen any more.
    setController(null);
    setCamera(null);
    setEvses([]);
  };
  const choices = (ports.data ?? []).map((p) => ({
    value: p.value,
    label: t('doors.portOf', { station: p.station, n: p.evse }),
  }));
  const body = {
    siteId: site ?? '',
    label: label.trim(),
    kind,
    controller: controller ?? '',
    number: controller ? Number(number) || 0 : 0,
    keypad,
    twoPerson: twoPerson && driver !== 'http',
    cameraId: camera ?? '',
    evses,
    heldAfterSeconds: Number(held) || 0,
    wiring: wiringOf(wiring, driver),
  };
  return (
    <FormDialog
      title={of ? t('doors.editTitle', { name: doorName(of) }) : t('doors.add')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/doors/{door}', { params: { path: { door: of.id } }, body }))
          : ok(api.POST('/doors', { body }))
      }
      sent={changed}
      action={t(of ? 'doors.save' : 'doors.add')}
      failed={t('doors.notSaved')}
      ready={site !== null && (controller === null || (Number(number) > 0 && isWired(wiring, driver)))}
    >
      {(error) => (
        <>
          <Select
            label={t('doors.site')}
            data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={move}
            error={faultAt(error, 'siteId')}
            searchable
            required
          />
          <div className={styles.pair}>
            <TextInput
              label={t('doors.label')}
              placeholder={t('doors.labelExample')}
              value={label}
              onChange={(e) => setLabel(e.currentTarget.value)}
              error={faultAt(error, 'label')}
              maxLength={200}
              autoComplete="off"
            />
            <Select
              label={t('doors.kindHead')}
              data={KINDS.map((k) => ({ value: k, label: t(`doors.kind.${k}`) }))}
              value={kind}
              onChange={(v) => v && setKind(v as Kind)}
              error={faultAt(error, 'kind')}
              allowDeselect={false}
            />
          </div>
          <div className={styles.pair}>
            <Select
              label={t('doors.controller')}
              placeholder={t('doors.noController')}
              data={(controllers ?? [])
                .filter((c) => c.siteId === site)
                .map((c) => ({ value: c.id, label: controllerName(c) }))}
              value={controller}
              onChange={setController}
              error={faultAt(error, 'controller')}
              disabled={site === null}
              clearable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
            <NumberInput
              label={t('doors.number')}
              value={number}
              onChange={setNumber}
              error={faultAt(error, 'number')}
              disabled={controller === null}
              min={1}
              max={64}
              allowDecimal={false}
            />
          </div>
          {driver !== 'uhppote' && (
            <WiringFields driver={driver} value={wiring} change={setWiring} error={error} />
          )}
          {driver !== 'http' && controller !== null && (
            <Switch
              label={t('doors.twoPerson')}
              description={t(driver === 'uhppote' ? 'doors.twoPersonBoard' : 'doors.twoPersonHint')}
              checked={twoPerson}
              onChange={(e) => setTwoPerson(e.currentTarget.checked)}
              error={faultAt(error, 'twoPerson')}
            />
          )}
          {driver === 'uhppote' && controller !== null && (
            <Select
              label={t('doors.keypad')}
              description={t('doors.keypadHint')}
              data={KEYPADS.map((k) => ({ value: k, label: t(`doors.keypad.${k}`) }))}
              value={keypad}
              onChange={(v) => v && setKeypad(v as Door['keypad'])}
              error={keypad === 'off' && of?.wantsPin ? t('doors.keypadMissing') : faultAt(error, 'keypad')}
              allowDeselect={false}
            />
          )}
          <Select
            label={t('doors.camera')}
            description={t('doors.cameraHint')}
            placeholder={t('doors.noCameraChosen')}
            data={(cameras ?? [])
              .filter((c) => c.siteId === site)
              .map((c) => ({ value: c.id, label: c.label || c.id }))}
            value={camera}
            onChange={setCamera}
            error={faultAt(error, 'cameraId')}
            disabled={site === null}
            searchable
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
          <MultiSelect
            label={t('doors.behind')}
            description={t('doors.behindHint')}
            data={[
              ...choices,
              ...evses
                .filter((e) => !choices.some((c) => c.value === e))
                .map((e) => ({ value: e, label: e })),
            ]}
            value={evses}
            onChange={setEvses}
            error={faultAt(error, 'evses')}
            disabled={site === null}
            searchable
            maxValues={100}
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
          <NumberInput
            label={t('doors.held')}
            description={t('doors.heldHint')}
            value={held}
            onChange={setHeld}
            error={faultAt(error, 'heldAfterSeconds')}
            min={1}
            max={86_400}
            allowDecimal={false}
            suffix=" s"
          />
        </>
      )}
    </FormDialog>
  );
}
