// What makers' models are built of: the operator's own entries before those that come along.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import { ModelForm } from './form';
import {
  blank,
  type Draft,
  draftFrom,
  draftOf,
  hints,
  MODELS,
  type Model,
  modelsQuery,
  portLines,
  type Unmatched,
  unmatchedQuery,
} from './model';
import styles from './models.module.css';

type Open = { kind: 'form'; draft: Draft; id?: string } | { kind: 'delete'; of: Model };

export default function Models() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(modelsQuery());
  const unmatched = useQuery(unmatchedQuery());
  const mayWrite = useAllowed('stations.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: MODELS });
  const begin = (draft: Draft, id?: string) => setOpen({ kind: 'form', draft, ...(id ? { id } : {}) });
  const columns: Column<Model>[] = [
    {
      head: t('models.model'),
      cell: (m) => (
        <span className={styles.name}>
          <span className={m.replacedBy ? styles.replaced : undefined}>
            {m.vendor} <span className="mono">{m.model}</span>
          </span>
          <span className="meta">
            {m.own ? t('models.own') : m.replacedBy ? t('models.replaced') : t('models.builtIn')}
          </span>
        </span>
      ),
      csv: (m) => `${m.vendor} ${m.model}`,
    },
    {
      head: t('models.ports'),
      cell: (m) => <Ports of={m} />,
      csv: (m) => portLines(t, tag, m.evses).join('; '),
    },
    {
      head: t('models.stations'),
      end: true,
      cell: (m) => (
        <span className={styles.figure}>
          {m.stations > 0 ? count(tag, m.stations) : <span className="meta">0</span>}
          {m.otherwise > 0 && (
            <span className="meta">
              {t('models.otherwise', { n: m.otherwise, shown: count(tag, m.otherwise) })}
            </span>
          )}
        </span>
      ),
      csv: (m) => m.stations,
    },
    {
      head: t('models.source'),
      prose: true,
      cell: (m) => <span className={`meta ${styles.source}`}>{m.source}</span>,
      csv: (m) => m.source,
    },
  ];
  return (
    <>
      <Unknown
        rows={unmatched.data}
        error={unmatched.error}
        retry={() => void unmatched.refetch()}
        mayWrite={mayWrite}
        edit={(u) => begin(draftFrom(u))}
        changed={changed}
      />
      <List
        title={t('models.title')}
        aside={
          mayWrite && (
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => begin(blank())}>
              {t('models.add')}
            </Button>
          )
        }
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(m) => m.id || `${m.vendor}/${m.model}`}
        finds={(m) => `${m.vendor} ${m.model} ${portLines(t, tag, m.evses).join(' ')} ${m.source}`}
        empty={<Empty title={t('models.none')}>{t('models.noneText')}</Empty>}
        file="models.csv"
        menu={(m) =>
          mayWrite && (
            <ActMenu
              of={`${m.vendor} ${m.model}`}
              acts={
                m.own
                  ? [
                      { label: t('models.edit'), icon: 'edit', run: () => begin(draftOf(m), m.id) },
                      {
                        label: t('models.delete'),
                        icon: 'trash',
                        grave: true,
                        run: () => setOpen({ kind: 'delete', of: m }),
                      },
                    ]
                  : [
                      !m.replacedBy && {
                        label: t('models.instead'),
                        icon: 'edit',
                        run: () => begin(draftOf(m)),
                      },
                    ]
              }
            />
          )
        }
      />
      {open?.kind === 'form' && <ModelForm draft={open.draft} id={open.id} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('models.deleteTitle', { name: `${open.of.vendor} ${open.of.model}` })}
          close={close}
          send={() => ok(api.DELETE('/models/{id}', { params: { path: { id: open.of.id } } }))}
          sent={changed}
          action={t('models.delete')}
          failed={t('models.notDeleted')}
          grave
        >
          <Effect>
            {t('models.deleteText', { n: open.of.stations, shown: count(tag, open.of.stations) })}
          </Effect>
        </FormDialog>
      )}
    </>
  );
}

function Ports({ of: m }: { of: Pick<Model, 'evses' | 'configuration' | 'quirks'> }) {
  const t = useT();
  const tag = useTag();
  return (
    <span className={styles.ports}>
      {portLines(t, tag, m.evses).map((line) => (
        <span key={line}>{line}</span>
      ))}
      {hints(t, m).map((line) => (
        <span key={line} className="meta">
          {line}
        </span>
      ))}
    </span>
  );
}

/** What stations report and nobody describes: their ports are in no class of power. */
function Unknown({
  rows,
  error,
  retry,
  mayWrite,
  edit,
  changed,
}: {
  rows: Unmatched[] | undefined;
  error: unknown;
  retry: () => void;
  mayWrite: boolean;
  edit: (of: Unmatched) => void;
  changed: () => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const toast = useToast();
  const [all, setAll] = useState(false);
  const take = useMutation({
    mutationFn: (u: Unmatched) => ok(api.POST('/models', { body: draftFrom(u) })),
    onSuccess: async (m) => {
      await changed();
      toast({ text: t('models.added', { name: `${m.vendor} ${m.model}` }) });
    },
    onError: () => toast({ text: t('models.notSaved'), tone: 'bad' }),
  });
  if (error && !rows) {
    return (
      <Panel title={t('models.unknown')}>
        <Failed what={t('models.unknown')} error={error} retry={retry} />
      </Panel>
    );
  }
  if (!rows || rows.length === 0) return null;
  return (
    <Panel title={t('models.unknown')} flush>
      <p className={styles.lead}>{t('models.unknownLead')}</p>
      <TableFrame label={t('models.unknown')} className={styles.stack!}>
        <thead>
          <tr>
            <th scope="col">{t('models.reported')}</th>
            <th scope="col" className={table.end}>
              {t('models.stations')}
            </th>
            <th scope="col">{t('models.suggestion')}</th>
            {mayWrite && (
              <th scope="col">
                <span className="srOnly">{t('models.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, all ? undefined : FIRST).map((u) => (
            <tr key={`${u.vendor}/${u.model}`}>
              <th scope="row">
                <span className={styles.name}>
                  <span>
                    {u.vendor} <span className="mono">{u.model}</span>
                  </span>
                  <span className="meta">
                    {u.examples.slice(0, 1).map((id) => (
                      <Link key={id} to="/stations/$id" params={{ id }} className="mono">
                        {id}
                      </Link>
                    ))}
                    {u.stations > 1 &&
                      ` ${t('models.andOthers', { n: u.stations - 1, shown: count(tag, u.stations - 1) })}`}
                  </span>
                </span>
              </th>
              <td className={`${table.end} num`}>{count(tag, u.stations)}</td>
              <td>
                {u.suggestion ? (
                  <span className={styles.ports}>
                    {portLines(t, tag, u.suggestion.evses).map((line) => (
                      <span key={line}>{line}</span>
                    ))}
                    <span className="meta">
                      {t(`models.from.${u.suggestion.from}`, {
                        n: u.suggestion.stations,
                        shown: count(tag, u.suggestion.stations),
                      })}
                    </span>
                  </span>
                ) : (
                  <span className="meta">{t('models.nothingTold')}</span>
                )}
              </td>
              {mayWrite && (
                <td className={styles.acts}>
                  {u.suggestion?.complete && (
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => take.mutate(u)}
                      loading={take.isPending && take.variables === u}
                    >
                      {t('models.take')}
                    </Button>
                  )}
                  <Button
                    size="compact-sm"
                    variant={u.suggestion?.complete ? 'subtle' : 'default'}
                    onClick={() => edit(u)}
                  >
                    {t(u.suggestion?.complete ? 'models.takeChanged' : 'models.describe')}
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {!all && rows.length > FIRST && (
        <div className={styles.rest}>
          <Button variant="subtle" color="gray" onClick={() => setAll(true)}>
            {t('models.showAll', { n: count(tag, rows.length) })}
          </Button>
        </div>
      )}
    </Panel>
  );
}

const FIRST = 6;
