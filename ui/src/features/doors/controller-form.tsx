import { NumberInput, PasswordInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { type Controller, controllerName, DRIVERS, type Driver } from './setup';

export type Preset = { address: string; serial: number };

const EXAMPLE: Record<Driver, string> = {
  uhppote: '10.0.0.30:60000',
  mqtt: 'mqtt://10.0.0.2:1883',
  http: 'https://10.0.0.31/relay',
};

/** A controller is added or changed. What it is said in secret is never shown again. */
export function ControllerForm({
  of,
  preset,
  sites,
  close,
  changed,
}: {
  of: Controller | undefined;
  /** What a controller said of itself. */
  preset: Preset | undefined;
  sites: readonly Site[] | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [label, setLabel] = useState(of?.label ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [driver, setDriver] = useState<Driver>(of?.driver ?? 'uhppote');
  const [address, setAddress] = useState(of?.address ?? preset?.address ?? '');
  const [serial, setSerial] = useState<number | string>(of?.serial || preset?.serial || '');
  const [secret, setSecret] = useState('');
  const uhppote = driver === 'uhppote';
  const moved = of !== undefined && address.trim() !== of.address && of.hasSecret;
  return (
    <FormDialog
      title={of ? t('doors.controllerEditTitle', { name: controllerName(of) }) : t('doors.controllerAdd')}
      close={close}
      send={() =>
        of
          ? ok(
              api.PATCH('/controllers/{controller}', {
                params: { path: { controller: of.id } },
                body: {
                  siteId: site ?? '',
                  label: label.trim(),
                  address: address.trim(),
                  ...(uhppote ? { serial: Number(serial) || 0 } : {}),
                  ...(secret || moved ? { secret } : {}),
                },
              }),
            )
          : ok(
              api.POST('/controllers', {
                body: {
                  siteId: site ?? '',
                  label: label.trim(),
                  driver,
                  address: address.trim(),
                  ...(uhppote ? { serial: Number(serial) || 0 } : {}),
                  ...(secret ? { secret } : {}),
                },
              }),
            )
      }
      sent={changed}
      action={t(of ? 'doors.save' : 'doors.controllerAdd')}
      failed={t('doors.notSaved')}
      ready={site !== null && address.trim() !== '' && (!uhppote || Number(serial) > 0)}
    >
      {(error) => (
        <>
          <Select
            label={t('doors.site')}
            data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={setSite}
            error={faultAt(error, 'siteId')}
            searchable
            required
          />
          <TextInput
            label={t('doors.label')}
            value={label}
            onChange={(e) => setLabel(e.currentTarget.value)}
            error={faultAt(error, 'label')}
            maxLength={200}
            autoComplete="off"
          />
          <Select
            label={t('doors.driver')}
            description={t(`doors.driverHint.${driver}`)}
            data={DRIVERS.map((d) => ({ value: d, label: t(`doors.driver.${d}`) }))}
            value={driver}
            onChange={(v) => v && setDriver(v as Driver)}
            disabled={of !== undefined}
            allowDeselect={false}
          />
          <TextInput
            label={t('doors.address')}
            description={t('doors.addressHint')}
            placeholder={EXAMPLE[driver]}
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
            error={faultAt(error, 'address')}
            maxLength={300}
            autoComplete="off"
            spellCheck={false}
            required
          />
          {uhppote ? (
            <NumberInput
              label={t('doors.serial')}
              description={t('doors.serialHint')}
              value={serial}
              onChange={setSerial}
              error={faultAt(error, 'serial')}
              min={1}
              max={4_294_967_295}
              allowDecimal={false}
              hideControls
              required
            />
          ) : (
            <PasswordInput
              label={t('doors.secret')}
              description={t(
                moved ? 'doors.secretMoved' : of?.hasSecret ? 'doors.secretKept' : 'doors.secretHint',
              )}
              value={secret}
              onChange={(e) => setSecret(e.currentTarget.value)}
              error={faultAt(error, 'secret')}
              maxLength={200}
              autoComplete="new-password"
              visibilityToggleButtonProps={{ 'aria-label': t('doors.secretShow') }}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
