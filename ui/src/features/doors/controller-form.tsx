import { NumberInput, PasswordInput, Select, Text, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { BridgeSecret } from './secret';
import { type Controller, controllerName, DRIVERS, type Driver } from './setup';

export type Preset = { address: string; serial: number };

const EXAMPLE: Record<Driver, string> = {
  uhppote: '10.0.0.30:60000',
  mqtt: 'mqtts://broker.example.org:8883',
  http: 'https://doors.example.org/chargewatch',
};
const HINT = {
  uhppote: 'doors.addressHint',
  mqtt: 'doors.addressBroker',
  http: 'doors.addressOrders',
} as const;

/** A controller is added or changed. */
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
  const [driver, setDriver] = useState<Driver>(of?.driver ?? 'uhppote');
  const [label, setLabel] = useState(of?.label ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [address, setAddress] = useState(of?.address ?? preset?.address ?? '');
  const [serial, setSerial] = useState<number | string>(of?.serial || preset?.serial || '');
  const [user, setUser] = useState(of?.user ?? '');
  const [password, setPassword] = useState('');
  const [authority, setAuthority] = useState(of?.authority ?? '');
  const secured = /^(mqtts|https):\/\//.test(address.trim());
  const body = {
    siteId: site ?? '',
    label: label.trim(),
    address: address.trim(),
    ...(driver === 'uhppote' ? { serial: Number(serial) || 0 } : {}),
    ...(driver === 'mqtt' ? { user: user.trim() } : {}),
    ...(driver !== 'uhppote' ? { authority: secured ? authority.trim() : '' } : {}),
    ...(driver === 'mqtt' && password !== '' ? { secret: password } : {}),
  };
  const add = async () => {
    const made = await ok(api.POST('/controllers', { body: { ...body, driver } }));
    if (driver !== 'http') return null;
    return ok(api.POST('/controllers/{controller}/secret', { params: { path: { controller: made.id } } }));
  };
  const change = async (c: Controller) => {
    await ok(api.PATCH('/controllers/{controller}', { params: { path: { controller: c.id } }, body }));
    return null;
  };
  const known =
    driver === 'uhppote'
      ? address.trim() !== '' && Number(serial) > 0
      : driver === 'http' || address.trim() !== '';
  return (
    <FormDialog
      title={of ? t('doors.controllerEditTitle', { name: controllerName(of) }) : t('doors.controllerAdd')}
      close={close}
      send={() => (of ? change(of) : add())}
      sent={changed}
      once={(made) => made && <BridgeSecret made={made} />}
      action={t(of ? 'doors.save' : 'doors.controllerAdd')}
      failed={t('doors.notSaved')}
      ready={site !== null && known}
    >
      {(error) => (
        <>
          <Select
            label={t('doors.driver')}
            description={t(`doors.decides.${driver}`)}
            data={DRIVERS.map((d) => ({ value: d, label: t(`doors.driver.${d}`) }))}
            value={driver}
            onChange={(v) => v && setDriver(v as Driver)}
            error={faultAt(error, 'driver')}
            disabled={of !== undefined || preset !== undefined}
            allowDeselect={false}
          />
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
          <TextInput
            label={t('doors.address')}
            description={t(HINT[driver])}
            placeholder={EXAMPLE[driver]}
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
            error={faultAt(error, 'address')}
            maxLength={300}
            autoComplete="off"
            spellCheck={false}
            required={driver !== 'http'}
          />
          {driver === 'uhppote' && (
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
          )}
          {driver === 'mqtt' && (
            <>
              <TextInput
                label={t('doors.user')}
                value={user}
                onChange={(e) => setUser(e.currentTarget.value)}
                error={faultAt(error, 'user')}
                maxLength={200}
                autoComplete="off"
                spellCheck={false}
              />
              <PasswordInput
                label={t('doors.password')}
                description={of?.hasSecret ? t('doors.passwordKept') : undefined}
                value={password}
                onChange={(e) => setPassword(e.currentTarget.value)}
                error={faultAt(error, 'secret')}
                maxLength={200}
                autoComplete="new-password"
              />
            </>
          )}
          {driver !== 'uhppote' && secured && (
            <Textarea
              label={t('doors.authority')}
              description={t('doors.authorityHint')}
              value={authority}
              onChange={(e) => setAuthority(e.currentTarget.value)}
              error={faultAt(error, 'authority')}
              autosize
              minRows={2}
              maxRows={6}
              spellCheck={false}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
            />
          )}
          {driver === 'mqtt' && (
            <Text size="sm" c="dimmed">
              {t('doors.brokerWarns')}
            </Text>
          )}
          {!of && driver !== 'mqtt' && (
            <Text size="sm" c="dimmed">
              {t(driver === 'uhppote' ? 'doors.takesOver' : 'doors.bridgeMakes')}
            </Text>
          )}
        </>
      )}
    </FormDialog>
  );
}
