import { Select, Switch, TextInput } from '@mantine/core';
import { Suspense, useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT, words } from '../../i18n/i18n';
import { later } from '../../ui/later';
import { FormDialog, faultAt } from './dialog';
import { Hours } from './hours-shown';
import { type NoticeDraft, Notices, noticesOf, noticesSent } from './notices';
import { readNumber, readPosition } from './numbers';
import styles from './settings.module.css';

const ID = /^[A-Za-z0-9\-_.*+=|@]*$/;
const SiteRelay = later(async () => {
  const [relay] = await Promise.all([import('../upstreams/relay'), words.need('upstreams')]);
  return relay;
});

const zones = () => Intl.supportedValuesOf('timeZone');

export function SiteForm({
  site,
  close,
  changed,
}: {
  site?: Site;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [id, setId] = useState(site?.id ?? '');
  const [name, setName] = useState(site?.name ?? '');
  const [address, setAddress] = useState(site?.address ?? '');
  const [latitude, setLatitude] = useState(site?.latitude?.toString() ?? '');
  const [longitude, setLongitude] = useState(site?.longitude?.toString() ?? '');
  const [zone, setZone] = useState<string | null>(
    site ? site.timeZone || null : Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
  const [hours, setHours] = useState(site?.openingHours ?? '');
  const [limit, setLimit] = useState(site?.gridLimitW ? String(site.gridLimitW / 1000) : '');
  const [freeVend, setFreeVend] = useState(site?.freeVend ?? false);
  const [stationLists, setStationLists] = useState(site?.stationLists ?? false);
  const [relay, setRelay] = useState({ upstream: site?.upstream ?? '', observers: site?.observers ?? [] });
  const [shown, setShown] = useState(site?.public ?? false);
  const [publicName, setPublicName] = useState(site?.publicName ?? '');
  const [notices, setNotices] = useState<NoticeDraft[]>(noticesOf(site?.notices ?? []));

  const lat = readNumber(latitude);
  const lon = readNumber(longitude);
  const kw = readNumber(limit);
  const degrees = (v: number | null | undefined, most: number, other: number | null | undefined) =>
    v === undefined
      ? t('site.degrees')
      : v === null
        ? other !== null && t('site.both')
        : Math.abs(v) > most && t('site.range', { most });
  const wrong = {
    id: !ID.test(id) && t('site.idRule'),
    name: name.trim() === '' && t('site.nameMissing'),
    latitude: degrees(lat, 90, lon),
    longitude: degrees(lon, 180, lat),
    limit: (kw === undefined || (kw !== null && kw < 0)) && t('site.limitRule'),
    notices: notices.some((n) => n.text.trim() === ''),
  };
  const ready = Object.values(wrong).every((w) => !w);

  const send = () => {
    const common = {
      name: name.trim(),
      address: address.trim(),
      timeZone: zone ?? '',
      openingHours: hours.trim(),
      gridLimitW: (kw ?? 0) * 1000,
      freeVend,
      stationLists,
      ...relay,
      public: shown,
      publicName: publicName.trim(),
      notices: noticesSent(notices),
      ...(typeof lat === 'number' && typeof lon === 'number' ? { latitude: lat, longitude: lon } : {}),
    };
    return site
      ? ok(
          api.PATCH('/sites/{site}', {
            params: { path: { site: site.id } },
            body: { ...common, ...(lat === null ? { noPosition: true } : {}) },
          }),
        )
      : ok(api.POST('/sites', { body: { ...common, ...(id ? { id } : {}) } }));
  };

  return (
    <FormDialog
      title={site ? t('site.editTitle', { name: site.name || site.id }) : t('site.add')}
      close={close}
      send={send}
      sent={changed}
      action={site ? t('action.save') : t('site.add')}
      failed={site ? t('site.notSaved') : t('site.failed')}
      refusals={{ 409: t('site.taken') }}
      ready={ready}
    >
      {(error) => (
        <>
          <TextInput
            label={t('site.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            required
            maxLength={100}
            data-autofocus
            autoComplete="off"
          />
          {!site && (
            <TextInput
              label={t('site.id')}
              description={t('site.idHint')}
              value={id}
              onChange={(e) => setId(e.currentTarget.value)}
              error={wrong.id || faultAt(error, 'id')}
              maxLength={48}
              autoComplete="off"
            />
          )}
          <TextInput
            label={t('site.address')}
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
            error={faultAt(error, 'address')}
            maxLength={300}
            autoComplete="off"
          />
          <div className={styles.pair}>
            <TextInput
              label={t('site.latitude')}
              description={t('site.positionHint')}
              value={latitude}
              onChange={(e) => {
                const both = readPosition(e.currentTarget.value);
                setLatitude(both ? String(both[0]) : e.currentTarget.value);
                if (both) setLongitude(String(both[1]));
              }}
              error={wrong.latitude || faultAt(error, 'latitude')}
              inputMode="decimal"
              autoComplete="off"
            />
            <TextInput
              label={t('site.longitude')}
              description={t('site.positionEast')}
              value={longitude}
              onChange={(e) => setLongitude(e.currentTarget.value)}
              error={wrong.longitude || faultAt(error, 'longitude')}
              inputMode="decimal"
              autoComplete="off"
            />
          </div>
          <div className={styles.pair}>
            <Select
              label={t('site.zone')}
              data={zone && !zones().includes(zone) ? [zone, ...zones()] : zones()}
              value={zone}
              onChange={setZone}
              error={faultAt(error, 'timeZone')}
              searchable
              limit={50}
            />
            <TextInput
              label={t('site.limitKw')}
              value={limit}
              onChange={(e) => setLimit(e.currentTarget.value)}
              error={wrong.limit || faultAt(error, 'gridLimitW')}
              inputMode="decimal"
              autoComplete="off"
            />
          </div>
          <div>
            <TextInput
              label={t('site.hours')}
              description={t('site.hoursHint')}
              value={hours}
              onChange={(e) => setHours(e.currentTarget.value)}
              error={faultAt(error, 'openingHours')}
              maxLength={300}
              autoComplete="off"
            />
            <Hours text={hours} />
          </div>
          <Switch
            label={t('site.freeVend')}
            description={t('site.freeVendHint')}
            checked={freeVend}
            onChange={(e) => setFreeVend(e.currentTarget.checked)}
          />
          <Switch
            label={t('site.stationLists')}
            description={t('site.stationListsHint')}
            checked={stationLists}
            disabled={freeVend}
            onChange={(e) => setStationLists(e.currentTarget.checked)}
          />
          <Suspense>
            <SiteRelay {...relay} change={(upstream, observers) => setRelay({ upstream, observers })} />
          </Suspense>
          <fieldset className={styles.fieldset}>
            <legend>{t('site.drivers')}</legend>
            <Switch
              label={t('site.publicLabel')}
              description={t('site.publicHint')}
              checked={shown}
              onChange={(e) => setShown(e.currentTarget.checked)}
            />
            {shown && (
              <>
                <TextInput
                  label={t('site.publicName')}
                  placeholder={name}
                  value={publicName}
                  onChange={(e) => setPublicName(e.currentTarget.value)}
                  error={faultAt(error, 'publicName')}
                  maxLength={100}
                  autoComplete="off"
                />
                <Notices notices={notices} change={setNotices} />
              </>
            )}
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}
