import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { count, rated } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog } from './dialog';
import { type Column, List } from './list';
import styles from './settings.module.css';
import { SiteForm } from './site-form';
import { SiteImport } from './site-import';

type Open = { kind: 'add' } | { kind: 'import' } | { kind: 'edit' | 'delete'; site: Site };

export default function Sites() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(sitesQuery());
  const mayWrite = useAllowed('sites.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['sites'] });
  const add = (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('site.add')}
    </Button>
  );
  const bring = (
    <Button
      variant="default"
      leftSection={<Icon name="upload" size={14} />}
      onClick={() => setOpen({ kind: 'import' })}
    >
      {t('import.open')}
    </Button>
  );
  const columns: Column<Site>[] = [
    {
      head: t('site.name'),
      cell: (s) => (
        <>
          {s.name || s.id} <span className="meta mono">{s.id}</span>
        </>
      ),
      csv: (s) => s.name,
    },
    { head: t('site.address'), cell: (s) => s.address || '–', csv: (s) => s.address, cut: (s) => s.address },
    {
      head: t('site.position'),
      cell: (s) =>
        s.latitude === null || s.longitude === null ? (
          <span className={styles.off}>{t('site.nowhere')}</span>
        ) : (
          <span className="num">
            {s.latitude.toFixed(3)}, {s.longitude.toFixed(3)}
          </span>
        ),
      csv: (s) => (s.latitude === null ? '' : `${s.latitude}, ${s.longitude}`),
    },
    { head: t('site.zone'), cell: (s) => s.timeZone || '–', csv: (s) => s.timeZone },
    {
      head: t('site.stations'),
      end: true,
      cell: (s) => count(tag, s.stations),
      csv: (s) => s.stations,
    },
    {
      head: t('site.limit'),
      end: true,
      cell: (s) => (s.gridLimitW ? `${rated(tag, s.gridLimitW)} kW` : '–'),
      csv: (s) => s.gridLimitW,
    },
    {
      head: t('site.public'),
      cell: (s) => (s.public ? t('site.publicYes', { n: s.notices.length }) : '–'),
      csv: (s) => s.public,
    },
  ];
  return (
    <>
      <List
        title={t('settings.sites')}
        aside={
          mayWrite && (
            <>
              {bring}
              {add}
            </>
          )
        }
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(s) => s.id}
        finds={(s) => `${s.name} ${s.id} ${s.address} ${s.timeZone}`}
        file="sites"
        empty={
          <Empty title={t('site.noneYet')} action={mayWrite && add}>
            {t('site.noneText')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (s: Site) => (
                <ActMenu
                  of={s.name || s.id}
                  acts={[
                    { label: t('site.edit'), icon: 'edit', run: () => setOpen({ kind: 'edit', site: s }) },
                    {
                      label: t('site.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'delete', site: s }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      {open?.kind === 'add' && <SiteForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <SiteForm site={open.site} close={close} changed={changed} />}
      {open?.kind === 'import' && <SiteImport close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('site.deleteTitle', { name: open.site.name || open.site.id })}
          close={close}
          send={() => ok(api.DELETE('/sites/{site}', { params: { path: { site: open.site.id } } }))}
          sent={changed}
          action={t('site.delete')}
          failed={t('site.deleteFailed')}
          refusals={{ 409: t('site.deleteHas') }}
          ready={open.site.stations === 0}
          grave
        >
          <Effect>
            {open.site.stations === 0 ? t('site.deleteText') : t('site.deleteNot', { n: open.site.stations })}
          </Effect>
        </FormDialog>
      )}
    </>
  );
}
