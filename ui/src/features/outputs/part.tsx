// Sirens, lights, speakers and relays as they were set up.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { sitesQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import { OUTPUTS, useOutputs } from './feed';
import { OutputForm } from './form';
import { KindIcon } from './kind';
import { clockText, failureKey, KINDS, kindOf, type Output, outputName } from './output';
import styles from './outputs.module.css';
import { OutputState } from './state';
import { useTaken } from './switch';

type Open = { kind: 'add' } | { kind: 'edit' | 'delete'; of: Output };

export default function Outputs() {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const { taken } = useTaken();
  const { data, error, refetch } = useOutputs();
  const { data: sites } = useQuery(sitesQuery());
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: OUTPUTS });
  const siteName = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const rows = data?.toSorted(
    (a, b) =>
      siteName(a.siteId).localeCompare(siteName(b.siteId)) ||
      KINDS.indexOf(kindOf(a.kind)) - KINDS.indexOf(kindOf(b.kind)) ||
      outputName(a).localeCompare(outputName(b)),
  );
  const test = (o: Output) =>
    ok(api.POST('/outputs/{output}/test', { params: { path: { output: o.id } } })).then(
      (now) => {
        taken(now);
        toast({ text: t('outputs.tested', { name: outputName(o) }) });
      },
      (e: unknown) => {
        void changed();
        toast({
          text: [
            t('outputs.notTested', { name: outputName(o) }),
            e instanceof Problem
              ? e.status === 502
                ? t('outputs.failure.unreachable')
                : e.status === 504
                  ? t('outputs.failure.noAnswer')
                  : e.detail || e.title
              : '',
          ]
            .filter(Boolean)
            .join(' '),
          tone: 'bad',
        });
      },
    );
  const add = (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('outputs.add')}
    </Button>
  );
  const columns: Column<Output>[] = [
    {
      head: t('outputs.name'),
      cell: (o) => (
        <span className={styles.cellName}>
          <KindIcon kind={o.kind} size={16} />
          {outputName(o)}
          {o.simulated && <span className="meta">{t('outputs.simulated')}</span>}
        </span>
      ),
      csv: (o) => outputName(o),
    },
    {
      head: t('outputs.stateHead'),
      cell: (o) => {
        const failure = failureKey(o);
        return (
          <>
            <OutputState state={o.state} />
            {failure && (
              <span className={`${styles.failure} ${styles.below}`}>
                {t(failure)}{' '}
                {o.errorAt && (
                  <span className="meta">
                    <Age at={o.errorAt} />
                  </span>
                )}
              </span>
            )}
          </>
        );
      },
      csv: (o) => [o.state, o.error].filter(Boolean).join(' '),
    },
    { head: t('outputs.site'), cell: (o) => siteName(o.siteId), csv: (o) => o.siteId },
    {
      head: t('outputs.longest'),
      end: true,
      cell: (o) => clockText(o.longestSeconds * 1000),
      csv: (o) => o.longestSeconds,
    },
    {
      head: t('outputs.rulesHead'),
      cell: (o) =>
        o.twoPerson
          ? t('outputs.needsTwo')
          : o.automatic.on
            ? o.automatic.afterSeconds
              ? t('outputs.autoAfter', { n: o.automatic.afterSeconds })
              : t('outputs.autoAtOnce')
            : t('outputs.byHand'),
      csv: (o) => (o.twoPerson ? 'two' : o.automatic.on ? 'automatic' : ''),
    },
    {
      head: t('outputs.way'),
      cell: (o) => (
        <>
          {o.driver && t(`outputs.driver.${o.driver}`)}
          {o.preset && ` · ${t(`outputs.preset.${o.preset as 'custom'}`)}`}
          <span className={`meta mono ${styles.below}`}>
            {[o.address, o.topic].filter(Boolean).join(' ')}
          </span>
        </>
      ),
      csv: (o) => [o.driver, o.preset, o.address, o.topic].filter(Boolean).join(' '),
      cut: (o) => o.address ?? '',
    },
  ];
  return (
    <>
      <List
        title={t('outputs.title')}
        aside={add}
        rows={rows}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(o) => o.id}
        finds={(o) =>
          `${o.label} ${o.id} ${siteName(o.siteId)} ${t(`outputs.kind.${kindOf(o.kind)}`)} ${o.address ?? ''} ${o.topic ?? ''}`
        }
        file="outputs"
        empty={
          <Empty title={t('outputs.none')} action={add}>
            {t('outputs.noneText')}
          </Empty>
        }
        menu={(o: Output) => (
          <ActMenu
            of={outputName(o)}
            acts={[
              { label: t('outputs.test'), icon: 'retry', run: () => void test(o) },
              { label: t('outputs.edit'), icon: 'edit', run: () => setOpen({ kind: 'edit', of: o }) },
              {
                label: t('outputs.delete'),
                icon: 'trash',
                grave: true,
                run: () => setOpen({ kind: 'delete', of: o }),
              },
            ]}
          />
        )}
      />
      {open && open.kind !== 'delete' && (
        <OutputForm of={'of' in open ? open.of : undefined} sites={sites} close={close} changed={changed} />
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('outputs.deleteTitle', { name: outputName(open.of) })}
          close={close}
          send={() => ok(api.DELETE('/outputs/{output}', { params: { path: { output: open.of.id } } }))}
          sent={changed}
          action={t('outputs.delete')}
          failed={t('outputs.deleteFailed')}
          refusals={{ 409: t('outputs.deleteOn') }}
          grave
        >
          <Effect>{t('outputs.deleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}
