import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery } from '../../api/queries';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog, Once } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import settings from '../settings/settings.module.css';
import { ArmingPanel } from './arming';
import styles from './cameras.module.css';
import { FindCameras } from './find';
import { CameraForm } from './form';
import type { Preset } from './preset';
import { type CameraSetup, useCameraSetup } from './queries';
import { SecretsPanel } from './secrets';
import { needsHand, SensesDialog } from './senses';
import { CameraState, rateText } from './state';
import { ZonesDialog } from './zones-dialog';

/** An id that nobody chose says nothing. */
const GIVEN = /^cam-[a-z0-9]{16}$/;

type Open =
  | { kind: 'add'; preset?: Preset }
  | { kind: 'find' }
  | { kind: 'edit' | 'zones' | 'watch' | 'labels' | 'delete'; of: CameraSetup };

/** The cameras as they were set up, and when what they see matters. */
export default function Cameras() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data, error, refetch } = useCameraSetup();
  const { data: sites } = useQuery(sitesQuery());
  const mayWrite = useAllowed('cameras.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['cameras'] });
  const siteName = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const days = (n: number) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(n);
  const short = (c: CameraSetup) =>
    c.retention.effectiveDays !== null &&
    c.recording !== 'off' &&
    c.retention.effectiveDays < c.retention.promisedDays * 0.98;
  const add = (
    <div className={styles.adds}>
      <Button
        variant="default"
        leftSection={<Icon name="search" size={14} />}
        onClick={() => setOpen({ kind: 'find' })}
      >
        {t('cameras.find')}
      </Button>
      <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
        {t('cameras.add')}
      </Button>
    </div>
  );
  const columns: Column<CameraSetup>[] = [
    {
      head: t('cameras.name'),
      cell: (c) => (
        <>
          {c.label || c.id} {c.label && !GIVEN.test(c.id) && <span className="meta mono">{c.id}</span>}
        </>
      ),
      csv: (c) => c.label || c.id,
    },
    {
      head: t('cameras.state'),
      cell: (c) => (
        <>
          <CameraState state={c.state} since={c.stateSince} reason={c.reason} />
          {needsHand(c.senses) && (
            <button type="button" className={styles.hint} onClick={() => setOpen({ kind: 'watch', of: c })}>
              <Icon name="warn" size={14} />
              {t('cameras.watch.hint')}
            </button>
          )}
        </>
      ),
      csv: (c) => [c.state, c.reason].filter(Boolean).join(' '),
    },
    { head: t('cameras.site'), cell: (c) => siteName(c.siteId), csv: (c) => c.siteId },
    {
      head: t('cameras.picture'),
      cell: (c) =>
        c.main ? (
          <span className="num">
            {c.main.codec === 'h265' ? 'H.265' : 'H.264'} {c.main.width}×{c.main.height}
            {c.main.fps > 0 && <span className={`meta ${styles.below}`}>{rateText(t, tag, c.main)}</span>}
          </span>
        ) : (
          <span className={settings.off}>–</span>
        ),
      csv: (c) => (c.main ? `${c.main.codec} ${c.main.width}x${c.main.height}` : ''),
    },
    {
      head: t('cameras.recording'),
      cell: (c) => (
        <>
          {t(`cameras.record.${c.recording}`)}
          {c.audio && (
            <span className={`meta ${styles.below}`}>
              {t(`cameras.sound.${c.main?.sound || 'permitted'}`)}
            </span>
          )}
        </>
      ),
      csv: (c) => c.recording,
    },
    {
      head: t('cameras.kept'),
      end: true,
      cell: (c) =>
        c.recording === 'off' ? (
          <span className={settings.off}>–</span>
        ) : (
          <span className={short(c) ? settings.weak : undefined}>
            {c.retention.effectiveDays === null
              ? t('cameras.days', { n: c.retention.promisedDays, shown: days(c.retention.promisedDays) })
              : t('cameras.days', {
                  n: c.retention.effectiveDays,
                  shown: days(c.retention.effectiveDays),
                })}
            {short(c) && (
              <span className={styles.below}>
                {t('cameras.promised', { shown: days(c.retention.promisedDays) })}
              </span>
            )}
          </span>
        ),
      csv: (c) => c.retention.effectiveDays ?? c.retention.promisedDays,
    },
    { head: t('cameras.zones'), end: true, cell: (c) => c.zones.length || '–', csv: (c) => c.zones.length },
  ];
  const name = open && 'of' in open ? open.of.label || open.of.id : '';
  // What is shown of a camera goes on while its dialog is open.
  const shown = (c: CameraSetup) => data?.find((x) => x.id === c.id) ?? c;
  return (
    <>
      <List
        title={t('cameras.title')}
        aside={mayWrite && add}
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(c) => c.id}
        finds={(c) => `${c.label} ${c.id} ${siteName(c.siteId)} ${c.siteId} ${c.state} ${c.mainUrl}`}
        file="cameras"
        empty={
          <Empty title={t('cameras.none')} action={mayWrite && add}>
            {t(mayWrite ? 'cameras.noneText' : 'cameras.noneAsk')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (c: CameraSetup) => (
                <ActMenu
                  of={c.label || c.id}
                  acts={[
                    {
                      label: t('cameras.watch'),
                      icon: 'pulse',
                      run: () => setOpen({ kind: 'watch', of: c }),
                    },
                    { label: t('cameras.edit'), icon: 'edit', run: () => setOpen({ kind: 'edit', of: c }) },
                    {
                      label: t('cameras.zonesEdit'),
                      icon: 'scan',
                      run: () => setOpen({ kind: 'zones', of: c }),
                    },
                    {
                      label: t('cameras.secret'),
                      icon: 'key',
                      run: () => setOpen({ kind: 'labels', of: c }),
                    },
                    {
                      label: t('cameras.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'delete', of: c }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      <ArmingPanel cameras={data} sites={sites} />
      {mayWrite && <SecretsPanel cameras={data} sites={sites} />}
      {open?.kind === 'find' && (
        <FindCameras cameras={data} close={close} chosen={(preset) => setOpen({ kind: 'add', preset })} />
      )}
      {open?.kind === 'add' && (
        <CameraForm preset={open.preset} sites={sites} close={close} changed={changed} />
      )}
      {open?.kind === 'watch' && <SensesDialog of={shown(open.of)} close={close} />}
      {open?.kind === 'labels' && (
        <FormDialog
          title={t('cameras.secretTitle', { name })}
          close={close}
          send={() =>
            ok(api.POST('/cameras/{camera}/labels/secret', { params: { path: { camera: open.of.id } } }))
          }
          sent={changed}
          action={t(open.of.labelSecret === 'camera' ? 'cameras.secretAgain' : 'cameras.secretMake')}
          failed={t('cameras.secretFailed')}
          once={(a) => (
            <>
              <Once what={t('cameras.secretIs')} value={a.secret} note={t('cameras.secretOnce')} />
              <Once what={t('cameras.secretUrl')} value={a.url} note={t('cameras.secretUrlNote')} />
            </>
          )}
        >
          <Effect>{t('cameras.secretText')}</Effect>
          {open.of.labelSecret === 'camera' && <Effect>{t('cameras.secretVoid')}</Effect>}
        </FormDialog>
      )}
      {open?.kind === 'edit' && <CameraForm of={open.of} sites={sites} close={close} changed={changed} />}
      {open?.kind === 'zones' && <ZonesDialog of={open.of} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('cameras.deleteTitle', { name })}
          close={close}
          send={() => ok(api.DELETE('/cameras/{camera}', { params: { path: { camera: open.of.id } } }))}
          sent={changed}
          action={t('cameras.delete')}
          failed={t('cameras.deleteFailed')}
          grave
        >
          <Effect>{t('cameras.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}
