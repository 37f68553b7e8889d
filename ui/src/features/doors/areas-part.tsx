// Areas whose doors say who is inside, and airlocks of which one door opens at a time.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import { AirlockForm, AreaForm } from './area-form';
import { type Airlock, AREAS, type Area, airlocksQuery, areasQuery, doorOf } from './areas';
import { type Door, doorName } from './door';
import { DOORS } from './feed';

type Open =
  | { what: 'area'; of?: Area }
  | { what: 'airlock'; of?: Airlock }
  | { what: 'dropArea'; of: Area }
  | { what: 'dropAirlock'; of: Airlock };

export function Areas({
  sites,
  doors,
}: {
  sites: readonly Site[] | undefined;
  doors: readonly Door[] | undefined;
}) {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('policies.write');
  const areas = useQuery(areasQuery());
  const airlocks = useQuery(airlocksQuery());
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: AREAS }),
      queries.invalidateQueries({ queryKey: DOORS }),
    ]);
  const siteName = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const named = (places: readonly string[] | undefined) =>
    (places ?? [])
      .map((p) => {
        const d = doors?.find((x) => x.id === doorOf(p));
        return d ? doorName(d) : doorOf(p);
      })
      .join(', ');
  const keeper = (x: { board?: boolean }) => t(x.board ? 'doors.keptBoard' : 'doors.keptServer');
  const columns: Column<Area>[] = [
    { head: t('doors.name'), cell: (a) => a.name, csv: (a) => a.name },
    { head: t('doors.site'), cell: (a) => siteName(a.siteId), csv: (a) => a.siteId },
    { head: t('doors.area.in'), cell: (a) => named(a.in), csv: (a) => a.in.join(' ') },
    {
      head: t('doors.area.out'),
      cell: (a) => named(a.out) || '–',
      csv: (a) => (a.out ?? []).join(' '),
    },
    {
      head: t('doors.area.again'),
      cell: (a) => t(a.mode === 'hard' ? 'doors.area.refused' : 'doors.area.told'),
      csv: (a) => a.mode,
    },
    {
      head: t('doors.keptBy'),
      cell: (a) => (a.mode === 'hard' ? keeper(a) : '–'),
      csv: (a) => (a.board ? 'board' : 'server'),
    },
    {
      head: t('doors.area.forget'),
      end: true,
      cell: (a) => `${a.forgetAfterHours || 12} h`,
      csv: (a) => a.forgetAfterHours || 12,
    },
  ];
  const lockColumns: Column<Airlock>[] = [
    { head: t('doors.name'), cell: (a) => a.name, csv: (a) => a.name },
    { head: t('doors.site'), cell: (a) => siteName(a.siteId), csv: (a) => a.siteId },
    {
      head: t('doors.airlock.doors'),
      cell: (a) => named(a.doors),
      csv: (a) => a.doors.join(' '),
    },
    { head: t('doors.keptBy'), cell: keeper, csv: (a) => (a.board ? 'board' : 'server') },
  ];
  const add = (what: 'area' | 'airlock') =>
    mayWrite && (
      <Button
        variant="default"
        leftSection={<Icon name="plus" size={14} />}
        onClick={() => setOpen({ what })}
      >
        {t(`doors.${what}.add`)}
      </Button>
    );
  const form = { sites, doors, close, changed };
  return (
    <>
      <List
        title={t('doors.areas')}
        aside={add('area')}
        rows={areas.data}
        error={areas.error}
        retry={() => void areas.refetch()}
        columns={columns}
        keyOf={(a) => a.id ?? ''}
        finds={(a) => `${a.name} ${siteName(a.siteId)} ${named(a.in)} ${named(a.out)}`}
        file="areas"
        empty={
          <Empty title={t('doors.area.none')} action={add('area')}>
            {t('doors.area.noneText')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (of: Area) => (
                <ActMenu
                  of={of.name}
                  acts={[
                    { label: t('doors.area.edit'), icon: 'edit', run: () => setOpen({ what: 'area', of }) },
                    {
                      label: t('doors.area.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ what: 'dropArea', of }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      <List
        title={t('doors.airlocks')}
        aside={add('airlock')}
        rows={airlocks.data}
        error={airlocks.error}
        retry={() => void airlocks.refetch()}
        columns={lockColumns}
        keyOf={(a) => a.id ?? ''}
        finds={(a) => `${a.name} ${siteName(a.siteId)} ${named(a.doors)}`}
        file="airlocks"
        empty={
          <Empty title={t('doors.airlock.none')} action={add('airlock')}>
            {t('doors.airlock.noneText')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (of: Airlock) => (
                <ActMenu
                  of={of.name}
                  acts={[
                    {
                      label: t('doors.airlock.edit'),
                      icon: 'edit',
                      run: () => setOpen({ what: 'airlock', of }),
                    },
                    {
                      label: t('doors.airlock.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ what: 'dropAirlock', of }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      {open?.what === 'area' && <AreaForm of={open.of} {...form} />}
      {open?.what === 'airlock' && <AirlockForm of={open.of} {...form} />}
      {(open?.what === 'dropArea' || open?.what === 'dropAirlock') && (
        <FormDialog
          title={t('doors.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => {
            const of = { params: { path: { id: open.of.id ?? '' } } };
            return ok(
              open.what === 'dropArea'
                ? api.DELETE('/access/areas/{id}', of)
                : api.DELETE('/access/airlocks/{id}', of),
            );
          }}
          sent={changed}
          action={t(open.what === 'dropArea' ? 'doors.area.delete' : 'doors.airlock.delete')}
          failed={t('doors.deleteFailed')}
          grave
        >
          <Effect>
            {t(open.what === 'dropArea' ? 'doors.area.deleteText' : 'doors.airlock.deleteText')}
          </Effect>
        </FormDialog>
      )}
    </>
  );
}
