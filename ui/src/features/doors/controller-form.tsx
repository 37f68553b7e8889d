import { NumberInput, Select, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { type Controller, controllerName } from './setup';

export type Preset = { address: string; serial: number };

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
  const [label, setLabel] = useState(of?.label ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [address, setAddress] = useState(of?.address ?? preset?.address ?? '');
  const [serial, setSerial] = useState<number | string>(of?.serial || preset?.serial || '');
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
                  serial: Number(serial) || 0,
                },
              }),
            )
          : ok(
              api.POST('/controllers', {
                body: {
                  siteId: site ?? '',
                  label: label.trim(),
                  driver: 'uhppote',
                  address: address.trim(),
                  serial: Number(serial) || 0,
                },
              }),
            )
      }
      sent={changed}
      action={t(of ? 'doors.save' : 'doors.controllerAdd')}
      failed={t('doors.notSaved')}
      ready={site !== null && address.trim() !== '' && Number(serial) > 0}
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
          <TextInput
            label={t('doors.address')}
            description={t('doors.addressHint')}
            placeholder="10.0.0.30:60000"
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
            error={faultAt(error, 'address')}
            maxLength={300}
            autoComplete="off"
            spellCheck={false}
            required
          />
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
          {!of && (
            <Text size="sm" c="dimmed">
              {t('doors.takesOver')}
            </Text>
          )}
        </>
      )}
    </FormDialog>
  );
}
