// Cameras are found in the network or asked by address; what they say becomes the form of a new one.
import { Button, Loader, Modal, PasswordInput, Radio, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { faultAt } from '../settings/dialog';
import styles from './find.module.css';
import { bestMain, bestSub, hostOf, type Preset } from './preset';
import type { Asked, CameraSetup, Found } from './queries';

/** How far a camera's clock may be off before it is said. */
const CLOCK_OFF = 2;
const CODECS: Record<string, string> = { h264: 'H.264', h265: 'H.265', jpeg: 'JPEG' };
const WHY = new Set(['address', 'unreachable', 'authentication', 'unsupported', 'protocol']);

export function FindCameras({
  cameras,
  close,
  chosen,
}: {
  cameras: readonly CameraSetup[] | undefined;
  close: () => void;
  chosen: (preset: Preset) => void;
}) {
  const t = useT();
  const [device, setDevice] = useState<Found | null>(null);
  const [address, setAddress] = useState('');
  const search = useQuery({
    queryKey: ['cameras', 'discover'],
    queryFn: () => ok(api.POST('/cameras/discover', {})),
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const manual = (e: FormEvent) => {
    e.preventDefault();
    const url = address.trim();
    if (url) {
      setDevice({
        onvifUrl: /^https?:\/\//.test(url) ? url : `http://${url}`,
        name: '',
        hardware: '',
        location: '',
        known: '',
      });
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t(device ? 'cameras.find.ask' : 'cameras.find')}
      size={640}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {device ? (
        <AskDevice key={device.onvifUrl} device={device} back={() => setDevice(null)} chosen={chosen} />
      ) : (
        <div className={styles.find}>
          <div className={styles.bar}>
            <p className="meta" role="status">
              {search.isFetching
                ? t('cameras.find.searching')
                : search.data && search.data.items.length > 0
                  ? t('cameras.find.count', { n: search.data.items.length })
                  : ''}
            </p>
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<Icon name="retry" size={14} />}
              disabled={search.isFetching}
              onClick={() => void search.refetch()}
            >
              {t('cameras.find.again')}
            </Button>
          </div>
          {search.isFetching && <Loader size="sm" className={styles.wait} />}
          {!search.isFetching && <FormFault what={t('cameras.find.failed')} error={search.error} />}
          {!search.isFetching && search.data?.items.length === 0 && (
            <div className={styles.none}>
              <p className={styles.name}>{t('cameras.find.none')}</p>
              <p className="meta">{t('cameras.find.noneHint')}</p>
            </div>
          )}
          {!search.isFetching && (search.data?.items.length ?? 0) > 0 && (
            <ul className={styles.list}>
              {search.data?.items.map((x) => (
                <li key={x.onvifUrl}>
                  <button type="button" className={styles.device} onClick={() => setDevice(x)}>
                    <Icon name="camera" size={16} />
                    <span className={styles.name}>{x.name || x.hardware || t('cameras.find.unnamed')}</span>
                    <span className={`meta ${styles.more}`}>
                      {[x.name && x.hardware, x.location].filter(Boolean).join(' · ')}
                    </span>
                    <span className={`meta mono ${styles.host}`}>{hostOf(x.onvifUrl)}</span>
                    {x.known && (
                      <span className={`meta ${styles.known}`}>
                        {t('cameras.find.known', {
                          name: cameras?.find((c) => c.id === x.known)?.label || x.known,
                        })}
                      </span>
                    )}
                  </button>
                </li>
              ))}
            </ul>
          )}
          <form onSubmit={manual} className={styles.manual}>
            <TextInput
              label={t('cameras.find.address')}
              description={t('cameras.find.addressHint')}
              placeholder="10.0.0.20"
              value={address}
              onChange={(e) => setAddress(e.currentTarget.value)}
              maxLength={490}
              inputMode="url"
              spellCheck={false}
              autoComplete="off"
            />
            <Button type="submit" variant="default" disabled={address.trim() === ''}>
              {t('cameras.find.next')}
            </Button>
          </form>
          <p className="meta">
            {t('cameras.find.noOnvif')}{' '}
            <button type="button" className={styles.plain} onClick={() => chosen({})}>
              {t('cameras.find.byHand')}
            </button>
          </p>
        </div>
      )}
    </Modal>
  );
}

/** One device is asked for its streams; two of them are chosen. */
function AskDevice({
  device,
  back,
  chosen,
}: {
  device: Found;
  back: () => void;
  chosen: (preset: Preset) => void;
}) {
  const t = useT();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const asked = JSON.stringify([username, password]);
  const ask = useMutation({
    mutationFn: async () => ({
      asked,
      answer: await ok(
        api.POST('/cameras/probe', {
          body: {
            onvifUrl: device.onvifUrl,
            username,
            ...(password ? { password } : device.known ? { camera: device.known } : {}),
          },
        }),
      ),
    }),
  });
  const answer = ask.data?.answer;
  const fault = ask.error instanceof Problem ? faultAt(ask.error, 'onvifUrl') : undefined;
  return (
    <div className={styles.find}>
      <div>
        <p className={styles.name}>{device.name || device.hardware || t('cameras.find.unnamed')}</p>
        <p className={`meta mono ${styles.host}`}>{device.onvifUrl}</p>
      </div>
      <form
        className={styles.credentials}
        onSubmit={(e) => {
          e.preventDefault();
          ask.mutate();
        }}
      >
        <TextInput
          label={t('cameras.username')}
          value={username}
          onChange={(e) => setUsername(e.currentTarget.value)}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <PasswordInput
          label={t('cameras.password')}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          maxLength={200}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('cameras.passwordShow') }}
        />
        <Button type="submit" variant={answer?.ok ? 'default' : 'filled'} loading={ask.isPending}>
          {t('cameras.find.askNow')}
        </Button>
      </form>
      {fault ? (
        <p className={styles.fault}>{fault}</p>
      ) : (
        <FormFault what={t('cameras.find.askFailed')} error={ask.error} />
      )}
      <div role="status">
        {answer && !answer.ok && (
          <div className={styles.refused}>
            <Icon name="warn" size={16} />
            <div>
              <p className={styles.name}>
                {WHY.has(answer.reason)
                  ? t(`cameras.find.why.${answer.reason}` as MessageKey)
                  : answer.reason}
              </p>
              {answer.detail && answer.reason !== 'address' && answer.reason !== 'authentication' && (
                <p className="meta">{answer.detail}</p>
              )}
            </div>
          </div>
        )}
      </div>
      {answer?.ok && (
        <Streams
          key={ask.data?.asked}
          answer={answer}
          device={device}
          stale={ask.data?.asked !== asked}
          back={back}
          chosen={(p) => chosen({ ...p, onvifUrl: device.onvifUrl, username, password })}
        />
      )}
      {!answer?.ok && (
        <div className={form.actions}>
          <Button variant="default" onClick={back}>
            {t('cameras.find.back')}
          </Button>
        </div>
      )}
    </div>
  );
}

function Streams({
  answer,
  device,
  stale,
  back,
  chosen,
}: {
  answer: Asked;
  device: Found;
  stale: boolean;
  back: () => void;
  chosen: (preset: Preset) => void;
}) {
  const t = useT();
  const tag = useTag();
  const n = (v: number) => new Intl.NumberFormat(tag, { maximumFractionDigits: 0 }).format(v);
  const usable = answer.streams.filter((s) => s.url);
  const [main, setMain] = useState(() => bestMain(usable));
  const [sub, setSub] = useState<string | null>(() => bestSub(usable, bestMain(usable)));
  const model = [answer.vendor, answer.model].filter(Boolean).join(' ');
  const off = Math.abs(answer.clockOffsetSeconds);
  return (
    <>
      <dl className={styles.facts}>
        <dt>{t('cameras.find.model')}</dt>
        <dd>{model || '–'}</dd>
        <dt>{t('cameras.find.firmware')}</dt>
        <dd>{answer.firmware || '–'}</dd>
        <dt>{t('cameras.find.clock')}</dt>
        <dd>
          {off < CLOCK_OFF
            ? t('cameras.find.clockRight')
            : t(answer.clockOffsetSeconds > 0 ? 'cameras.find.clockAhead' : 'cameras.find.clockBehind', {
                s: n(off),
              })}
        </dd>
        <dt>{t('cameras.find.events')}</dt>
        <dd>{t(answer.events ? 'cameras.find.eventsYes' : 'cameras.find.eventsNo')}</dd>
      </dl>
      {usable.length === 0 && <p className={styles.fault}>{t('cameras.find.noStreams')}</p>}
      <Radio.Group label={t('cameras.find.mainStream')} value={main} onChange={setMain}>
        <div className={form.options}>
          {answer.streams.map((s) => (
            <Radio
              key={`${s.name} ${s.url}`}
              value={s.url || s.name}
              disabled={!s.url}
              label={`${s.name || '–'} · ${CODECS[s.codec] ?? (s.codec.toUpperCase() || '?')} · ${s.width}×${s.height}${s.fps ? ` · ${t('cameras.find.fps', { n: n(s.fps) })}` : ''}`}
              description={s.url || s.refused}
            />
          ))}
        </div>
      </Radio.Group>
      {usable.length > 1 && (
        <Select
          label={t('cameras.stream.sub')}
          description={t('cameras.subUrlHint')}
          data={usable
            .filter((s) => s.url !== main)
            .map((s) => ({ value: s.url, label: `${s.name || s.url} · ${s.width}×${s.height}` }))}
          value={sub === main ? null : sub}
          onChange={setSub}
          placeholder={t('cameras.find.noSub')}
          clearable
        />
      )}
      {stale && <p className="meta">{t('cameras.find.stale')}</p>}
      <div className={form.actions}>
        <Button variant="default" onClick={back}>
          {t('cameras.find.back')}
        </Button>
        <Button
          disabled={!main || stale}
          onClick={() =>
            chosen({
              label: device.name || answer.model,
              mainUrl: main,
              subUrl: sub && sub !== main ? sub : '',
            })
          }
        >
          {t('cameras.find.use')}
        </Button>
      </div>
    </>
  );
}
