import { NumberInput, Select, Textarea } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import settings from '../settings/settings.module.css';
import type { KeptCamera, Rule } from './queries';

const GB = 1e9;
/** Beyond these a site needs a written purpose. */
export const USUAL = { days: 3, incidentDays: 30 };

/** Empty is no decision, which the API says as 0. */
const numberOf = (v: number | string): number => (v === '' ? 0 : Number(v));
const field = (n: number): number | string => (n > 0 ? n : '');

/** A bound in GB, or none. */
function Bound({
  label,
  hint,
  value,
  change,
  error,
}: {
  label: string;
  hint: string;
  value: number | string;
  change: (v: number | string) => void;
  error: string | undefined;
}) {
  const t = useT();
  return (
    <NumberInput
      label={label}
      description={hint}
      placeholder={t('keeping.noBound')}
      value={value}
      onChange={change}
      error={error}
      min={0}
      suffix=" GB"
      allowNegative={false}
    />
  );
}

/** How long pictures stay, everywhere or at a site. */
export function RuleForm({
  of,
  everywhere,
  sites,
  close,
  changed,
}: {
  /** Missing: a site is still to be chosen. */
  of?: Rule;
  everywhere: Rule;
  sites: readonly Site[];
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [site, setSite] = useState<string | null>(of?.siteId ?? (sites.length === 1 ? sites[0]!.id : null));
  const [days, setDays] = useState(field(of?.days ?? 0));
  const [incidents, setIncidents] = useState(field(of?.incidentDays ?? 0));
  const [bound, setBound] = useState(field((of?.maxBytes ?? 0) / GB));
  const [purpose, setPurpose] = useState(of?.purpose ?? '');
  const all = of?.siteId === '';
  const usual = {
    days: (!all && everywhere.days) || USUAL.days,
    incidentDays: (!all && everywhere.incidentDays) || USUAL.incidentDays,
  };
  const long = numberOf(days) > USUAL.days || numberOf(incidents) > USUAL.incidentDays;
  const name = sites.find((s) => s.id === of?.siteId)?.name || of?.siteId || '';
  const body = {
    days: numberOf(days),
    incidentDays: numberOf(incidents),
    maxBytes: Math.round(numberOf(bound) * GB),
    purpose: purpose.trim(),
  };
  return (
    <FormDialog
      title={
        all ? t('keeping.everywhereTitle') : of ? t('keeping.siteTitle', { name }) : t('keeping.addTitle')
      }
      close={close}
      send={() =>
        all
          ? ok(api.PUT('/video/retention', { body }))
          : ok(api.PUT('/sites/{site}/video-retention', { params: { path: { site: site ?? '' } }, body }))
      }
      sent={changed}
      action={t('keeping.save')}
      failed={t('keeping.notSaved')}
      ready={all || site !== null}
    >
      {(error) => (
        <>
          {!of && (
            <Select
              label={t('keeping.site')}
              data={sites.map((s) => ({ value: s.id, label: s.name || s.id }))}
              value={site}
              onChange={setSite}
              allowDeselect={false}
              searchable
              required
              data-autofocus
            />
          )}
          <div className={settings.pair}>
            <NumberInput
              label={t('keeping.days')}
              description={t(all ? 'keeping.daysHintAll' : 'keeping.daysHint')}
              placeholder={String(usual.days)}
              value={days}
              onChange={setDays}
              error={faultAt(error, 'days')}
              min={0.25}
              max={all ? USUAL.days : 365}
              suffix={` ${t('keeping.daysUnit')}`}
              allowNegative={false}
            />
            <NumberInput
              label={t('keeping.incidentDays')}
              description={t(all ? 'keeping.incidentHintAll' : 'keeping.incidentHint')}
              placeholder={String(usual.incidentDays)}
              value={incidents}
              onChange={setIncidents}
              error={faultAt(error, 'incidentDays')}
              min={1}
              max={all ? USUAL.incidentDays : 1825}
              suffix={` ${t('keeping.daysUnit')}`}
              allowNegative={false}
            />
          </div>
          <Bound
            label={t(all ? 'keeping.boundAll' : 'keeping.boundSite')}
            hint={t('keeping.boundHint')}
            value={bound}
            change={setBound}
            error={faultAt(error, 'maxBytes')}
          />
          {(!all || purpose !== '') && (
            <Textarea
              label={t('keeping.purpose')}
              description={t(long ? 'keeping.purposeNeeded' : 'keeping.purposeHint')}
              value={purpose}
              onChange={(e) => setPurpose(e.currentTarget.value)}
              error={faultAt(error, 'purpose')}
              maxLength={500}
              autosize
              minRows={2}
              required={long}
            />
          )}
          <p className="meta">{t('keeping.evidenceNote')}</p>
        </>
      )}
    </FormDialog>
  );
}

/** How long pictures of one camera stay. */
export function CameraKeepForm({
  of,
  fallback,
  sitePurpose,
  close,
  changed,
}: {
  of: KeptCamera;
  /** Days without a decision for the camera. */
  fallback: number;
  sitePurpose: string;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const own = of.purpose === sitePurpose ? '' : of.purpose;
  const [days, setDays] = useState(field(of.ownDays));
  const [bound, setBound] = useState(field(of.maxBytes / GB));
  const [purpose, setPurpose] = useState(own);
  const long = numberOf(days) > USUAL.days;
  return (
    <FormDialog
      title={t('keeping.cameraTitle', { name: of.label || of.cameraId })}
      close={close}
      send={() =>
        ok(
          api.PATCH('/cameras/{camera}', {
            params: { path: { camera: of.cameraId } },
            body: {
              promisedDays: numberOf(days),
              maxBytes: Math.round(numberOf(bound) * GB),
              purpose: purpose.trim(),
            },
          }),
        )
      }
      sent={changed}
      action={t('keeping.save')}
      failed={t('keeping.notSaved')}
    >
      {(error) => (
        <>
          <div className={settings.pair}>
            <NumberInput
              label={t('keeping.days')}
              description={t('keeping.daysOfSite')}
              placeholder={String(fallback)}
              value={days}
              onChange={setDays}
              error={faultAt(error, 'retention.promisedDays') ?? faultAt(error, 'promisedDays')}
              min={0.25}
              max={365}
              suffix={` ${t('keeping.daysUnit')}`}
              allowNegative={false}
              data-autofocus
            />
            <Bound
              label={t('keeping.boundCamera')}
              hint={t('keeping.boundHint')}
              value={bound}
              change={setBound}
              error={faultAt(error, 'retention.maxBytes') ?? faultAt(error, 'maxBytes')}
            />
          </div>
          {(long || own !== '') && (
            <Textarea
              label={t('keeping.purpose')}
              description={
                sitePurpose
                  ? t('keeping.purposeOfSite', { purpose: sitePurpose })
                  : t('keeping.purposeNeeded')
              }
              value={purpose}
              onChange={(e) => setPurpose(e.currentTarget.value)}
              error={faultAt(error, 'retention.purpose')}
              maxLength={500}
              autosize
              minRows={2}
              required={long && !sitePurpose}
            />
          )}
          <p className="meta">{t('keeping.shorterNote')}</p>
        </>
      )}
    </FormDialog>
  );
}
