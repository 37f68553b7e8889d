import { NumberInput, PasswordInput, Select, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { KINDS, type Kind, kindOf, type Output, outputName, type Phrase } from './output';
import styles from './outputs.module.css';
import { Phrases } from './phrases';

const LONGEST: Record<Kind, { usual: number; most: number }> = {
  siren: { usual: 180, most: 600 },
  speaker: { usual: 60, most: 600 },
  light: { usual: 3600, most: 43_200 },
  relay: { usual: 600, most: 43_200 },
};

const PRESETS = ['shelly', 'shelly1', 'tasmota', 'zigbee2mqtt', 'zigbee2mqtt-siren', 'custom'] as const;
type Preset = (typeof PRESETS)[number];

/** A siren, light, speaker or relay is added or changed. */
export function OutputForm({
  of,
  sites,
  close,
  changed,
}: {
  of: Output | undefined;
  sites: readonly Site[] | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [label, setLabel] = useState(of?.label ?? '');
  const [kind, setKind] = useState<Kind>(kindOf(of?.kind ?? 'siren'));
  const [driver, setDriver] = useState<'webhook' | 'mqtt'>(of?.driver === 'mqtt' ? 'mqtt' : 'webhook');
  const [address, setAddress] = useState(of?.address ?? '');
  const [username, setUsername] = useState(of?.username ?? '');
  const [secret, setSecret] = useState('');
  const [preset, setPreset] = useState<Preset>((of?.preset || 'shelly') as Preset);
  const [topic, setTopic] = useState(of?.topic ?? '');
  const [onPayload, setOn] = useState(of?.onPayload ?? '');
  const [offPayload, setOff] = useState(of?.offPayload ?? '');
  const [longest, setLongest] = useState<number | string>(of?.longestSeconds ?? LONGEST.siren.usual);
  const [two, setTwo] = useState(of?.twoPerson ?? false);
  const [auto, setAuto] = useState(of?.automatic.on ?? false);
  const [after, setAfter] = useState<number | string>(of?.automatic.afterSeconds ?? 0);
  const [perHour, setPerHour] = useState<number | string>(of?.automatic.perHour || 3);
  const [phrases, setPhrases] = useState<Phrase[]>(of?.ownAnnouncements ? of.announcements : []);
  const toKind = (next: Kind) => {
    setKind(next);
    setLongest(LONGEST[next].usual);
    if (of || two) return;
    // A light that comes on drives most away and disturbs nobody; the rest is decided by people.
    setAuto(next === 'light');
    setAfter(next === 'siren' ? 30 : 0);
  };
  const moved = of !== undefined && (of.address !== address.trim() || of.driver !== driver);
  const needsSecret = driver === 'webhook' && (of === undefined || moved || !of.hasSecret);
  const body = {
    siteId: site ?? '',
    label: label.trim(),
    kind,
    driver,
    address: address.trim(),
    longestSeconds: Number(longest) || 0,
    twoPerson: two,
    automatic: {
      on: auto && !two,
      afterSeconds: Number(after) || 0,
      perHour: Number(perHour) || 0,
      ...(of?.automatic.forSeconds && of.automatic.forSeconds <= Number(longest)
        ? { forSeconds: of.automatic.forSeconds }
        : {}),
    },
    ...(driver === 'mqtt' ? { username: username.trim(), preset, topic: topic.trim() } : {}),
    ...(driver === 'mqtt' && preset === 'custom' ? { onPayload, offPayload } : {}),
    ...(kind === 'speaker' ? { announcements: phrases } : {}),
    // A password at a broker may be none; what moved with it is given again.
    ...(secret !== '' || (driver === 'mqtt' && moved) ? { secret } : {}),
  };
  return (
    <FormDialog
      title={of ? t('outputs.editTitle', { name: outputName(of) }) : t('outputs.add')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/outputs/{output}', { params: { path: { output: of.id } }, body }))
          : ok(api.POST('/outputs', { body }))
      }
      sent={changed}
      action={t(of ? 'outputs.save' : 'outputs.add')}
      failed={t('outputs.notSaved')}
      ready={
        site !== null &&
        address.trim() !== '' &&
        (!needsSecret || secret.length >= 16) &&
        (driver === 'webhook' || topic.trim() !== '')
      }
    >
      {(error) => (
        <>
          <Select
            label={t('outputs.site')}
            data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={setSite}
            error={faultAt(error, 'siteId')}
            searchable
            required
          />
          <div className={styles.pair}>
            <Select
              label={t('outputs.kindHead')}
              data={KINDS.map((k) => ({ value: k, label: t(`outputs.kind.${k}`) }))}
              value={kind}
              onChange={(v) => v && toKind(kindOf(v))}
              error={faultAt(error, 'kind')}
              allowDeselect={false}
            />
            <TextInput
              label={t('outputs.label')}
              placeholder={t(`outputs.example.${kind}`)}
              value={label}
              onChange={(e) => setLabel(e.currentTarget.value)}
              error={faultAt(error, 'label')}
              maxLength={200}
              autoComplete="off"
            />
          </div>
          <Select
            label={t('outputs.way')}
            description={t(`outputs.wayHint.${driver}`)}
            data={(['webhook', 'mqtt'] as const).map((d) => ({ value: d, label: t(`outputs.driver.${d}`) }))}
            value={driver}
            onChange={(v) => v && setDriver(v as 'webhook' | 'mqtt')}
            error={faultAt(error, 'driver')}
            allowDeselect={false}
          />
          <TextInput
            label={t(`outputs.address.${driver}`)}
            placeholder={driver === 'mqtt' ? 'mqtts://10.0.0.5:8883' : 'https://10.0.0.30/siren'}
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
            error={faultAt(error, 'address')}
            maxLength={500}
            autoComplete="off"
            spellCheck={false}
            required
          />
          {driver === 'mqtt' && (
            <>
              <div className={styles.pair}>
                <Select
                  label={t('outputs.presetHead')}
                  data={PRESETS.map((p) => ({ value: p, label: t(`outputs.preset.${p}`) }))}
                  value={preset}
                  onChange={(v) => v && setPreset(v as Preset)}
                  error={faultAt(error, 'preset')}
                  allowDeselect={false}
                />
                <TextInput
                  label={t('outputs.topic')}
                  placeholder={t(`outputs.topicExample.${preset}`)}
                  value={topic}
                  onChange={(e) => setTopic(e.currentTarget.value)}
                  error={faultAt(error, 'topic')}
                  maxLength={200}
                  autoComplete="off"
                  spellCheck={false}
                  required
                />
              </div>
              {preset === 'custom' && (
                <div className={styles.pair}>
                  <TextInput
                    label={t('outputs.onPayload')}
                    description={t('outputs.payloadHint')}
                    value={onPayload}
                    onChange={(e) => setOn(e.currentTarget.value)}
                    error={faultAt(error, 'onPayload')}
                    maxLength={1000}
                    required
                  />
                  <TextInput
                    label={t('outputs.offPayload')}
                    description={t('outputs.payloadOffHint')}
                    value={offPayload}
                    onChange={(e) => setOff(e.currentTarget.value)}
                    error={faultAt(error, 'offPayload')}
                    maxLength={1000}
                    required
                  />
                </div>
              )}
              <TextInput
                label={t('outputs.username')}
                value={username}
                onChange={(e) => setUsername(e.currentTarget.value)}
                error={faultAt(error, 'username')}
                maxLength={200}
                autoComplete="off"
              />
            </>
          )}
          <PasswordInput
            label={t(driver === 'mqtt' ? 'outputs.password' : 'outputs.secret')}
            description={
              of?.hasSecret && !moved ? t('outputs.secretKept') : t(`outputs.secretHint.${driver}`)
            }
            value={secret}
            onChange={(e) => setSecret(e.currentTarget.value)}
            error={faultAt(error, 'secret')}
            maxLength={200}
            autoComplete="new-password"
            required={needsSecret}
          />
          <NumberInput
            label={t('outputs.longest')}
            description={t(`outputs.longestHint.${kind === 'siren' ? 'siren' : 'other'}`)}
            value={longest}
            onChange={setLongest}
            error={faultAt(error, 'longestSeconds')}
            min={1}
            max={LONGEST[kind].most}
            allowDecimal={false}
            suffix=" s"
            required
          />
          {kind === 'speaker' && (
            <Phrases
              list={phrases}
              usual={of?.ownAnnouncements === false ? of.announcements : []}
              change={setPhrases}
              error={error}
            />
          )}
          <fieldset className={styles.set}>
            <legend>{t('outputs.rulesHead')}</legend>
            <Switch
              label={t('outputs.two')}
              description={t('outputs.twoHint')}
              checked={two}
              onChange={(e) => {
                setTwo(e.currentTarget.checked);
                if (e.currentTarget.checked) setAuto(false);
              }}
            />
            <Switch
              label={t('outputs.auto')}
              description={t(two ? 'outputs.autoNotTwo' : 'outputs.autoHint')}
              checked={auto && !two}
              disabled={two}
              onChange={(e) => setAuto(e.currentTarget.checked)}
            />
            {auto && !two && (
              <div className={styles.pair}>
                <NumberInput
                  label={t('outputs.after')}
                  description={t('outputs.afterHint')}
                  value={after}
                  onChange={setAfter}
                  error={faultAt(error, 'automatic.afterSeconds')}
                  min={0}
                  max={600}
                  allowDecimal={false}
                  suffix=" s"
                />
                <NumberInput
                  label={t('outputs.perHour')}
                  description={t('outputs.perHourHint')}
                  value={perHour}
                  onChange={setPerHour}
                  error={faultAt(error, 'automatic.perHour')}
                  min={1}
                  max={60}
                  allowDecimal={false}
                />
              </div>
            )}
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}
