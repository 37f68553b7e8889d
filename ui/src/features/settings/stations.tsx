import { Button, Radio, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { api, ok } from '../../api/client';
import { type MessageKey, useT, words } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { CopyLine } from '../../ui/copy';
import { saveCsv } from '../../ui/csv';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames, useSites } from '../../ui/sites';
import { ocppAddress } from '../stations/address';
import { Enrol } from '../stations/enrol';
import { Effect, FormDialog, faultAt, Once } from './dialog';
import { ImportDialog } from './import';
import { type Column, List } from './list';
import { ocppQuery, type Security, securityQuery } from './queries';
import styles from './settings.module.css';

type Open =
  | { kind: 'enrol' }
  | { kind: 'import' }
  | {
      kind: 'auth' | 'site' | 'relay' | 'remove' | 'rotate' | 'renew' | 'raise' | 'certificates';
      of: Security;
    };

const StationRelay = later(async () => {
  const [relay] = await Promise.all([import('../upstreams/relay'), words.need('upstreams')]);
  return { default: relay.StationRelay };
});

const Authority = later(async () => {
  const [part] = await Promise.all([import('../proofs/authority'), words.need('proofs')]);
  return { default: part.default };
});

const RaiseProfile = later(async () => {
  const [part] = await Promise.all([import('../proofs/raise'), words.need('proofs')]);
  return { default: part.RaiseProfile };
});

const Certificates = later(async () => {
  const [part] = await Promise.all([import('../proofs/certificates'), words.need('proofs')]);
  return { default: part.Certificates };
});

type Narrowed = 'weak' | 'todo' | 'weakTLS' | 'lacksRoot' | 'rootsUnknown';

/** What the table can be narrowed to. */
const NARROWED: Record<Narrowed, (s: Security) => boolean> = {
  weak: (s) => s.weak,
  todo: (s) => s.next !== 'nothing' && s.next !== 'upstream',
  weakTLS: (s) => s.tlsWeak !== '',
  lacksRoot: (s) => s.knowsRoot === 'lacks',
  rootsUnknown: (s) => s.rootsAt === null,
};
const NARROWS = Object.keys(NARROWED) as Narrowed[];

export default function Stations() {
  const t = useT();
  const queries = useQueryClient();
  const siteName = useSiteNames();
  const ocpp = useQuery(ocppQuery());
  const { data, error, refetch } = useQuery(securityQuery());
  const [only, setOnly] = useState<Narrowed | null>(null);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['stations'] });
  const rows = only ? data?.filter(NARROWED[only]) : data;
  const columns: Column<Security>[] = [
    {
      head: t('column.station'),
      cell: (s) => (
        <>
          <Link to="/stations/$id" params={{ id: s.station }} className="mono">
            {s.station}
          </Link>{' '}
          {s.label && <span className="meta">{s.label}</span>}
        </>
      ),
      csv: (s) => s.station,
    },
    {
      head: t('security.site'),
      cell: (s) => siteName(s.siteId),
      csv: (s) => s.siteId,
      cut: (s) => siteName(s.siteId),
    },
    {
      head: t('security.admitted'),
      cell: (s) => t(`security.${s.onboarding}` as MessageKey),
      csv: (s) => s.onboarding,
    },
    {
      head: t('security.profile'),
      cell: (s) => (
        <span className={styles.mark}>
          {s.weak && (
            <span className={styles.weak}>
              <Icon name="warn" size={14} />
              <span className="srOnly">{t('security.weak')}</span>
            </span>
          )}
          {s.profile}
          <span className="meta">
            {t(`security.profile${s.profile}` as MessageKey)}
            {s.profileState && s.profileState !== 'done' && (
              <> · {t(`security.raising.${s.profileState}` as MessageKey)}</>
            )}
          </span>
        </span>
      ),
      csv: (s) => s.profile,
    },
    {
      head: t('security.used'),
      cell: (s) => (s.used === null ? <span className={styles.off}>{t('security.never')}</span> : s.used),
      csv: (s) => s.used,
    },
    {
      head: t('security.tlsUsed'),
      cell: (s) =>
        s.used === null ? (
          '–'
        ) : s.tls === '' ? (
          <span className={styles.off}>{t('security.tlsNone')}</span>
        ) : (
          <span title={s.cipher}>
            {s.tls}
            {s.tlsWeak !== '' && (
              <span className={`${styles.mark} ${styles.weak}`}>
                <Icon name="warn" size={14} />
                {t(`security.tlsWeak.${s.tlsWeak}` as MessageKey)}
              </span>
            )}
          </span>
        ),
      csv: (s) => [s.tls, s.cipher].filter(Boolean).join(' '),
    },
    {
      head: t('security.roots'),
      cell: (s) => (
        <span title={s.roots.map((r) => r.name || `${r.type} ${r.serial}`).join(', ')}>
          {s.rootsAt === null ? (
            <span className={styles.off}>{t('security.rootsUnknown')}</span>
          ) : (
            <>
              {t(`security.knowsRoot.${s.knowsRoot}` as MessageKey, { n: s.roots.length })}{' '}
              <span className="meta">{t('security.rootsKept', { n: s.roots.length })}</span>
            </>
          )}
        </span>
      ),
      csv: (s) => s.knowsRoot,
    },
    {
      head: t('security.password'),
      cell: (s) => (
        <>
          {s.passwordAgeDays === null
            ? t(s.hasPassword ? 'security.yes' : 'security.no')
            : t('security.daysOld', { n: s.passwordAgeDays })}
          {s.passwordState && s.passwordState !== 'done' && (
            <span className="meta"> {t(`security.change.${s.passwordState}` as MessageKey)}</span>
          )}
        </>
      ),
      csv: (s) => s.passwordAt ?? s.hasPassword,
    },
    {
      head: t('security.ends'),
      cell: (s) => (
        <>
          {s.certificateDays !== null ? (
            t('security.daysLeft', { n: s.certificateDays })
          ) : s.certSubject ? (
            <span className="mono">{s.certSubject}</span>
          ) : (
            '–'
          )}
          {s.certificateState && s.certificateState !== 'done' && (
            <span className="meta"> {t(`security.renewal.${s.certificateState}` as MessageKey)}</span>
          )}
        </>
      ),
      csv: (s) => s.certificateEndsAt ?? s.certSubject,
    },
    {
      head: t('security.next'),
      cell: (s) =>
        s.next === 'nothing' ? (
          <span className={styles.off}>–</span>
        ) : (
          t(`security.next.${s.next}` as MessageKey, { n: s.sharedWith })
        ),
      csv: (s) => s.next,
    },
  ];
  return (
    <>
      <Panel title={t('security.where')}>
        {ocpp.error && !ocpp.data ? (
          <Failed what={t('security.where')} error={ocpp.error} retry={() => void ocpp.refetch()} />
        ) : !ocpp.data ? (
          <Skeleton rows={2} />
        ) : (
          <div className={styles.addresses}>
            {ocpp.data.listeners.map((l) => (
              <div key={l.address}>
                <CopyLine
                  value={ocppAddress(hostOf(l.address), l.tls, l.port)}
                  what={t('security.address')}
                />
                <p className="meta">
                  {[
                    t(l.tls ? 'security.tls' : 'security.noTls'),
                    l.profile > 0 ? t('security.atLeast', { n: l.profile }) : t('security.asEnrolled'),
                    l.clientCertificates && t('security.clients'),
                    l.legacyRSA && t('security.legacy'),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </div>
            ))}
            <dl className={styles.facts}>
              <dt>{t('security.unknown')}</dt>
              <dd>{t(`security.mode.${ocpp.data.onboarding}` as MessageKey)}</dd>
              {ocpp.data.fingerprint && (
                <>
                  <dt>{t('security.authority')}</dt>
                  <dd className="mono">{ocpp.data.fingerprint}</dd>
                </>
              )}
            </dl>
          </div>
        )}
      </Panel>
      <Suspense
        fallback={
          <Panel title={t('security.signs')}>
            <Skeleton rows={3} />
          </Panel>
        }
      >
        <Authority />
      </Suspense>
      <List
        title={t('security.table')}
        aside={
          <>
            <Button
              variant="default"
              leftSection={<Icon name="upload" size={14} />}
              onClick={() => setOpen({ kind: 'import' })}
            >
              {t('import.open')}
            </Button>
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'enrol' })}>
              {t('security.enrol')}
            </Button>
          </>
        }
        rows={rows}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(s) => s.station}
        finds={(s) => `${s.station} ${s.label} ${siteName(s.siteId)} ${s.certSubject}`}
        file="station-security"
        tools={
          data &&
          data.length > 0 && (
            <Select
              aria-label={t('security.narrow')}
              placeholder={t('security.narrow')}
              data={NARROWS.map((n) => ({
                value: n,
                label: t(`security.narrow.${n}` as MessageKey, { n: data.filter(NARROWED[n]).length }),
              }))}
              value={only}
              onChange={(v) => setOnly(v as Narrowed | null)}
              clearable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
          )
        }
        empty={
          only && data && data.length > 0 ? (
            <Empty
              title={t('security.narrowedNone')}
              action={
                <Button variant="default" onClick={() => setOnly(null)}>
                  {t('list.all')}
                </Button>
              }
            />
          ) : (
            <Empty title={t('security.none')}>{t('security.noneText')}</Empty>
          )
        }
        menu={(s) => (
          <ActMenu
            of={s.station}
            acts={[
              { label: t('security.auth'), icon: 'key', run: () => setOpen({ kind: 'auth', of: s }) },
              s.hasPassword && {
                label: t('security.rotate'),
                icon: 'retry',
                run: () => setOpen({ kind: 'rotate', of: s }),
              },
              {
                label: t('security.renew'),
                icon: 'shield',
                run: () => setOpen({ kind: 'renew', of: s }),
              },
              s.profile < 3 &&
                s.relayedTo === '' && {
                  label: t('security.raise'),
                  icon: 'upload',
                  run: () => setOpen({ kind: 'raise', of: s }),
                },
              {
                label: t('security.certificates'),
                icon: 'shield',
                run: () => setOpen({ kind: 'certificates', of: s }),
              },
              { label: t('security.move'), icon: 'edit', run: () => setOpen({ kind: 'site', of: s }) },
              { label: t('security.relay'), icon: 'link', run: () => setOpen({ kind: 'relay', of: s }) },
              {
                label: t('security.remove'),
                icon: 'trash',
                grave: true,
                run: () => setOpen({ kind: 'remove', of: s }),
              },
            ]}
          />
        )}
      />
      {open?.kind === 'enrol' && <Enrol close={close} />}
      {open?.kind === 'import' && <StationImport close={close} changed={changed} />}
      {open?.kind === 'auth' && (
        <AuthForm of={open.of} strongest={ocpp.data?.strongest ?? 1} close={close} changed={changed} />
      )}
      {open?.kind === 'site' && <PlaceForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'relay' && (
        <Suspense>
          <StationRelay id={open.of.station} close={close} changed={changed} />
        </Suspense>
      )}
      {open?.kind === 'raise' && (
        <Suspense>
          <RaiseProfile id={open.of.station} profile={open.of.profile} close={close} changed={changed} />
        </Suspense>
      )}
      {open?.kind === 'certificates' && (
        <Suspense>
          <Certificates id={open.of.station} close={close} changed={changed} />
        </Suspense>
      )}
      {open?.kind === 'rotate' && (
        <FormDialog
          title={t('security.rotateTitle', { id: open.of.station })}
          close={close}
          send={() =>
            ok(
              api.POST('/stations/{station}/security/password', {
                params: { path: { station: open.of.station } },
              }),
            )
          }
          sent={changed}
          action={t('security.rotate')}
          failed={t('security.notChanged')}
        >
          <Effect>{t('security.rotateText')}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'renew' && (
        <FormDialog
          title={t('security.renewTitle', { id: open.of.station })}
          close={close}
          send={() =>
            ok(
              api.POST('/stations/{station}/security/certificate', {
                params: { path: { station: open.of.station } },
              }),
            )
          }
          sent={changed}
          action={t('security.renew')}
          failed={t('security.notChanged')}
        >
          <Effect>{t('security.renewText')}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'remove' && (
        <FormDialog
          title={t('security.removeTitle', { id: open.of.station })}
          close={close}
          send={() =>
            ok(api.DELETE('/stations/{station}', { params: { path: { station: open.of.station } } }))
          }
          sent={changed}
          action={t('security.remove')}
          failed={t('security.notChanged')}
          grave
        >
          <Effect>{t('security.removeText', { mode: ocpp.data?.onboarding ?? 'approve' })}</Effect>
        </FormDialog>
      )}
    </>
  );
}

/** The host to reach a listener by: its own, or that of this page where it hears on all addresses. */
function hostOf(address: string): string {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === '' || host === '0.0.0.0' || host === '::' ? location.hostname : host;
}

type Way = 'keep' | 'generate' | 'own' | 'none';

/** How a station must prove itself from its next connection on. */
function AuthForm({
  of,
  strongest,
  close,
  changed,
}: {
  of: Security;
  strongest: number;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [profile, setProfile] = useState(String(of.profile));
  const [way, setWay] = useState<Way>(of.hasPassword ? 'keep' : 'generate');
  const [password, setPassword] = useState('');
  const [subject, setSubject] = useState(of.certSubject);
  const secret = profile === '1' || profile === '2';
  const short = way === 'own' && secret && (password.length < 8 || password.length > 64);
  return (
    <FormDialog
      title={t('security.authTitle', { id: of.station })}
      close={close}
      send={() =>
        ok(
          api.PATCH('/stations/{station}', {
            params: { path: { station: of.station } },
            body: {
              auth: {
                profile: Number(profile),
                ...(secret && way === 'generate' ? { generate: true } : {}),
                ...(secret && way === 'own' ? { password } : {}),
                ...(profile === '3' && subject.trim() ? { certSubject: subject.trim() } : {}),
              },
            },
          }),
        )
      }
      sent={changed}
      once={(s) =>
        s.auth?.password && (
          <Once what={t('security.newPassword')} value={s.auth.password} note={t('security.once')} />
        )
      }
      action={t('action.save')}
      failed={t('security.notChanged')}
      ready={!short && !(secret && way === 'none')}
    >
      {(error) => (
        <>
          <Effect>{t('security.authText')}</Effect>
          <Select
            label={t('security.profile')}
            description={
              Number(profile) > strongest
                ? t('security.noListener')
                : Number(profile) < Math.min(strongest, 2)
                  ? t('security.weaker', { n: Math.min(strongest, 2) })
                  : undefined
            }
            data={[0, 1, 2, 3].map((n) => ({
              value: String(n),
              label: `${n} – ${t(`security.profile${n}` as MessageKey)}`,
            }))}
            value={profile}
            onChange={(v) => v && setProfile(v)}
            error={faultAt(error, 'auth.profile')}
            allowDeselect={false}
          />
          {secret && (
            <Radio.Group
              label={t('security.password')}
              value={way}
              onChange={(v) => setWay(v as Way)}
              error={faultAt(error, 'auth.password')}
            >
              <div className={form.options}>
                {of.hasPassword && <Radio value="keep" label={t('security.keep')} />}
                <Radio value="generate" label={t('security.generate')} />
                <Radio value="own" label={t('security.own')} />
              </div>
            </Radio.Group>
          )}
          {secret && way === 'own' && (
            <TextInput
              label={t('security.newPassword')}
              description={t('security.length')}
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              error={password !== '' && short && t('security.length')}
              autoComplete="off"
              spellCheck={false}
            />
          )}
          {profile === '3' && (
            <TextInput
              label={t('security.certificate')}
              description={t('security.subjectHint')}
              placeholder={of.station}
              value={subject}
              onChange={(e) => setSubject(e.currentTarget.value)}
              error={faultAt(error, 'auth.certSubject')}
              maxLength={100}
              autoComplete="off"
            />
          )}
        </>
      )}
    </FormDialog>
  );
}

/** The site a station belongs to and what people call it. */
function PlaceForm({ of, close, changed }: { of: Security; close: () => void; changed: () => unknown }) {
  const t = useT();
  const sites = useSites();
  const [site, setSite] = useState<string | null>(of.siteId || null);
  const [label, setLabel] = useState(of.label);
  return (
    <FormDialog
      title={t('security.moveTitle', { id: of.station })}
      close={close}
      send={() =>
        ok(
          api.PATCH('/stations/{station}', {
            params: { path: { station: of.station } },
            body: { siteId: site ?? '', label: label.trim() },
          }),
        )
      }
      sent={changed}
      action={t('action.save')}
      failed={t('security.notChanged')}
    >
      {(error) => (
        <>
          <Select
            label={t('security.site')}
            placeholder={t('site.none')}
            data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={site}
            onChange={setSite}
            error={faultAt(error, 'siteId')}
            searchable
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
          />
          <TextInput
            label={t('security.label')}
            description={t('security.labelHint')}
            value={label}
            onChange={(e) => setLabel(e.currentTarget.value)}
            error={faultAt(error, 'label')}
            maxLength={100}
            autoComplete="off"
          />
        </>
      )}
    </FormDialog>
  );
}

const example = `id,siteId,label,profile,generate,certSubject
DE-HAM-0001,ham-1,Bay 1,1,yes,
DE-HAM-0002,ham-1,Bay 2,3,,DE-HAM-0002`;

function StationImport({ close, changed }: { close: () => void; changed: () => unknown }) {
  const t = useT();
  return (
    <ImportDialog
      title={t('security.import')}
      hint={t('security.importHint')}
      example={example}
      close={close}
      send={(csv, dryRun) =>
        ok(
          api.POST('/stations/import', {
            params: { query: { dryRun } },
            body: csv,
            bodySerializer: (b: unknown) => b as string,
            headers: { 'Content-Type': 'text/csv' },
          }),
        )
      }
      taken={changed}
      done={(rows) => {
        const made = rows.filter((r) => r.password);
        if (made.length === 0) return null;
        return (
          <div>
            <Button
              variant="default"
              leftSection={<Icon name="download" size={14} />}
              onClick={() =>
                saveCsv(
                  'station-passwords',
                  ['id', 'password'],
                  made.map((r) => [r.id, r.password]),
                )
              }
            >
              {t('security.passwords', { n: made.length })}
            </Button>
            <p className="meta">{t('security.once')}</p>
          </div>
        );
      }}
    />
  );
}
