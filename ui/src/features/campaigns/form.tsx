// A new campaign: at which stations, what, how carefully, and whom it would meet.
import {
  Button,
  Checkbox,
  MultiSelect,
  NumberInput,
  Radio,
  Select,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, ok } from '../../api/client';
import { firmwareImagesQuery, stationsQuery } from '../../api/queries';
import { count as number } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Panel, Skeleton } from '../../ui/panel';
import { useSiteNames, useSites } from '../../ui/sites';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './campaigns.module.css';
import { codeText, minutesText } from './outcome';
import {
  cohortOf,
  type Draft,
  isKind,
  leastSeconds,
  needs,
  newDraft,
  parsed,
  planOf,
  WORKS,
  type Work,
  waitsForIdle,
} from './plan';
import { CAMPAIGNS, type Plan, type Preview, previewQuery } from './queries';

export function NewCampaign({
  stations,
  close,
  started,
}: {
  stations: string[];
  close: () => void;
  started: (id: string) => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => newDraft(stations));
  const change = (part: Partial<Draft>) => setDraft((d) => ({ ...d, ...part }));
  const plan = useMemo(() => planOf(draft), [draft]);
  const [asked] = useDebouncedValue(plan, 300);
  const preview = useQuery(previewQuery(asked));
  const [confirming, setConfirming] = useState<Plan | null>(null);
  const n = preview.data?.stations ?? 0;
  // What an earlier plan would have met says nothing of this one.
  const fresh = preview.isSuccess && !preview.isPlaceholderData;
  return (
    <div className={styles.columns}>
      <div className={styles.stack}>
        <Where draft={draft} change={change} />
        <What draft={draft} change={change} />
        <How draft={draft} change={change} />
      </div>
      <div className={styles.preview}>
        <Panel title={t('campaigns.form.preview')}>
          {plan === null ? (
            <p className="meta">{t('campaigns.form.incomplete')}</p>
          ) : preview.error ? (
            <FormFault what={t('campaigns.form.failed')} error={preview.error} />
          ) : !preview.data ? (
            <Skeleton rows={5} />
          ) : (
            <Meets preview={preview.data} draft={draft} />
          )}
          <div className={styles.go}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button
              disabled={plan === null || plan !== asked || !fresh || n === 0}
              onClick={() => setConfirming(plan)}
            >
              {t('campaigns.form.start', { n })}
            </Button>
          </div>
        </Panel>
      </div>
      {confirming && (
        <FormDialog
          title={t('campaigns.form.confirm', { n })}
          close={() => setConfirming(null)}
          send={() => ok(api.POST('/campaigns', { body: { ...confirming, expect: n } }))}
          sent={async (made) => {
            await queries.invalidateQueries({ queryKey: CAMPAIGNS });
            started(made.id);
          }}
          action={t('campaigns.form.start', { n })}
          failed={t('campaigns.form.failed')}
          grave={preview.data?.disturbs ?? false}
        >
          <Effect>{t('campaigns.form.confirmText', { what: t(`campaigns.work.${draft.work}`) })}</Effect>
          {preview.data?.disturbs && (
            <p className={styles.why} data-bad="true">
              <Icon name="warn" size={16} />
              {t('campaigns.form.disturbs', { n: preview.data.inSession })}
            </p>
          )}
        </FormDialog>
      )}
    </div>
  );
}

type Part = { draft: Draft; change: (part: Partial<Draft>) => void };

function Where({ draft: d, change }: Part) {
  const t = useT();
  const sites = useSites();
  const { data } = useQuery(stationsQuery());
  const vendors = useMemo(
    () => [...new Set((data ?? []).map((s) => s.vendor).filter(Boolean))].sort(),
    [data],
  );
  const tags = useMemo(() => [...new Set((data ?? []).flatMap((s) => s.tags))].sort(), [data]);
  const narrowed = cohortOf({ ...d, everything: false }) !== null;
  return (
    <Panel title={t('campaigns.form.where')}>
      {d.stations.length > 0 && (
        <p className={styles.headLine}>
          <strong>{t('campaigns.form.picked', { n: d.stations.length })}</strong>
          <Button variant="subtle" color="gray" onClick={() => change({ stations: [] })}>
            {t('campaigns.form.unpick')}
          </Button>
        </p>
      )}
      <div className={styles.fields}>
        <MultiSelect
          label={t('campaigns.form.sites')}
          data={[...sites.values()]
            .map((s) => ({ value: s.id, label: s.name || s.id }))
            .sort((a, b) => a.label.localeCompare(b.label))}
          value={d.sites}
          onChange={(v) => change({ sites: v })}
          searchable
          clearable
          limit={50}
        />
        <MultiSelect
          label={t('campaigns.form.tags')}
          data={tags}
          value={d.tags}
          onChange={(v) => change({ tags: v })}
          searchable
          clearable
        />
        <Select
          label={t('campaigns.form.vendor')}
          data={vendors}
          value={d.vendor || null}
          onChange={(v) => change({ vendor: v ?? '' })}
          searchable
          clearable
        />
        <TextInput
          label={t('campaigns.form.model')}
          value={d.model}
          maxLength={100}
          onChange={(e) => change({ model: e.currentTarget.value })}
        />
        <div className={styles.pair}>
          <Select
            label={t('campaigns.form.firmware')}
            aria-label={t('campaigns.form.firmwareIs')}
            data={(['below', 'equal', 'not'] as const).map((v) => ({
              value: v,
              label: t(`campaigns.form.is.${v}`),
            }))}
            value={d.firmwareIs}
            allowDeselect={false}
            onChange={(v) => change({ firmwareIs: (v ?? 'below') as Draft['firmwareIs'] })}
          />
          <TextInput
            aria-label={t('campaigns.form.firmware')}
            value={d.firmware}
            maxLength={100}
            onChange={(e) => change({ firmware: e.currentTarget.value })}
          />
        </div>
        <MultiSelect
          label={t('campaigns.form.protocols')}
          data={[
            { value: 'ocpp1.6', label: 'OCPP 1.6' },
            { value: 'ocpp2.0.1', label: 'OCPP 2.0.1' },
            { value: 'ocpp2.1', label: 'OCPP 2.1' },
          ]}
          value={d.protocols}
          onChange={(v) => change({ protocols: v })}
          clearable
        />
        <Checkbox
          className={styles.wide!}
          label={t('campaigns.form.onlineOnly')}
          checked={d.onlineOnly}
          onChange={(e) => change({ onlineOnly: e.currentTarget.checked })}
        />
        {!narrowed && (
          <Checkbox
            className={styles.wide!}
            label={t('campaigns.form.everything')}
            description={t('campaigns.form.everythingText')}
            checked={d.everything}
            onChange={(e) => change({ everything: e.currentTarget.checked })}
          />
        )}
      </div>
    </Panel>
  );
}

function What({ draft: d, change }: Part) {
  const t = useT();
  const text = (field: 'key' | 'component' | 'variable' | 'value' | 'action', most: number) => (
    <TextInput
      label={t(`campaigns.form.${field}`)}
      value={d[field]}
      maxLength={most}
      onChange={(e) => change({ [field]: e.currentTarget.value })}
    />
  );
  const mayWrite = useAllowed('stations.write');
  return (
    <Panel title={t('campaigns.form.what')}>
      <Radio.Group
        aria-label={t('campaigns.form.what')}
        value={d.work}
        onChange={(v) => change({ work: v as Work, whenIdle: waitsForIdle(v as Work) })}
      >
        <div className={styles.works}>
          {WORKS.filter((w) => !isKind(w)).map((w) => (
            <Radio key={w} value={w} label={t(`campaigns.work.${w}`)} />
          ))}
        </div>
        <div className={styles.kinds}>
          {WORKS.filter(isKind).map((w) => (
            <Radio
              key={w}
              value={w}
              label={t(`campaigns.work.${w}`)}
              description={t(`campaigns.work.${w}.text`)}
              disabled={needs(w) === 'stations.write' && !mayWrite}
            />
          ))}
        </div>
      </Radio.Group>
      <div className={styles.fields}>
        {d.work === 'setting' && (
          <>
            {text('key', 50)}
            {text('value', 1000)}
            {text('component', 50)}
            {text('variable', 50)}
          </>
        )}
        {d.work === 'other' && (
          <>
            {text('action', 64)}
            <Textarea
              className={styles.wide!}
              label={t('campaigns.form.payload')}
              value={d.payload}
              autosize
              minRows={3}
              maxRows={12}
              classNames={{ input: 'mono' }}
              error={parsed(d.payload) === null ? t('campaigns.form.payloadFault') : undefined}
              onChange={(e) => change({ payload: e.currentTarget.value })}
            />
          </>
        )}
        {d.work === 'firmware' && <Image draft={d} change={change} />}
        {!isKind(d.work) && (
          <>
            <Checkbox
              className={styles.wide!}
              label={t('campaigns.form.whenIdle')}
              checked={d.whenIdle}
              onChange={(e) => change({ whenIdle: e.currentTarget.checked })}
            />
            <Checkbox
              className={styles.wide!}
              label={t('campaigns.form.alsoRelayed')}
              checked={d.alsoRelayed}
              onChange={(e) => change({ alsoRelayed: e.currentTarget.checked })}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

/** Which image of the library stations are to get. */
function Image({ draft: d, change }: Part) {
  const t = useT();
  const tag = useTag();
  const { data, error } = useQuery(firmwareImagesQuery());
  const image = data?.find((x) => x.id === d.image);
  return (
    <>
      <Select
        className={styles.wide!}
        label={t('campaigns.form.image')}
        placeholder={data?.length === 0 ? t('campaigns.form.noImage') : t('campaigns.form.pickImage')}
        data={(data ?? []).map((x) => ({
          value: x.id,
          label: [x.version, [x.vendor, x.model].filter(Boolean).join(' '), x.name]
            .filter(Boolean)
            .join(' · '),
        }))}
        value={d.image || null}
        error={error ? t('campaigns.form.imagesFailed') : undefined}
        disabled={data?.length === 0}
        searchable
        onChange={(v) => change({ image: v ?? '' })}
        description={
          image &&
          t('campaigns.form.imageFits', {
            n: number(tag, image.stations),
            running: number(tag, image.running),
          })
        }
      />
      {image?.signed && (
        <Checkbox
          className={styles.wide!}
          label={t('campaigns.form.unsigned')}
          description={t('campaigns.form.unsignedText')}
          checked={d.unsigned}
          onChange={(e) => change({ unsigned: e.currentTarget.checked })}
        />
      )}
    </>
  );
}

const LIMITS = {
  canary: [0, 1000],
  soak: [0, 10080],
  perMinute: [1, 6000],
  atOnce: [1, 500],
  perSite: [1, 500],
  stopFailed: [0, 20000],
  stopPercent: [0, 100],
  retries: [0, 10],
  giveUp: [0.1, 720],
} as const;

function How({ draft: d, change }: Part) {
  const t = useT();
  const dial = (label: keyof typeof LIMITS, field: NumberField) => (
    <NumberInput
      label={t(`campaigns.form.${label}`)}
      value={d[field]}
      min={LIMITS[label][0]}
      max={LIMITS[label][1]}
      clampBehavior="strict"
      onChange={(v) => typeof v === 'number' && change({ [field]: v })}
    />
  );
  const time = (field: 'from' | 'to') => (
    <TextInput
      type="time"
      label={t(`campaigns.form.${field}`)}
      value={d[field]}
      onChange={(e) => change({ [field]: e.currentTarget.value })}
    />
  );
  return (
    <Panel title={t('campaigns.form.careful')}>
      <div className={styles.fields} data-three="true">
        {dial('canary', 'canary')}
        {dial('soak', 'soakMinutes')}
        {dial('retries', 'retries')}
        {dial('perMinute', 'perMinute')}
        {dial('atOnce', 'atOnce')}
        {dial('perSite', 'perSite')}
        {dial('stopFailed', 'stopFailed')}
        {dial('stopPercent', 'stopPercent')}
        {dial('giveUp', 'giveUpHours')}
        {time('from')}
        {time('to')}
        <TextInput
          label={t('campaigns.form.name')}
          value={d.name}
          maxLength={100}
          onChange={(e) => change({ name: e.currentTarget.value })}
        />
      </div>
    </Panel>
  );
}

type NumberField = {
  [K in keyof Draft]: Draft[K] extends number ? K : never;
}[keyof Draft];

/** Whom a plan meets now. */
function Meets({ preview: p, draft }: { preview: Preview; draft: Draft }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const groups = (
    [
      ['campaigns.form.byModel', p.byModel],
      ['campaigns.form.byFirmware', p.byFirmware],
      ['campaigns.form.bySite', p.bySite.map((g) => ({ ...g, name: siteName(g.name) }))],
    ] as const
  ).filter(([, list]) => list.length > 0);
  return (
    <div aria-live="polite">
      <p className={styles.big}>{t('campaigns.form.stations', { n: p.stations })}</p>
      <p className="meta">
        {[
          t('campaigns.form.online', { n: number(tag, p.online) }),
          t('campaigns.form.inSession', { n: number(tag, p.inSession) }),
          ...(p.stations > 0
            ? [t('campaigns.form.least', { time: minutesText(t, leastSeconds(draft, p.stations)) })]
            : []),
        ].join(' · ')}
      </p>
      {p.disturbs && (
        <p className={styles.why} data-bad={p.inSession > 0}>
          <Icon name="warn" size={16} />
          {t('campaigns.form.disturbs', { n: p.inSession })}
        </p>
      )}
      <dl className={styles.groups}>
        {groups.map(([label, list]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            {list.slice(0, SHOWN).map((g) => (
              <dd key={g.name}>
                <span>{g.name || t('campaigns.form.unknown')}</span>
                <span className="num">{number(tag, g.count)}</span>
              </dd>
            ))}
            {list.length > SHOWN && <dd>…</dd>}
          </div>
        ))}
        {p.leftOut.length > 0 && (
          <div>
            <dt>{t('campaigns.form.leftOut')}</dt>
            {p.leftOut.map((l) => (
              <dd key={l.reason} title={l.examples.join(', ')}>
                <span>{codeText(t, l.reason)}</span>
                <span className="num">{number(tag, l.count)}</span>
              </dd>
            ))}
          </div>
        )}
      </dl>
    </div>
  );
}

const SHOWN = 5;
