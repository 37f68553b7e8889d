// The library of firmware: what can be brought to stations.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count, storage, text } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Effect, FormDialog } from '../settings/dialog';
import { IMAGES, type Image, imagesQuery } from './files';
import styles from './files.module.css';
import { ImageForm, SignatureForm } from './image';

type Open = { kind: 'add' } | { kind: 'sign' | 'delete'; of: Image };

export default function Library() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(imagesQuery());
  const may = useAllowed('firmware.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: IMAGES });
  const add = may && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('files.add')}
    </Button>
  );
  return (
    <>
      <Panel title={t('files.library')} flush aside={data && data.length > 0 && add}>
        {error && !data ? (
          <Failed what={t('files.library')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={3} />
        ) : data.length === 0 ? (
          <Empty title={t('files.noImages')} action={add}>
            {t('files.noImagesText')}
          </Empty>
        ) : (
          <TableFrame label={t('files.library')}>
            <thead>
              <tr>
                <th scope="col">{t('files.version')}</th>
                <th scope="col">{t('files.for')}</th>
                <th scope="col" className={table.end}>
                  {t('files.running')}
                </th>
                <th scope="col" className={table.end}>
                  {t('files.toUpdate')}
                </th>
                <th scope="col">{t('files.file')}</th>
                <th scope="col">{t('files.added')}</th>
                <th scope="col">{t('files.acts')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((x) => (
                <Row key={x.id} of={x} may={may} open={setOpen} />
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {open?.kind === 'add' && <ImageForm close={close} changed={changed} />}
      {open?.kind === 'sign' && <SignatureForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('files.deleteTitle', { version: open.of.version })}
          close={close}
          send={() => ok(api.DELETE('/firmware/images/{id}', { params: { path: { id: open.of.id } } }))}
          sent={changed}
          action={t('files.delete')}
          failed={t('files.notDeleted')}
          refusals={{ 409: t('files.inUse') }}
          grave
        >
          <Effect>{t('files.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}

function Row({ of: x, may, open }: { of: Image; may: boolean; open: (what: Open) => void }) {
  const t = useT();
  const tag = useTag();
  return (
    <tr>
      <th scope="row">
        <span className="mono">{x.version}</span>
        <span className={`meta ${styles.why}`}>
          {t(x.signed ? 'files.signed' : 'files.notSigned')}
          {x.notes && ` · ${x.notes}`}
        </span>
      </th>
      <td>{[x.vendor, x.model && `${x.model}…`].filter(Boolean).join(' ') || t('files.all')}</td>
      <td className={`${table.end} num`}>{count(tag, x.running)}</td>
      <td className={`${table.end} num`}>{count(tag, x.stations)}</td>
      <td>
        <span className={`mono ${styles.name}`}>{x.name}</span>
        <span className={`meta ${styles.why}`} title={x.sha256}>
          {t('files.hashed', { size: text(storage(tag, x.bytes)), hash: x.sha256.slice(0, 12) })}
        </span>
      </td>
      <td className="num">
        <Age at={x.madeAt} />
        {x.byName && <span className={`meta ${styles.why}`}>{x.byName}</span>}
      </td>
      <td className={table.end}>
        {may && (
          <ActMenu
            of={x.version}
            acts={[
              { label: t('files.sign'), icon: 'check', run: () => open({ kind: 'sign', of: x }) },
              {
                label: t('files.delete'),
                icon: 'trash',
                grave: true,
                run: () => open({ kind: 'delete', of: x }),
              },
            ]}
          />
        )}
      </td>
    </tr>
  );
}
