import { Button, Progress } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { count } from '../../format/quantity';
import { day, dayTime } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './past.module.css';
import { atWork, cancel, forget, type Import, importsQuery, run, undo } from './queries';

/** What was brought in: how far it is, what came of it, and the way back. */
export function Imports({ look, open }: { look: (id: number) => void; open: number | null }) {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(importsQuery());
  const act = useMutation({
    mutationFn: ({ id, what }: { id: number; what: (id: number) => Promise<unknown> }) => what(id),
    onSettled: () => queries.invalidateQueries({ queryKey: ['imports'], exact: true }),
  });
  const items = data?.items.filter((x) => x.id !== open);
  return (
    <Panel title={t('past.imports')} flush={(items?.length ?? 0) > 0}>
      {!items ? (
        error ? (
          <Failed what={t('past.imports')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={3} />
        )
      ) : items.length === 0 ? (
        <Empty title={t('past.imports.none')}>{t('past.imports.noneHint')}</Empty>
      ) : (
        <TableFrame label={t('past.imports')}>
          <thead>
            <tr>
              <th scope="col">{t('past.file')}</th>
              <th scope="col">{t('past.brought')}</th>
              <th scope="col">{t('past.covers')}</th>
              <th scope="col" className={table.end}>
                {t('past.sessions')}
              </th>
              <th scope="col">{t('past.state')}</th>
              <th scope="col">
                <span className="srOnly">{t('past.acts')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((x) => (
              <Row
                key={x.id}
                of={x}
                look={look}
                act={(what) => act.mutate({ id: x.id, what })}
                busy={act.isPending}
              />
            ))}
          </tbody>
        </TableFrame>
      )}
      <FormFault what={t('past.act.refused')} error={act.error} />
    </Panel>
  );
}

function Row({
  of: x,
  look,
  act,
  busy,
}: {
  of: Import;
  look: (id: number) => void;
  act: (what: (id: number) => Promise<unknown>) => void;
  busy: boolean;
}) {
  const t = useT();
  const tag = useTag();
  const [sure, setSure] = useState(false);
  const p = x.progress;
  const of100 = p && p.total > 0 ? Math.floor((100 * p.done) / p.total) : 0;
  return (
    <tr>
      <th scope="row" className={table.prose}>
        {x.name}
      </th>
      <td>
        {dayTime(tag, Date.parse(x.madeAt))}
        {x.byName && <span className="meta"> {x.byName}</span>}
      </td>
      <td>
        {x.counts?.from && x.counts.to
          ? `${day(tag, Date.parse(x.counts.from))} – ${day(tag, Date.parse(x.counts.to))}`
          : '–'}
      </td>
      <td className={`num ${table.end}`}>{x.state === 'staged' ? '–' : count(tag, x.sessions)}</td>
      <td className={styles.stateCell}>
        {atWork(x) ? (
          <div className={styles.progress}>
            <Progress value={of100} size="sm" aria-label={t('past.progress', { name: x.name })} />
            <span className="meta" role="status">
              {p ? t(`past.phase.${p.phase}`, { percent: of100 }) : t(`past.state.${x.state}`)}
            </span>
          </div>
        ) : (
          t(`past.state.${x.state}`)
        )}
      </td>
      <td>
        <div className={styles.acts}>
          {sure ? (
            <>
              <span className="meta">{t('past.undo.sure', { n: count(tag, x.sessions) })}</span>
              <Button size="xs" variant="default" onClick={() => setSure(false)}>
                {t('action.cancel')}
              </Button>
              <Button
                size="xs"
                color="red"
                disabled={busy}
                onClick={() => {
                  setSure(false);
                  act(undo);
                }}
              >
                {t('past.undo')}
              </Button>
            </>
          ) : (
            <>
              {x.state === 'staged' && (
                <Button size="xs" variant="default" onClick={() => look(x.id)}>
                  {t('past.open')}
                </Button>
              )}
              {x.state === 'stopped' && (
                <Button size="xs" variant="default" disabled={busy} onClick={() => act(run)}>
                  {t('past.goOn')}
                </Button>
              )}
              {(x.state === 'running' || x.state === 'queued') && (
                <Button size="xs" variant="default" disabled={busy} onClick={() => act(cancel)}>
                  {t('past.stop')}
                </Button>
              )}
              {x.state === 'done' && (x.counts?.quarantined ?? 0) > 0 && (
                <a
                  className={styles.rowsLink}
                  href={`/api/v1/analytics/imports/${x.id}/rows.csv?outcome=quarantined`}
                  download
                >
                  <Icon name="download" size={14} />
                  {t('past.leftOut', { n: count(tag, x.counts!.quarantined) })}
                </a>
              )}
              {(x.state === 'done' || x.state === 'stopped') && (
                <Button size="xs" variant="default" disabled={busy} onClick={() => setSure(true)}>
                  {t('past.undo')}
                </Button>
              )}
              {(x.state === 'staged' || x.state === 'undone') && (
                <Button size="xs" variant="default" disabled={busy} onClick={() => act(forget)}>
                  {t('past.forget')}
                </Button>
              )}
            </>
          )}
        </div>
      </td>
    </tr>
  );
}
