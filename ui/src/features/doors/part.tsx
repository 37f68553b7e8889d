// Doors as they were set up, and the controllers that move them.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { sitesQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import { useCameras } from '../video/feed';
import { Areas } from './areas-part';
import { Controllers } from './controllers';
import { type Door, doorName, kindOf } from './door';
import { DoorForm } from './door-form';
import { DOORS, useDoors } from './feed';
import { KindIcon } from './kind';
import styles from './part.module.css';
import { controllersQuery } from './setup';
import { DoorState } from './state';

type Open = { kind: 'add' } | { kind: 'edit' | 'delete'; of: Door };

export default function Doors() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('doors.write');
  const mayAreas = useAllowed('policies.read');
  const { data, error, refetch } = useDoors();
  const { data: sites } = useQuery(sitesQuery());
  const { data: controllers } = useQuery({ ...controllersQuery(), enabled: mayWrite });
  const { data: cameras } = useCameras();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: DOORS });
  const siteName = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const cameraName = (id: string) => cameras?.find((c) => c.id === id)?.label || id;
  const controllerName = (id: string) => controllers?.find((c) => c.id === id)?.label || id;
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('doors.add')}
    </Button>
  );
  const columns: Column<Door>[] = [
    {
      head: t('doors.name'),
      cell: (d) => (
        <span className={styles.name}>
          <KindIcon kind={d.kind} size={16} />
          {doorName(d)}
          {d.simulated && <span className="meta">{t('doors.simulated')}</span>}
        </span>
      ),
      csv: (d) => doorName(d),
    },
    {
      head: t('doors.stateHead'),
      cell: (d) => (
        <span className={styles.name}>
          <DoorState state={d.state} size={14} />
          {d.stateSince && (
            <span className="meta">
              <Age at={d.stateSince} />
            </span>
          )}
        </span>
      ),
      csv: (d) => d.state,
    },
    { head: t('doors.site'), cell: (d) => siteName(d.siteId), csv: (d) => d.siteId },
    {
      head: t('doors.controller'),
      cell: (d) =>
        d.controller ? (
          t('doors.numberOf', { n: d.number, controller: controllerName(d.controller) })
        ) : (
          <span className="meta">{t('doors.noController')}</span>
        ),
      csv: (d) => (d.controller ? `${d.controller} ${d.number}` : ''),
      cut: (d) => controllerName(d.controller),
    },
    {
      head: t('doors.camera'),
      cell: (d) => (d.cameraId ? cameraName(d.cameraId) : '–'),
      csv: (d) => d.cameraId,
    },
    {
      head: t('doors.behind'),
      end: true,
      cell: (d) => d.evses.length || '–',
      csv: (d) => d.evses.join(' '),
    },
    {
      head: t('doors.held'),
      end: true,
      cell: (d) => `${d.heldAfterSeconds} s`,
      csv: (d) => d.heldAfterSeconds,
    },
  ];
  return (
    <>
      {mayWrite && <Controllers sites={sites} />}
      <List
        title={t('doors.title')}
        aside={add}
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(d) => d.id}
        finds={(d) =>
          `${d.label} ${d.id} ${siteName(d.siteId)} ${t(`doors.kind.${kindOf(d.kind)}`)} ${d.state}`
        }
        file="doors"
        empty={
          <Empty title={t('doors.none')} action={add}>
            {t(mayWrite ? 'doors.noneText' : 'doors.noneAsk')}
          </Empty>
        }
        {...(mayWrite
          ? {
              menu: (d: Door) => (
                <ActMenu
                  of={doorName(d)}
                  acts={[
                    { label: t('doors.edit'), icon: 'edit', run: () => setOpen({ kind: 'edit', of: d }) },
                    {
                      label: t('doors.delete'),
                      icon: 'trash',
                      grave: true,
                      run: () => setOpen({ kind: 'delete', of: d }),
                    },
                  ]}
                />
              ),
            }
          : {})}
      />
      {mayAreas && <Areas sites={sites} doors={data} />}
      {open && open.kind !== 'delete' && (
        <DoorForm
          of={'of' in open ? open.of : undefined}
          sites={sites}
          controllers={controllers}
          cameras={cameras}
          close={close}
          changed={changed}
        />
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('doors.deleteTitle', { name: doorName(open.of) })}
          close={close}
          send={() => ok(api.DELETE('/doors/{door}', { params: { path: { door: open.of.id } } }))}
          sent={changed}
          action={t('doors.delete')}
          failed={t('doors.deleteFailed')}
          refusals={{ 409: t('doors.deleteNamed') }}
          grave
        >
          <Effect>{t('doors.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}
