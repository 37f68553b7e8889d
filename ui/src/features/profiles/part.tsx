// How stations are to be set, and which.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { ProfileForm } from './form';
import {
  fleetQuery,
  knownQuery,
  meaning,
  PROFILES,
  type Profile,
  profilesQuery,
  spaced,
  type Wish,
} from './profile';
import styles from './profiles.module.css';

type Open = { kind: 'add' } | { kind: 'edit' | 'copy' | 'delete'; of: Profile };

export default function Profiles() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(profilesQuery());
  const fleet = useQuery(fleetQuery()).data;
  const mayWrite = useAllowed('stations.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: PROFILES });
  return (
    <>
      <Panel
        title={t('profiles.title')}
        aside={
          mayWrite && (
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
              {t('profiles.add')}
            </Button>
          )
        }
      >
        {error && !data ? (
          <Failed what={t('profiles.title')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={3} />
        ) : (
          <>
            <p className={styles.lead}>{t('profiles.lead')}</p>
            {fleet && fleet.stations > 0 && (
              <p className={styles.figure}>
                <span className={`${styles.big} num`}>
                  {t('profiles.measure', { n: count(tag, fleet.measure), of: count(tag, fleet.stations) })}
                </span>
                <span className="meta num">
                  {t('profiles.measureNote', {
                    seen: count(tag, fleet.verified),
                    without: count(tag, fleet.without),
                  })}
                </span>
              </p>
            )}
          </>
        )}
      </Panel>
      {data?.map((p) => (
        <One key={p.id} of={p} mayWrite={mayWrite} open={setOpen} changed={changed} />
      ))}
      {open && open.kind !== 'delete' && (
        <ProfileForm
          of={open.kind === 'add' ? undefined : open.of}
          copy={open.kind === 'copy'}
          close={close}
          changed={changed}
        />
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('profiles.deleteTitle', { name: open.of.name })}
          close={close}
          send={() =>
            ok(api.DELETE('/configuration-profiles/{profile}', { params: { path: { profile: open.of.id } } }))
          }
          sent={changed}
          action={t('profiles.delete')}
          failed={t('profiles.notDeleted')}
          grave
        >
          <Effect>{t('profiles.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

function One({
  of: p,
  mayWrite,
  open,
  changed,
}: {
  of: Profile;
  mayWrite: boolean;
  open: (what: Open) => void;
  changed: () => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const toast = useToast();
  const siteName = useSiteNames();
  const known = useQuery(knownQuery()).data;
  const turn = useMutation({
    mutationFn: () =>
      ok(
        api.PATCH('/configuration-profiles/{profile}', {
          params: { path: { profile: p.id } },
          body: { active: !p.active },
        }),
      ),
    onSuccess: changed,
    onError: () => toast({ text: t('profiles.notSaved'), tone: 'bad' }),
  });
  const where = [
    ...p.sites.map(siteName),
    p.vendor,
    p.model && `${p.model}…`,
    ...p.protocols.map((x) => x.replace('ocpp', 'OCPP ')),
  ].filter(Boolean);
  return (
    <Panel
      title={p.name}
      flush
      aside={
        mayWrite && (
          <ActMenu
            of={p.name}
            acts={[
              {
                label: p.active ? t('profiles.switchOff') : t('profiles.switchOn'),
                icon: 'retry',
                run: () => turn.mutate(),
              },
              { label: t('profiles.edit'), icon: 'edit', run: () => open({ kind: 'edit', of: p }) },
              { label: t('profiles.copy'), icon: 'plus', run: () => open({ kind: 'copy', of: p }) },
              ...(p.builtIn
                ? []
                : [
                    {
                      label: t('profiles.delete'),
                      icon: 'trash' as const,
                      grave: true,
                      run: () => open({ kind: 'delete', of: p }),
                    },
                  ]),
            ]}
          />
        )
      }
    >
      <dl className={styles.facts}>
        {!p.active && (
          <div>
            <dt>{t('profiles.holdsNow')}</dt>
            <dd className={styles.bad}>{t('profiles.off')}</dd>
          </div>
        )}
        <div>
          <dt>{t('profiles.for')}</dt>
          <dd>{where.length > 0 ? where.join(', ') : t('profiles.all')}</dd>
        </div>
        <div>
          <dt>{t('profiles.stations')}</dt>
          <dd className="num">{count(tag, p.stations)}</dd>
        </div>
        <div>
          <dt>{t('profiles.restartShort')}</dt>
          <dd>{t(`profiles.restart.${p.restart}`)}</dd>
        </div>
        <div>
          <dt>{t('profiles.later')}</dt>
          <dd>{t(p.mend ? 'profiles.mends' : 'profiles.stays')}</dd>
        </div>
        {p.builtIn && (
          <div>
            <dt>{t('profiles.origin')}</dt>
            <dd>{t('profiles.builtIn')}</dd>
          </div>
        )}
      </dl>
      <TableFrame label={p.name} className={styles.stack!}>
        <thead>
          <tr>
            <th scope="col">{t('profiles.setting')}</th>
            <th scope="col">{t('profiles.value')}</th>
          </tr>
        </thead>
        <tbody>
          {p.settings.map((s) => (
            <tr key={s.name}>
              <th scope="row">
                <span className={styles.setting}>
                  <span>{meaning(t, s.name, known) || s.name}</span>
                  <span className="mono meta">{s.key ? `${s.name} · ${s.key}` : s.name}</span>
                </span>
              </th>
              <td className={styles.value} data-label={t('profiles.value')}>
                <Value of={s} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </Panel>
  );
}

function Value({ of: s }: { of: Wish }) {
  const t = useT();
  if (s.leave) return <span className="meta">{t('profiles.leave')}</span>;
  const unit = s.unit === 's' ? ` ${t('profiles.seconds')}` : '';
  const say = (v: string) => (v === '' ? t('profiles.empty') : spaced(v) + unit);
  return (
    <span className={styles.setting}>
      <span>{say(s.value ?? '')}</span>
      {s.valueDc !== undefined && <span className="meta">{t('profiles.dc', { value: say(s.valueDc) })}</span>}
      {s.valueOcpp16 !== undefined && (
        <span className="meta">{t('profiles.value16', { value: say(s.valueOcpp16) })}</span>
      )}
    </span>
  );
}
