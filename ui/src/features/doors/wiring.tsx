import { Checkbox, NumberInput, Select, TextInput } from '@mantine/core';
import type { components } from '../../api/gen';
import { useT } from '../../i18n/i18n';
import { faultAt } from '../settings/dialog';
import styles from './part.module.css';
import type { Driver } from './setup';

export type Wiring = components['schemas']['DoorWiring'];
type Contact = components['schemas']['DoorContact'];

const PRESETS = ['zigbee2mqtt', 'zigbee2mqttLock', 'shelly1', 'shelly2', 'tasmota', 'custom'] as const;
const CONTACTS = ['zigbee2mqtt', 'shelly1', 'shelly2', 'tasmota', 'custom'] as const;
const NAMES = {
  zigbee2mqtt: 'doors.device.zigbee',
  zigbee2mqttLock: 'doors.device.zigbee',
  shelly1: 'doors.device.shelly1',
  shelly2: 'doors.device.shelly2',
  tasmota: 'doors.device.tasmota',
} as const;
type Named = keyof typeof NAMES;

export const NO_WIRING: Wiring = { preset: 'shelly2', output: 1, pulseSeconds: 5 };
const EXAMPLE = '{"card":"04A1B2C3D4","pin":"4711"}';
const TOPIC = 300;
const WORD = 200;

/** Whether enough is said of a door to try and keep it. */
export const isWired = (w: Wiring, driver: Driver): boolean =>
  driver === 'uhppote' ||
  (driver === 'http' || w.preset !== 'custom'
    ? (w.device ?? '').trim() !== ''
    : [w.command, w.unlock, w.lock].every((x) => (x ?? '').trim() !== ''));

/** What of it is kept: fields of other presets are not. */
export function wiringOf(w: Wiring, driver: Driver): Wiring | undefined {
  if (driver === 'uhppote') return undefined;
  if (driver === 'http') return { device: w.device?.trim() };
  const { command, unlock, lock, state, field, online, device, output, contact, ...rest } = w;
  const own = w.preset === 'custom';
  const seen = contact?.preset ? contact : undefined;
  const lone = seen?.preset === 'custom';
  return {
    ...rest,
    ...(own ? { command, unlock, lock, state, field, online } : { device: device?.trim(), output }),
    ...(seen
      ? {
          contact: lone
            ? { preset: seen.preset, topic: seen.topic, field: seen.field, open: seen.open }
            : {
                preset: seen.preset,
                device: seen.device?.trim(),
                input: seen.input,
                inverted: seen.inverted,
              },
        }
      : {}),
    forced: seen !== undefined && w.forced,
  };
}

/** What a door is made of on a broker, or what it is called in another system. */
export function WiringFields({
  driver,
  value,
  change,
  error,
}: {
  driver: Driver;
  value: Wiring;
  change: (next: Wiring) => void;
  error: unknown;
}) {
  const t = useT();
  const set = (part: Partial<Wiring>) => change({ ...value, ...part });
  const contact: Contact = value.contact ?? { preset: '' };
  const setContact = (part: Partial<Contact>) => set({ contact: { ...contact, ...part } });
  const fault = (field: string) => faultAt(error, `wiring.${field}`);
  const text = (
    label: string,
    field: 'command' | 'unlock' | 'lock' | 'state' | 'field' | 'online' | 'reader',
    more: { description?: string; required?: boolean; max?: number } = {},
  ) => (
    <TextInput
      label={label}
      description={more.description}
      value={value[field] ?? ''}
      onChange={(e) => set({ [field]: e.currentTarget.value })}
      error={fault(field)}
      maxLength={more.max ?? TOPIC}
      required={more.required}
      autoComplete="off"
      spellCheck={false}
    />
  );
  if (driver === 'http') {
    return (
      <TextInput
        label={t('doors.deviceThere')}
        description={t('doors.deviceThereHint')}
        value={value.device ?? ''}
        onChange={(e) => set({ device: e.currentTarget.value })}
        error={fault('device')}
        maxLength={64}
        autoComplete="off"
        required
      />
    );
  }
  const own = value.preset === 'custom';
  const preset = (value.preset || 'shelly2') as Named;
  return (
    <fieldset className={styles.wiring}>
      <legend>{t('doors.wiring')}</legend>
      <Select
        label={t('doors.preset')}
        data={PRESETS.map((p) => ({ value: p, label: t(`doors.preset.${p}`) }))}
        value={value.preset ?? null}
        onChange={(v) => v && set({ preset: v as Wiring['preset'] & string })}
        error={fault('preset')}
        allowDeselect={false}
      />
      {own ? (
        <>
          {text(t('doors.command'), 'command', { required: true })}
          <div className={styles.level}>
            {text(t('doors.unlockWord'), 'unlock', { required: true, max: WORD })}
            {text(t('doors.lockWord'), 'lock', { required: true, max: WORD })}
          </div>
          <div className={styles.level}>
            {text(t('doors.stateTopic'), 'state', { description: t('doors.stateTopicHint') })}
            {text(t('doors.field'), 'field', { description: t('doors.fieldHint'), max: WORD })}
          </div>
          {text(t('doors.onlineTopic'), 'online')}
        </>
      ) : (
        <div className={preset === 'zigbee2mqttLock' ? undefined : styles.level}>
          <TextInput
            label={t('doors.device')}
            description={t(NAMES[preset])}
            value={value.device ?? ''}
            onChange={(e) => set({ device: e.currentTarget.value })}
            error={fault('device')}
            maxLength={WORD}
            autoComplete="off"
            spellCheck={false}
            required
          />
          {preset !== 'zigbee2mqttLock' && (
            <NumberInput
              label={t('doors.output')}
              value={value.output || 1}
              onChange={(v) => set({ output: Number(v) || 1 })}
              error={fault('output')}
              min={1}
              max={32}
              allowDecimal={false}
            />
          )}
        </div>
      )}
      <div className={styles.level}>
        <NumberInput
          label={t('doors.pulse')}
          description={t('doors.pulseHint')}
          value={value.pulseSeconds || 5}
          onChange={(v) => set({ pulseSeconds: Number(v) || 5 })}
          error={fault('pulseSeconds')}
          min={1}
          max={600}
          allowDecimal={false}
          suffix=" s"
        />
        <NumberInput
          label={t('doors.silent')}
          description={t('doors.silentHint')}
          value={value.silentSeconds || ''}
          onChange={(v) => set({ silentSeconds: Number(v) || 0 })}
          error={fault('silentSeconds')}
          min={10}
          max={86_400}
          allowDecimal={false}
          suffix=" s"
        />
      </div>
      <Select
        label={t('doors.contact')}
        data={[
          { value: 'none', label: t('doors.contact.none') },
          ...CONTACTS.map((p) => ({ value: p, label: t(`doors.contact.${p}`) })),
        ]}
        value={contact.preset || 'none'}
        onChange={(v) =>
          v &&
          setContact({
            preset: (v === 'none' ? '' : v) as Contact['preset'],
            device: contact.device || (v === value.preset ? value.device : ''),
          })
        }
        error={fault('contact.preset')}
        allowDeselect={false}
      />
      {contact.preset === 'custom' && (
        <>
          <TextInput
            label={t('doors.contactTopic')}
            value={contact.topic ?? ''}
            onChange={(e) => setContact({ topic: e.currentTarget.value })}
            error={fault('contact.topic')}
            maxLength={TOPIC}
            autoComplete="off"
            spellCheck={false}
            required
          />
          <div className={styles.level}>
            <TextInput
              label={t('doors.openWord')}
              value={contact.open ?? ''}
              onChange={(e) => setContact({ open: e.currentTarget.value })}
              error={fault('contact.open')}
              maxLength={WORD}
              autoComplete="off"
              spellCheck={false}
              required
            />
            <TextInput
              label={t('doors.field')}
              value={contact.field ?? ''}
              onChange={(e) => setContact({ field: e.currentTarget.value })}
              error={fault('contact.field')}
              maxLength={WORD}
              autoComplete="off"
              spellCheck={false}
            />
          </div>
        </>
      )}
      {contact.preset !== '' && contact.preset !== 'custom' && (
        <>
          <div className={contact.preset === 'zigbee2mqtt' ? undefined : styles.level}>
            <TextInput
              label={t('doors.device')}
              description={t(NAMES[contact.preset as Named])}
              value={contact.device ?? ''}
              onChange={(e) => setContact({ device: e.currentTarget.value })}
              error={fault('contact.device')}
              maxLength={WORD}
              autoComplete="off"
              spellCheck={false}
              required
            />
            {contact.preset !== 'zigbee2mqtt' && (
              <NumberInput
                label={t('doors.input')}
                value={contact.input || 1}
                onChange={(v) => setContact({ input: Number(v) || 1 })}
                error={fault('contact.input')}
                min={1}
                max={32}
                allowDecimal={false}
              />
            )}
          </div>
          {contact.preset !== 'zigbee2mqtt' && (
            <Checkbox
              label={t('doors.inverted')}
              checked={contact.inverted ?? false}
              onChange={(e) => setContact({ inverted: e.currentTarget.checked })}
            />
          )}
        </>
      )}
      {contact.preset !== '' && (
        <Checkbox
          label={t('doors.forcedOn')}
          description={t('doors.forcedHint')}
          checked={value.forced ?? false}
          onChange={(e) => set({ forced: e.currentTarget.checked })}
          error={fault('forced')}
        />
      )}
      {text(t('doors.reader'), 'reader', { description: t('doors.readerHint', { example: EXAMPLE }) })}
    </fieldset>
  );
}
