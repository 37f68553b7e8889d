import { Button, PasswordInput, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { storage, text } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import settings from '../settings/settings.module.css';
import styles from './keeping.module.css';
import { type Copy, copiesQuery, type Place, placeQuery } from './queries';

const REASONS = [
  'unreachable',
  'notAllowed',
  'certificate',
  'timeout',
  'credentials',
  'refused',
  'noBucket',
  'clock',
  'notThere',
  'unwritable',
  'full',
  'redirected',
  'noPictures',
  'dropped',
  'tooLate',
  'sameFolder',
] as const;

const whyKey = (reason: string): MessageKey => `place.why.${REASONS.find((r) => r === reason) ?? 'answered'}`;

/** How many of the newest copies are shown. */
const FEW = 12;
const EXAMPLE = {
  region: 'us-east-1',
  folder: '/srv/elsewhere/pictures',
  endpoint: 'https://s3.eu-central-1.amazonaws.com',
};

/** Where the last minute goes when somebody tampers with a camera, and what arrived. */
export function SecondPlace({ cameraName }: { cameraName: (id: string) => string }) {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(placeQuery());
  const [open, setOpen] = useState<'set' | 'remove' | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['video'] });
  const place = data?.place;
  return (
    <Panel
      title={t('place.title')}
      flush
      aside={
        place ? (
          <ActMenu
            of={t('place.title')}
            acts={[
              { label: t('place.change'), icon: 'edit', run: () => setOpen('set') },
              { label: t('place.remove'), icon: 'trash', grave: true, run: () => setOpen('remove') },
            ]}
          />
        ) : undefined
      }
    >
      {error && !data ? (
        <Failed what={t('place.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : !place ? (
        <Empty
          title={t('place.none')}
          action={
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen('set')}>
              {t('place.add')}
            </Button>
          }
        >
          {t('place.noneText')}
        </Empty>
      ) : (
        <div className={styles.place}>
          <p className={styles.verdict}>
            {data.reason || place.secretLost ? (
              <span className={settings.bad}>
                <Icon name="warn" size={18} />
              </span>
            ) : (
              <Icon name="check" size={18} />
            )}
            {place.secretLost
              ? t('place.secretLost')
              : data.reason
                ? t('place.failing', { n: data.waiting })
                : data.waiting > 0
                  ? t('place.sending', { n: data.waiting })
                  : t('place.ready')}
          </p>
          <p className={settings.lead}>
            {place.kind === 'folder' ? (
              <span className="mono">{place.folder}</span>
            ) : (
              <span className="mono">
                {place.endpoint} · {place.bucket}
                {place.prefix && `/${place.prefix}`}
              </span>
            )}
            {data.doneAt && (
              <>
                {' · '}
                <Age at={data.doneAt} prefix={t('place.lastCopy')} />
              </>
            )}
          </p>
          {data.reason && <p className={settings.text}>{t(whyKey(data.reason))}</p>}
        </div>
      )}
      {place && <Copies cameraName={cameraName} />}
      {open === 'set' && <PlaceForm {...(place ? { of: place } : {})} close={close} changed={changed} />}
      {open === 'remove' && (
        <FormDialog
          title={t('place.removeTitle')}
          close={close}
          send={() => ok(api.DELETE('/video/second-place'))}
          sent={changed}
          action={t('place.remove')}
          failed={t('keeping.notSaved')}
          grave
          reauth
        >
          <Effect>{t('place.removeText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function Copies({ cameraName }: { cameraName: (id: string) => string }) {
  const t = useT();
  const tag = useTag();
  const { data } = useQuery(copiesQuery());
  const shown = (data ?? []).slice(0, FEW);
  if (shown.length === 0) return <p className={`meta ${styles.note}`}>{t('place.noCopies')}</p>;
  return (
    <TableFrame label={t('place.copies')}>
      <thead>
        <tr>
          <th scope="col">{t('keeping.camera')}</th>
          <th scope="col">{t('place.pictures')}</th>
          <th scope="col">{t('place.state')}</th>
          <th scope="col" className={table.end}>
            {t('place.size')}
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((c) => (
          <tr key={c.id}>
            <th scope="row">{cameraName(c.cameraId)}</th>
            <td>
              <Age at={c.from} />
            </td>
            <td className={table.prose}>
              <CopyState of={c} />
            </td>
            <td className={`${table.end} num`}>{c.bytes > 0 ? text(storage(tag, c.bytes)) : '–'}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

function CopyState({ of: c }: { of: Copy }) {
  const t = useT();
  const bad = c.reason !== '' && c.state !== 'done';
  return (
    <span className={bad ? settings.weak : undefined} title={c.detail || undefined}>
      <span className={settings.mark}>
        <Icon name={c.state === 'done' ? 'check' : bad ? 'warn' : 'clock'} size={14} />
        {t(`place.state.${c.state as 'waiting' | 'sending' | 'done' | 'failed'}`)}
      </span>
      {bad && <span className={styles.below}>{t(whyKey(c.reason))}</span>}
    </span>
  );
}

function PlaceForm({ of, close, changed }: { of?: Place; close: () => void; changed: () => unknown }) {
  const t = useT();
  const [kind, setKind] = useState<'folder' | 's3'>(of?.kind === 's3' ? 's3' : 'folder');
  const [folder, setFolder] = useState(of?.folder ?? '');
  const [endpoint, setEndpoint] = useState(of?.endpoint ?? '');
  const [region, setRegion] = useState(of?.region ?? '');
  const [bucket, setBucket] = useState(of?.bucket ?? '');
  const [prefix, setPrefix] = useState(of?.prefix ?? '');
  const [accessKey, setAccessKey] = useState(of?.accessKey ?? '');
  const [secretKey, setSecretKey] = useState('');
  const [hostStyle, setHostStyle] = useState(of?.hostStyle ?? false);
  const body =
    kind === 'folder'
      ? { kind, folder: folder.trim() }
      : {
          kind,
          endpoint: endpoint.trim(),
          region: region.trim(),
          bucket: bucket.trim(),
          prefix: prefix.trim(),
          accessKey: accessKey.trim(),
          hostStyle,
          // A secret that is not typed stays as it is.
          ...(secretKey ? { secretKey } : {}),
        };
  const typed = JSON.stringify(body);
  const test = useMutation({
    mutationFn: (of: { typed: string }) =>
      ok(api.POST('/video/second-place/test', { body: JSON.parse(of.typed) as typeof body })),
  });
  const stale = test.variables?.typed !== typed;
  const ready =
    kind === 'folder' ? folder.trim() !== '' : [endpoint, bucket, accessKey].every((v) => v.trim() !== '');
  return (
    <FormDialog
      title={t('place.title')}
      close={close}
      send={() => ok(api.PUT('/video/second-place', { body }))}
      sent={changed}
      action={t('keeping.save')}
      failed={t('keeping.notSaved')}
      ready={ready}
      reauth
    >
      {(error) => (
        <>
          <Effect>{t('place.what')}</Effect>
          <SegmentedControl
            aria-label={t('place.kind')}
            data={[
              { value: 'folder', label: t('place.folder') },
              { value: 's3', label: t('place.s3') },
            ]}
            value={kind}
            onChange={(v) => setKind(v as 'folder' | 's3')}
            fullWidth
          />
          {kind === 'folder' ? (
            <TextInput
              label={t('place.path')}
              description={t('place.pathHint')}
              placeholder={EXAMPLE.folder}
              value={folder}
              onChange={(e) => setFolder(e.currentTarget.value)}
              error={faultAt(error, 'folder') ?? faultAt(test.error, 'folder')}
              maxLength={500}
              spellCheck={false}
              autoComplete="off"
              required
            />
          ) : (
            <>
              <TextInput
                label={t('place.endpoint')}
                description={t('place.endpointHint')}
                placeholder={EXAMPLE.endpoint}
                value={endpoint}
                onChange={(e) => setEndpoint(e.currentTarget.value)}
                error={faultAt(error, 'endpoint') ?? faultAt(test.error, 'endpoint')}
                maxLength={500}
                inputMode="url"
                spellCheck={false}
                autoComplete="off"
                required
              />
              <div className={settings.pair}>
                <TextInput
                  label={t('place.bucket')}
                  value={bucket}
                  onChange={(e) => setBucket(e.currentTarget.value)}
                  error={faultAt(error, 'bucket') ?? faultAt(test.error, 'bucket')}
                  maxLength={63}
                  spellCheck={false}
                  autoComplete="off"
                  required
                />
                <TextInput
                  label={t('place.region')}
                  placeholder={EXAMPLE.region}
                  value={region}
                  onChange={(e) => setRegion(e.currentTarget.value)}
                  error={faultAt(error, 'region') ?? faultAt(test.error, 'region')}
                  maxLength={40}
                  spellCheck={false}
                  autoComplete="off"
                />
                <TextInput
                  label={t('place.accessKey')}
                  value={accessKey}
                  onChange={(e) => setAccessKey(e.currentTarget.value)}
                  error={faultAt(error, 'accessKey') ?? faultAt(test.error, 'accessKey')}
                  maxLength={200}
                  spellCheck={false}
                  autoComplete="off"
                  required
                />
                <PasswordInput
                  label={t('place.secretKey')}
                  placeholder={of?.hasSecret ? t('place.secretKept') : undefined}
                  value={secretKey}
                  onChange={(e) => setSecretKey(e.currentTarget.value)}
                  error={faultAt(error, 'secretKey') ?? faultAt(test.error, 'secretKey')}
                  maxLength={200}
                  autoComplete="new-password"
                  visibilityToggleButtonProps={{ 'aria-label': t('place.secretShow') }}
                />
              </div>
              <TextInput
                label={t('place.prefix')}
                description={t('place.prefixHint')}
                value={prefix}
                onChange={(e) => setPrefix(e.currentTarget.value)}
                maxLength={200}
                spellCheck={false}
                autoComplete="off"
              />
              <Switch
                label={t('place.hostStyle')}
                description={t('place.hostStyleHint')}
                checked={hostStyle}
                onChange={(e) => setHostStyle(e.currentTarget.checked)}
              />
              <p className="meta">{t('place.keyNote')}</p>
            </>
          )}
          <div className={styles.try}>
            <Button
              variant="default"
              onClick={() => test.mutate({ typed })}
              loading={test.isPending}
              disabled={!ready}
            >
              {t('place.test')}
            </Button>
            <span role="status" className={stale ? settings.off : undefined}>
              {test.data && (
                <span className={settings.mark}>
                  <Icon name={test.data.ok ? 'check' : 'warn'} size={16} />
                  {stale
                    ? t('place.testStale')
                    : test.data.ok
                      ? t('place.testYes')
                      : t(whyKey(test.data.reason))}
                </span>
              )}
            </span>
          </div>
          {test.data && !test.data.ok && !stale && test.data.detail && (
            <p className={`meta ${styles.detail}`}>{test.data.detail}</p>
          )}
          {test.error && <FormFault what={t('place.testFailed')} error={test.error} />}
        </>
      )}
    </FormDialog>
  );
}
