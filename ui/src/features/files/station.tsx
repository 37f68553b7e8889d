// Files that a station was asked for, and firmware that it was to get.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { StationDetail } from '../../api/shapes';
import { storage, text } from '../../format/quantity';
import { dayTime, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import { useZone } from '../../ui/zone';
import { contentPath, filesQuery, type StationFile, stateWord, tone } from './files';
import styles from './files.module.css';
import { UpdateDialog } from './update';

const ICONS = { good: 'check', bad: 'warn', open: 'clock', none: 'event' } as const;

export default function StationFiles({ station }: { station: StationDetail }) {
  const t = useT();
  const { data, error, refetch } = useQuery(filesQuery(station.id));
  const may = useAllowed('stations.command');
  const [update, setUpdate] = useState(false);
  const open = (firmware: boolean) =>
    data?.some((f) => !f.over && (f.kind === 'firmware') === firmware) ?? false;
  const acts = may && (
    <div className={styles.bar}>
      <Ask station={station} kind="diagnostics" busy={open(false)} />
      <Ask station={station} kind="securityLog" busy={open(false)} />
      <Button
        size="compact-sm"
        variant="default"
        disabled={!station.online || open(true)}
        onClick={() => setUpdate(true)}
      >
        {t('files.update')}
      </Button>
    </div>
  );
  return (
    <Panel title={t('files.title')} flush aside={acts}>
      {error && !data ? (
        <Failed what={t('files.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : data.length === 0 ? (
        <Empty title={t('files.none')}>{t('files.noneText')}</Empty>
      ) : (
        <TableFrame label={t('files.title')}>
          <thead>
            <tr>
              <th scope="col">{t('files.what')}</th>
              <th scope="col">{t('files.state')}</th>
              <th scope="col">{t('files.asked')}</th>
              <th scope="col">{t('files.file')}</th>
              <th scope="col">{t('files.acts')}</th>
            </tr>
          </thead>
          <tbody>
            {data.map((f) => (
              <Row key={f.id} of={f} may={may} />
            ))}
          </tbody>
        </TableFrame>
      )}
      {update && <UpdateDialog station={station} close={() => setUpdate(false)} />}
    </Panel>
  );
}

function Ask({
  station,
  kind,
  busy,
}: {
  station: StationDetail;
  kind: 'diagnostics' | 'securityLog';
  busy: boolean;
}) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const send = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/stations/{station}/files', {
          params: { path: { station: station.id } },
          body: { kind },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: filesQuery(station.id).queryKey }),
    onError: () => toast({ text: t('files.notAsked'), tone: 'bad' }),
  });
  return (
    <Button
      size="compact-sm"
      variant="default"
      loading={send.isPending}
      disabled={!station.online || busy}
      onClick={() => send.mutate()}
    >
      {t(`files.get.${kind}`)}
    </Button>
  );
}

function Row({ of: f, may }: { of: StationFile; may: boolean }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const at = Date.parse(f.madeAt);
  const kind = tone(f);
  return (
    <tr>
      <th scope="row">
        {t(`files.kind.${f.kind}`)}
        {f.update && <span className="meta mono"> {f.update.version}</span>}
      </th>
      <td className={table.prose}>
        <span className={`${styles.state} ${kind === 'bad' ? table.fault : ''}`}>
          <Icon name={ICONS[kind]} size={14} />
          {t(stateWord(f))}
        </span>
        <Why of={f} />
      </td>
      <td className="num">
        <time dateTime={f.madeAt} title={exact(tag, at, zone)}>
          {dayTime(tag, at, zone)}
        </time>
        {f.byName && <span className={`meta ${styles.why}`}>{f.byName}</span>}
      </td>
      <td>
        {f.file ? (
          <>
            <span className={`mono ${styles.name}`}>{f.file.name || t(`files.kind.${f.kind}`)}</span>
            <span className={`meta ${styles.why}`} title={f.file.sha256}>
              {f.file.kept ? text(storage(tag, f.file.bytes)) : t('files.removed')}
            </span>
          </>
        ) : f.update && f.update.fetchedBytes > 0 ? (
          <span className="meta">
            {t('files.fetched', { amount: text(storage(tag, f.update.fetchedBytes)) })}
          </span>
        ) : (
          '–'
        )}
      </td>
      <td className={table.end}>
        <Acts of={f} may={may} />
      </td>
    </tr>
  );
}

/** Why it did not work, and what was refused at its address. */
function Why({ of: f }: { of: StationFile }) {
  const t = useT();
  const refused = f.refused.at(-1);
  return (
    <>
      {f.over && f.code && f.state !== 'received' && f.state !== 'updated' && (
        <span className={`meta ${styles.why}`}>
          {f.state === 'failed' || f.state === 'refused'
            ? t('files.says', { code: [f.code, f.detail].filter(Boolean).join(': ') })
            : f.detail}
        </span>
      )}
      {refused && f.state !== 'received' && (
        <span className={`meta ${styles.why}`}>
          {t('files.refused', { n: f.refused.length, why: refused.text })}
        </span>
      )}
    </>
  );
}

function Acts({ of: f, may }: { of: StationFile; may: boolean }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const path = { path: { station: f.station, transfer: f.id } };
  const cancel = useMutation({
    mutationFn: () => ok(api.POST('/stations/{station}/files/{transfer}/cancel', { params: path })),
    onSettled: () => queries.invalidateQueries({ queryKey: filesQuery(f.station).queryKey }),
    onError: () => toast({ text: t('files.notCancelled'), tone: 'bad' }),
  });
  return (
    <span className={styles.acts}>
      {f.file?.downloadable && (
        <Button
          component="a"
          href={contentPath(f)}
          download
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="download" size={14} />}
        >
          {t('files.download')}
        </Button>
      )}
      {!f.over && may && (
        <Button
          size="compact-sm"
          variant="subtle"
          loading={cancel.isPending}
          onClick={() => cancel.mutate()}
          title={t('files.cancelText')}
        >
          {t('files.cancel')}
        </Button>
      )}
    </span>
  );
}
