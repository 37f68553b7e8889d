import {
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import settings from '../settings/settings.module.css';
import styles from './cameras.module.css';
import type { Preset } from './preset';
import type { CameraSetup } from './queries';
import { TryCamera } from './try';

const RECORDINGS = ['continuous', 'event', 'off'] as const;
type Recording = (typeof RECORDINGS)[number];
const EXAMPLE = {
  main: 'rtsp://10.0.0.20/stream1',
  sub: 'rtsp://10.0.0.20/stream2',
  onvif: 'http://10.0.0.20/onvif/device_service',
};
/** Days beyond which a purpose has to be written down. */
const FREE_DAYS = 3;

/** A camera is added or changed; the test says at once whether pictures come. */
export function CameraForm({
  of,
  preset,
  sites,
  close,
  changed,
}: {
  of?: CameraSetup;
  /** What a device said of itself. */
  preset?: Preset;
  sites: readonly Site[] | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [label, setLabel] = useState(of?.label ?? preset?.label ?? '');
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites?.length === 1 ? sites[0]!.id : null));
  const [mainUrl, setMainUrl] = useState(of?.mainUrl ?? preset?.mainUrl ?? '');
  const [subUrl, setSubUrl] = useState(of?.subUrl ?? preset?.subUrl ?? '');
  const [onvifUrl, setOnvifUrl] = useState(of?.onvifUrl ?? preset?.onvifUrl ?? '');
  const [username, setUsername] = useState(of?.username ?? preset?.username ?? '');
  const [password, setPassword] = useState(preset?.password ?? '');
  const [fingerprint, setFingerprint] = useState(of?.fingerprint ?? '');
  const [udp, setUdp] = useState(of?.udp ?? false);
  const [recording, setRecording] = useState<Recording>((of?.recording as Recording) ?? 'continuous');
  const [days, setDays] = useState<number | string>(of?.retention.ownDays || '');
  const [purpose, setPurpose] = useState(of?.retention.purpose ?? '');
  const [audio, setAudio] = useState(of?.audio ?? false);
  const [audioReason, setAudioReason] = useState(of?.audioReason ?? '');
  const secure = mainUrl.trim().startsWith('rtsps:') || subUrl.trim().startsWith('rtsps:');
  const long = Number(days) > FREE_DAYS;
  const common = {
    label: label.trim(),
    siteId: site ?? '',
    mainUrl: mainUrl.trim(),
    subUrl: subUrl.trim(),
    onvifUrl: onvifUrl.trim(),
    username: username.trim(),
    udp,
    fingerprint: secure ? fingerprint.trim() : '',
    recording,
    audio,
    audioReason: audio ? audioReason.trim() : '',
    // Empty is no decision for this camera.
    promisedDays: Number(days),
    purpose: purpose.trim(),
    // A password that is not typed stays as it is.
    ...(password ? { password } : {}),
  };
  return (
    <FormDialog
      title={of ? t('cameras.editTitle', { name: of.label || of.id }) : t('cameras.add')}
      close={close}
      send={async () =>
        of
          ? ok(api.PATCH('/cameras/{camera}', { params: { path: { camera: of.id } }, body: common }))
          : ok(api.POST('/cameras', { body: common }))
      }
      sent={changed}
      action={of ? t('cameras.save') : t('cameras.add')}
      failed={t(of ? 'cameras.notChanged' : 'cameras.notAdded')}
      ready={mainUrl.trim() !== '' && site !== null}
    >
      {(error) => (
        <>
          <div className={settings.pair}>
            <TextInput
              label={t('cameras.name')}
              value={label}
              onChange={(e) => setLabel(e.currentTarget.value)}
              error={faultAt(error, 'label')}
              maxLength={200}
              data-autofocus
            />
            <Select
              label={t('cameras.site')}
              data={(sites ?? []).map((s) => ({ value: s.id, label: s.name || s.id }))}
              value={site}
              onChange={setSite}
              error={faultAt(error, 'siteId')}
              nothingFoundMessage={t('cameras.noSite')}
              allowDeselect={false}
              searchable
              required
            />
          </div>
          <TextInput
            label={t('cameras.mainUrl')}
            description={t('cameras.mainUrlHint')}
            placeholder={EXAMPLE.main}
            value={mainUrl}
            onChange={(e) => setMainUrl(e.currentTarget.value)}
            error={faultAt(error, 'mainUrl')}
            maxLength={500}
            inputMode="url"
            spellCheck={false}
            autoComplete="off"
            required
          />
          <TextInput
            label={t('cameras.subUrl')}
            description={t('cameras.subUrlHint')}
            placeholder={EXAMPLE.sub}
            value={subUrl}
            onChange={(e) => setSubUrl(e.currentTarget.value)}
            error={faultAt(error, 'subUrl')}
            maxLength={500}
            inputMode="url"
            spellCheck={false}
            autoComplete="off"
          />
          <div className={settings.pair}>
            <TextInput
              label={t('cameras.username')}
              value={username}
              onChange={(e) => setUsername(e.currentTarget.value)}
              error={faultAt(error, 'username')}
              maxLength={200}
              autoComplete="off"
              spellCheck={false}
            />
            <PasswordInput
              label={t('cameras.password')}
              placeholder={of?.hasPassword ? t('cameras.passwordKept') : undefined}
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              error={faultAt(error, 'password')}
              maxLength={200}
              autoComplete="new-password"
              visibilityToggleButtonProps={{ 'aria-label': t('cameras.passwordShow') }}
            />
          </div>
          {secure && (
            <TextInput
              label={t('cameras.fingerprint')}
              description={t('cameras.fingerprintHint')}
              value={fingerprint}
              onChange={(e) => setFingerprint(e.currentTarget.value)}
              error={faultAt(error, 'fingerprint')}
              maxLength={100}
              spellCheck={false}
              autoComplete="off"
            />
          )}
          <TryCamera
            of={of}
            urls={{ main: common.mainUrl, sub: common.subUrl }}
            username={common.username}
            password={password}
            fingerprint={common.fingerprint}
            udp={udp}
            trust={setFingerprint}
          />
          <fieldset className={settings.fieldset}>
            <legend>{t('cameras.recording')}</legend>
            <SegmentedControl
              aria-label={t('cameras.recording')}
              data={RECORDINGS.map((r) => ({ value: r, label: t(`cameras.record.${r}`) }))}
              value={recording}
              onChange={(v) => setRecording(v as Recording)}
              fullWidth
            />
            <p className={`meta ${styles.note}`}>{t(`cameras.recordHint.${recording}`)}</p>
            {recording !== 'off' && (
              <NumberInput
                label={t('cameras.keep')}
                description={t('cameras.keepHint')}
                value={days}
                onChange={setDays}
                error={faultAt(error, 'retention.promisedDays') ?? faultAt(error, 'promisedDays')}
                min={0.25}
                max={365}
                step={1}
                suffix={` ${t('cameras.daysUnit')}`}
                placeholder={of && !of.retention.ownDays ? String(of.retention.promisedDays) : ''}
                allowNegative={false}
              />
            )}
            {recording !== 'off' && long && (
              <Textarea
                label={t('cameras.purpose')}
                description={t('cameras.purposeHint')}
                value={purpose}
                onChange={(e) => setPurpose(e.currentTarget.value)}
                error={faultAt(error, 'retention.purpose')}
                maxLength={500}
                autosize
                minRows={2}
              />
            )}
            <Switch
              label={t('cameras.audio')}
              description={t('cameras.audioHint')}
              checked={audio}
              onChange={(e) => setAudio(e.currentTarget.checked)}
            />
            {audio && (
              <Textarea
                label={t('cameras.audioReason')}
                value={audioReason}
                onChange={(e) => setAudioReason(e.currentTarget.value)}
                error={faultAt(error, 'audioReason')}
                maxLength={500}
                autosize
                minRows={2}
                required
              />
            )}
          </fieldset>
          <fieldset className={settings.fieldset}>
            <legend>{t('cameras.more')}</legend>
            <TextInput
              label={t('cameras.onvifUrl')}
              description={t('cameras.onvifUrlHint')}
              placeholder={EXAMPLE.onvif}
              value={onvifUrl}
              onChange={(e) => setOnvifUrl(e.currentTarget.value)}
              error={faultAt(error, 'onvifUrl')}
              maxLength={500}
              inputMode="url"
              spellCheck={false}
              autoComplete="off"
            />
            <Switch
              label={t('cameras.udp')}
              description={t('cameras.udpHint')}
              checked={udp}
              onChange={(e) => setUdp(e.currentTarget.checked)}
            />
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}
