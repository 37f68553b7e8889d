import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import type { Site } from '../../api/shapes';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty } from '../../ui/panel';
import { StateShape } from '../../ui/state';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { type Column, List } from '../settings/list';
import { ControllerForm, type Preset } from './controller-form';
import { FindControllers } from './find';
import styles from './part.module.css';
import { BridgeSecret } from './secret';
import {
  CONTROLLERS,
  type Controller,
  clockIsOff,
  controllerName,
  controllersQuery,
  faultKey,
  saysMore,
  standing,
} from './setup';

type Open =
  | { kind: 'find' }
  | { kind: 'add'; preset?: Preset }
  | { kind: 'edit' | 'delete' | 'secret'; of: Controller };

const FAMILY = { online: 'available', offline: 'offline', unheard: 'unknown' } as const;

/** What moves the doors: whether it answers, what is wrong with it, whether it knows who may enter. */
export function Controllers({ sites }: { sites: readonly Site[] | undefined }) {
  const t = useT();
  const tag = useTag();
  const toast = useToast();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(controllersQuery());
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: CONTROLLERS });
  const siteName = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const sync = (c: Controller) =>
    ok(api.POST('/controllers/{controller}/sync', { params: { path: { controller: c.id } } })).then(
      () => {
        toast({ text: t('doors.synced', { name: controllerName(c) }) });
        void changed();
      },
      (e: unknown) =>
        toast({
          text: [
            t('doors.notSynced', { name: controllerName(c) }),
            e instanceof Problem ? e.detail || e.title : '',
          ]
            .filter(Boolean)
            .join(' '),
          tone: 'bad',
        }),
    );
  const test = (c: Controller) =>
    ok(api.POST('/controllers/{controller}/test', { params: { path: { controller: c.id } } })).then(
      (got) => {
        toast(
          got.ok
            ? {
                text: t('doors.tested', {
                  name: controllerName(c),
                  n: new Intl.NumberFormat(tag, { maximumSignificantDigits: 2 }).format(
                    Math.max(got.tookSeconds, 0.001),
                  ),
                }),
              }
            : { text: `${t('doors.notTested', { name: controllerName(c) })} ${got.detail}`, tone: 'bad' },
        );
        void changed();
      },
      (e: unknown) =>
        toast({
          text: [
            t('doors.notTested', { name: controllerName(c) }),
            e instanceof Problem ? e.detail || e.title : '',
          ]
            .filter(Boolean)
            .join(' '),
          tone: 'bad',
        }),
    );
  const offset = (c: Controller) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(
      c.clockOffsetSeconds,
    );
  const add = (
    <div className={styles.adds}>
      <Button
        variant="default"
        leftSection={<Icon name="search" size={14} />}
        onClick={() => setOpen({ kind: 'find' })}
      >
        {t('doors.find')}
      </Button>
      <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
        {t('doors.controllerAdd')}
      </Button>
    </div>
  );
  const columns: Column<Controller>[] = [
    {
      head: t('doors.controller'),
      cell: (c) => (
        <>
          {controllerName(c)}
          {c.address && <span className={`meta mono ${styles.below}`}>{c.address}</span>}
        </>
      ),
      csv: (c) => controllerName(c),
    },
    {
      head: t('doors.stateHead'),
      prose: true,
      cell: (c) => (
        <div className={styles.standing}>
          <span className={styles.name}>
            <StateShape family={FAMILY[standing(c)]} size={14} />
            {t(`doors.${standing(c)}`)}
            {c.since && (
              <span className="meta">
                <Age at={c.since} />
              </span>
            )}
          </span>
          {c.faults
            .filter((f) => saysMore(c, f))
            .map((f) => (
              <p key={f.fault} className={styles.fault}>
                <Icon name="warn" size={14} />
                <span>
                  {(c.online || f.fault !== 'offline') && t(faultKey(f.fault))}
                  {f.detail && <span className="meta"> {f.detail}</span>}
                  {f.since && (
                    <span className="meta">
                      {' '}
                      · <Age at={f.since} />
                    </span>
                  )}
                </span>
              </p>
            ))}
        </div>
      ),
      csv: (c) => [standing(c), ...c.faults.map((f) => f.fault)].join(' '),
    },
    { head: t('doors.site'), cell: (c) => siteName(c.siteId), csv: (c) => c.siteId },
    {
      head: t('doors.driver'),
      cell: (c) => (
        <>
          {t(`doors.driver.${c.driver}`)}
          <span className={`meta ${styles.below}`}>{c.firmware || t(`doors.decidesShort.${c.driver}`)}</span>
        </>
      ),
      csv: (c) => c.driver,
    },
    {
      head: t('doors.clock'),
      end: true,
      cell: (c) =>
        c.driver !== 'uhppote' || !c.online ? (
          '–'
        ) : (
          <span className={clockIsOff(c) ? styles.off : undefined}>{offset(c)} s</span>
        ),
      csv: (c) => c.clockOffsetSeconds,
    },
    {
      head: t('doors.cards'),
      end: true,
      cell: (c) => (
        <>
          {c.driver === 'uhppote' ? count(tag, c.cards) : '–'}
          {c.syncedAt && (
            <span className={`meta ${styles.below}`}>
              <Age at={c.syncedAt} />
            </span>
          )}
        </>
      ),
      csv: (c) => c.cards,
    },
  ];
  return (
    <>
      <List
        title={t('doors.controllers')}
        aside={add}
        rows={data}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={(c) => c.id}
        finds={(c) => `${c.label} ${c.id} ${c.serial} ${c.address} ${siteName(c.siteId)} ${c.driver}`}
        file="controllers"
        empty={
          <Empty title={t('doors.noControllers')} action={add}>
            {t('doors.noControllersText')}
          </Empty>
        }
        menu={(c) => (
          <ActMenu
            of={controllerName(c)}
            acts={[
              { label: t('doors.test'), icon: 'pulse', run: () => void test(c) },
              ...(c.driver === 'uhppote'
                ? [{ label: t('doors.sync'), icon: 'retry' as const, run: () => void sync(c) }]
                : []),
              ...(c.driver === 'http'
                ? [
                    {
                      label: t('doors.secret'),
                      icon: 'key' as const,
                      run: () => setOpen({ kind: 'secret', of: c }),
                    },
                  ]
                : []),
              { label: t('doors.controllerEdit'), icon: 'edit', run: () => setOpen({ kind: 'edit', of: c }) },
              {
                label: t('doors.controllerDelete'),
                icon: 'trash',
                grave: true,
                run: () => setOpen({ kind: 'delete', of: c }),
              },
            ]}
          />
        )}
      />
      {open?.kind === 'find' && (
        <FindControllers
          controllers={data}
          close={close}
          chosen={(preset) => setOpen({ kind: 'add', preset })}
        />
      )}
      {(open?.kind === 'add' || open?.kind === 'edit') && (
        <ControllerForm
          of={open.kind === 'edit' ? open.of : undefined}
          preset={open.kind === 'add' ? open.preset : undefined}
          sites={sites}
          close={close}
          changed={changed}
        />
      )}
      {open?.kind === 'secret' && (
        <FormDialog
          title={t('doors.secretTitle', { name: controllerName(open.of) })}
          close={close}
          send={() =>
            ok(api.POST('/controllers/{controller}/secret', { params: { path: { controller: open.of.id } } }))
          }
          sent={changed}
          once={(made) => <BridgeSecret made={made} />}
          action={t('doors.secret')}
          failed={t('doors.secretFailed')}
          grave
        >
          <Effect>{t('doors.secretText')}</Effect>
        </FormDialog>
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('doors.deleteTitle', { name: controllerName(open.of) })}
          close={close}
          send={() =>
            ok(api.DELETE('/controllers/{controller}', { params: { path: { controller: open.of.id } } }))
          }
          sent={changed}
          action={t('doors.controllerDelete')}
          failed={t('doors.controllerDeleteFailed')}
          refusals={{ 409: t('doors.controllerUsed') }}
          grave
        >
          <Effect>{t('doors.controllerDeleteText')}</Effect>
        </FormDialog>
      )}
    </>
  );
}
