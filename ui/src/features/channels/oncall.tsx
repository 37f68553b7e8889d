import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { dayTime } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { Effect, FormDialog } from '../settings/dialog';
import channelStyles from './channels.module.css';
import styles from './oncall.module.css';
import { OverrideForm } from './override-form';
import { type Override, type Schedule, schedulesQuery } from './queries';
import { ScheduleForm } from './schedule-form';
import { Strip } from './strip-view';

type Open = { kind: 'add' } | { kind: 'edit' | 'delete' | 'override'; of: Schedule };

/** Who is on call now, and who is next. */
export default function OnCall() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('channels.write');
  const { data, error, refetch } = useQuery(schedulesQuery());
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['oncall'] });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('channels.scheduleAdd')}
    </Button>
  );
  return (
    <div className={styles.page}>
      {error && !data ? (
        <Panel>
          <Failed what={t('channels.tab.oncall')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : !data ? (
        <Panel>
          <Skeleton rows={5} />
        </Panel>
      ) : data.length === 0 ? (
        <Panel>
          <Empty title={t('channels.nobodyOnCall')} action={add}>
            <p className={channelStyles.teach}>{t('channels.nobodyOnCallText')}</p>
          </Empty>
        </Panel>
      ) : (
        <>
          {mayWrite && <div className={styles.tools}>{add}</div>}
          {data.map((s) => (
            <One
              key={s.id}
              schedule={s}
              mayWrite={mayWrite}
              changed={changed}
              act={(kind) => setOpen({ kind, of: s })}
            />
          ))}
        </>
      )}
      {open?.kind === 'add' && <ScheduleForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <ScheduleForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'override' && <OverrideForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('channels.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => ok(api.DELETE('/oncall/{id}', { params: { path: { id: open.of.id ?? '' } } }))}
          sent={changed}
          action={t('channels.scheduleDelete')}
          failed={t('channels.notDeleted')}
          grave
        >
          <Effect>{t('channels.scheduleDeleteText')}</Effect>
        </FormDialog>
      )}
    </div>
  );
}

function One({
  schedule: s,
  mayWrite,
  changed,
  act,
}: {
  schedule: Schedule;
  mayWrite: boolean;
  changed: () => unknown;
  act: (kind: 'edit' | 'delete' | 'override') => void;
}) {
  const t = useT();
  const tag = useTag();
  const at = (text: string) => dayTime(tag, Date.parse(text), s.timeZone);
  return (
    <Panel
      title={s.name}
      aside={
        <>
          <span className="meta">{s.timeZone}</span>
          {mayWrite && (
            <>
              <Button variant="default" onClick={() => act('override')}>
                {t('channels.overrideAdd')}
              </Button>
              <ActMenu
                of={s.name}
                acts={[
                  { label: t('channels.scheduleEdit'), icon: 'edit', run: () => act('edit') },
                  {
                    label: t('channels.scheduleDelete'),
                    icon: 'trash',
                    run: () => act('delete'),
                    grave: true,
                  },
                ]}
              />
            </>
          )}
        </>
      }
    >
      <div className={styles.body}>
        <dl className={styles.who}>
          <div>
            <dt>{t('channels.now')}</dt>
            <dd className={styles.now}>
              {s.now ? (
                <>
                  <strong>{s.now.member.name}</strong>
                  <span className="meta">{t('channels.until', { at: at(s.now.to) })}</span>
                </>
              ) : (
                <span className={styles.gap}>
                  <Icon name="warn" size={16} />
                  {t('channels.nobodyNow')}
                </span>
              )}
            </dd>
          </div>
          {s.next && (
            <div>
              <dt>{t('channels.next')}</dt>
              <dd className={styles.now}>
                <strong>{s.next.member.name}</strong>
                <span className="meta">{t('channels.from', { at: at(s.next.from) })}</span>
              </dd>
            </div>
          )}
        </dl>
        <Strip schedule={s} />
        <Overrides schedule={s} mayWrite={mayWrite} changed={changed} at={at} />
      </div>
    </Panel>
  );
}

function Overrides({
  schedule: s,
  mayWrite,
  changed,
  at,
}: {
  schedule: Schedule;
  mayWrite: boolean;
  changed: () => unknown;
  at: (text: string) => string;
}) {
  const t = useT();
  const [dropping, setDropping] = useState<Override | null>(null);
  const all = s.overrides ?? [];
  const coming = all.filter((o) => Date.parse(o.to) > Date.now());
  if (coming.length === 0) return null;
  return (
    <div>
      <h3 className={styles.sub}>{t('channels.overrides')}</h3>
      <ul className={styles.overrides} aria-label={t('channels.overrides')}>
        {coming.map((o) => (
          <li key={`${o.from}${o.member.name}`}>
            <strong>{o.member.name}</strong>
            <span className="num">
              {at(o.from)} – {at(o.to)}
            </span>
            {mayWrite && (
              <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setDropping(o)}>
                {t('channels.overrideDelete')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {dropping && (
        <FormDialog
          title={t('channels.overrideDeleteTitle', { name: dropping.member.name })}
          close={() => setDropping(null)}
          send={() =>
            ok(
              api.PATCH('/oncall/{id}', {
                params: { path: { id: s.id ?? '' } },
                body: { overrides: all.filter((o) => o !== dropping) },
              }),
            )
          }
          sent={changed}
          action={t('channels.overrideDelete')}
          failed={t('channels.notDeleted')}
          grave
        >
          <Effect>{t('channels.overrideDeleteText')}</Effect>
        </FormDialog>
      )}
    </div>
  );
}
